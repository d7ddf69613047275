"""What the name of a keypoint says: the part of the body, and its side."""

from __future__ import annotations

import re
from typing import NamedTuple

LEFT, RIGHT = "left", "right"
# parts of the body
SNOUT, HEAD, EAR, NECK, CENTRE, HIP, REAR, TAIL = "snout", "head", "ear", "neck", "centre", "hip", "rear", "tail"
FORE, HIND, OTHER_LIMB = "fore", "hind", "other limb"
SHOULDER, ABDOMEN, UNKNOWN, ARENA = "shoulder", "abdomen", "unknown", "arena"

SIDES = {"left": LEFT, "l": LEFT, "right": RIGHT, "r": RIGHT}
# a letter for the side and one for the end of the body, as in "paw_LH"
CORNERS = {
    **{"lf": (LEFT, "fore"), "fl": (LEFT, "fore"), "lh": (LEFT, "hind"), "hl": (LEFT, "hind")},
    **{"rf": (RIGHT, "fore"), "fr": (RIGHT, "fore"), "rh": (RIGHT, "hind"), "hr": (RIGHT, "hind")},
}
ARENA_WORDS = {
    *("arena", "box", "cage", "corner", "cue", "door", "edge", "feeder", "floor", "led", "lever", "light", "maze"),
    *("object", "platform", "port", "reference", "wall"),
}
LIMB = re.compile(r"paw|leg|limb|foot|feet|toe|heel|fhip|bhip")
FORE_WORDS = re.compile(r"fore|front|fhip|hand|wrist|elbow|finger")
HIND_WORDS = re.compile(r"hind|back|rear|bhip|ankle|knee|heel")
# the first pattern that a name contains decides; tails and limbs come before
PARTS = (
    (SNOUT, re.compile(r"snout|nose|muzzle|mouth|beak|rostrum|^front$")),
    (REAR, re.compile(r"butt|rump|anus|anal|pelvi|hindquarter|genital|^rear|^bum$")),
    (SHOULDER, re.compile(r"shoulder")),
    (HEAD, re.compile(r"head|skull|face|implant")),
    (EAR, re.compile(r"ear|eye")),
    (NECK, re.compile(r"neck|nape")),
    (HIP, re.compile(r"hip|flank|side")),
    (ABDOMEN, re.compile(r"abdomen")),
    (CENTRE, re.compile(r"cent(re|er)|centroid|body|mid|spine|back|thorax|torso|trunk|chest")),
)
TAIL_BASE = re.compile(r"base|root|start|prox|butt|rump")
NOUNS = (("paw", "paws"), ("leg", "legs"), ("limb", "limbs"), ("foot", "feet"), ("feet", "feet"))


class Meaning(NamedTuple):
    """Part of the body, ``left``, ``right`` or empty, what remains of the name without side, and a noun for limbs."""

    part: str
    side: str
    base: str
    noun: str = ""


def words_of(name: str) -> list[str]:
    """Words of a name, in small letters: ``"LeftEar"``, ``"L_ear"`` and ``"Front Paw R"`` have two or three."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name)
    spaced = re.sub(r"([A-Z])([A-Z][a-z])", r"\1 \2", spaced)
    spaced = re.sub(r"([A-Za-z])(\d)", r"\1 \2", spaced)
    return [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word]


def meaning(name: str) -> Meaning:
    """What the name of a keypoint says.

    Parameters
    ----------
    name
        Such as ``"Butt/Proximal Tail"``, ``"leftear"`` or ``"hindlegR4"``.
    """
    words = words_of(name)
    side, rest = "", []
    for word in words:
        if word in SIDES:
            side = side or SIDES[word]
        elif word in CORNERS:
            side, end = CORNERS[word]
            rest.append(end)
        else:
            attached = re.fullmatch(r"(left|right)(.+)|(.+)(left|right)", word)
            if attached:
                side = side or attached[1] or attached[4]
                word = attached[2] or attached[3]
            rest.append(word)
    if ARENA_WORDS.intersection(rest):
        return Meaning(ARENA, side, " ".join(rest))
    base = "".join(rest)
    part = _part(base, rest)
    return Meaning(part, side, " ".join(rest), _noun(part, base))


def _part(base: str, words: list[str]) -> str:
    """Part of the body of a name without its side; ``base`` is the name without spaces."""
    if "tail" in base:
        return REAR if TAIL_BASE.search(base) else TAIL
    if LIMB.search(base) or re.search(r"hand|wrist|elbow|finger|ankle|knee|wing", base):
        if FORE_WORDS.search(base) or (words and words[0] in ("f", "fr")):
            return FORE
        return HIND if HIND_WORDS.search(base) else OTHER_LIMB
    return next((part for part, pattern in PARTS if pattern.search(base)), UNKNOWN)


def _noun(part: str, base: str) -> str:
    """Plural noun for limbs, such as ``"forepaws"``."""
    if part == OTHER_LIMB:
        return "wings" if "wing" in base else next((noun for word, noun in NOUNS if word in base), "limbs")
    if part not in (FORE, HIND):
        return ""
    noun = next((noun for word, noun in NOUNS if word in base), "limbs")
    return f"{part}{noun}"
