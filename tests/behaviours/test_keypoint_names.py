import pytest

from bsoid_gpu.behaviours.keypoint_names import meaning, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("LeftEar", ["left", "ear"]),
        ("L_ear", ["l", "ear"]),
        ("REar", ["r", "ear"]),
        ("Front Paw R", ["front", "paw", "r"]),
        ("forelegL4", ["foreleg", "l", "4"]),
        ("Butt/Proximal Tail", ["butt", "proximal", "tail"]),
    ],
)
def test_words_of_usual_spellings(name, words):
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "part", "side"),
    [
        ("Nose", "snout", ""),
        ("Snout/Head", "snout", ""),
        ("head", "head", ""),
        ("leftear", "ear", "left"),
        ("ear_left", "ear", "left"),
        ("REar", "ear", "right"),
        ("eyeL", "ear", "left"),
        ("rear", "rear", ""),
        ("Tailbase", "rear", ""),
        ("tail_base", "rear", ""),
        ("Butt/Proximal Tail", "rear", ""),
        ("Tail_tip", "tail", ""),
        ("Tail_1", "tail", ""),
        ("tail", "tail", ""),
        ("Front Paw R", "fore", "right"),
        ("left_forepaw", "fore", "left"),
        ("Forepaw/Shoulder1", "fore", ""),
        ("paw1LF_top", "fore", "left"),
        ("paw2RH_bot", "hind", "right"),
        ("Hindpaw/Hip2", "hind", ""),
        ("Right_bhip", "hind", "right"),
        ("hindlegR4", "hind", "right"),
        ("RWrist", "fore", "right"),
        ("LAnkle", "hind", "left"),
        ("wingL", "other limb", "left"),
        ("left_hip", "hip", "left"),
        ("left_shoulder", "shoulder", "left"),
        ("Mid-Back", "centre", ""),
        ("mouse_center", "centre", ""),
        ("centroid", "centre", ""),
        ("thorax", "centre", ""),
        ("abdomen", "abdomen", ""),
        ("Implant", "head", ""),
        ("top_left_corner", "arena", "left"),
        ("point7", "unknown", ""),
    ],
)
def test_part_and_side(name, part, side):
    assert meaning(name)[:2] == (part, side)


def test_left_and_right_of_a_pair_have_the_same_base():
    for left, right in (("Front Paw L", "Front Paw R"), ("leftEar", "rightEar"), ("forelegL4", "forelegR4")):
        assert meaning(left).base == meaning(right).base


@pytest.mark.parametrize(
    ("name", "noun"),
    [("Front Paw L", "forepaws"), ("hindlegR4", "hindlegs"), ("wingL", "wings"), ("LWrist", "forelimbs"), ("nose", "")],
)
def test_nouns_of_limbs(name, noun):
    assert meaning(name).noun == noun
