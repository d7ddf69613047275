"""What the key of each stage depends on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.method.classification import Classification, MemberClassifiers
from bsoid_gpu.method.clustering import Clustering
from bsoid_gpu.method.embedding import Embedding
from bsoid_gpu.run_folder import stages
from bsoid_gpu.run_folder.store import Stage, Store
from bsoid_gpu.settings.schema import Settings

SCORES = {"held_out_random": 1.0, "held_out_blocks": None, "cross_validation": []}
LABELS, HELD_OUT = np.array([0, 1, 0, 1]), np.array([True, False, False, False])


@pytest.fixture(autouse=True)
def _instant_estimators(monkeypatch):
    """The embedding depends on the number of epochs."""

    def embed(features, bins, recordings, settings, *_):
        return Embedding(np.zeros((4, 2)), np.full((4, 3), settings.embedding.epochs, dtype=np.float32), {})

    def cluster(*_):
        return Clustering(LABELS, LABELS, np.zeros((4, 2)), pd.DataFrame())

    monkeypatch.setattr(stages, "embed", embed)
    monkeypatch.setattr(stages, "cluster", cluster)
    monkeypatch.setattr(
        stages, "classify", lambda *_, **__: Classification({}, {}, np.zeros(4), SCORES, np.zeros((2, 2)))
    )
    monkeypatch.setattr(stages, "classify_member", lambda *_, **__: MemberClassifiers({}, {}))


class Joined:
    """Classifiers of several models, which are one array."""

    def __init__(self, value):
        self.value = value

    def arrays(self):
        return {"weights": np.full(2, self.value)}


def again(
    folder, settings, *, content=0.0, bins=4, bin_s=0.1, backend="cpu", labels=LABELS, rows=4, classes=2, joined=None,
    name="random", held_out=HELD_OUT,
):  # fmt: skip
    """Run all stages in a folder, those of one of several models too; the names of those that it did not have."""
    where = SimpleNamespace(name=backend, asarray=np.asarray, to_host=np.asarray)
    features, chosen = np.zeros((bins, 2)), np.arange(4) + rows
    with Store(folder) as store, Store(folder / "member") as of_member:
        store.run("features m", 1, {"content": content}, lambda _: Stage({"x": np.full(3, content)}))
        digest = stages.features_digest(store)
        embedded = stages.embedding(features, [bins], ["m"], settings, where, store, digest)
        stages.clusters(embedded.positions, bin_s, settings, where, store)
        digest = stages.rows_digest(digest, chosen)
        parts = {name: held_out}
        stages.classifier(features, labels, parts, settings, where, store, digest, classes=classes, joined=joined)
        stages.member_classifiers(features, labels, held_out, settings, where, of_member, digest, classes)
        ran = [name for name, stage in store.stages.items() if not stage.resumed]
        return {*ran, *(f"member's {name}" for name, stage in of_member.stages.items() if not stage.resumed)}


def changed(section, **values):
    return replace(Settings(), **{section: replace(getattr(Settings(), section), **values)})


CLASSIFIERS = {"classifier", "member's classifier"}


@pytest.mark.parametrize(
    ("settings", "other", "run"),
    [
        (Settings(), {}, set()),
        (replace(Settings(), seed=1), {}, {"embedding", "clusters", *CLASSIFIERS}),
        (replace(Settings(), models=2), {}, set()),
        (changed("features", standardise="global"), {}, {"embedding"}),
        (changed("embedding", epochs=7), {}, {"embedding", "clusters"}),
        (changed("embedding", min_dist=0.5), {}, {"embedding"}),
        (changed("clusters", min_samples=7), {}, {"clusters"}),  # the classifier's labels remain
        (changed("classifier", l2=0.5), {}, CLASSIFIERS),
        (replace(Settings(), classifier=RandomForestSettings()), {}, CLASSIFIERS),
        (changed("labels", stay=0.5), {}, set()),  # of labels of frames
        (changed("validation", stability=False), {}, set()),
        (Settings(), {"content": 1.0}, {"features m", "embedding", *CLASSIFIERS}),
        (Settings(), {"bins": 5}, {"embedding"}),
        (Settings(), {"bin_s": 0.2}, {"clusters"}),
        (Settings(), {"backend": "cuda"}, {"embedding", "clusters", *CLASSIFIERS}),
        (Settings(), {"labels": 1 - LABELS}, CLASSIFIERS),
        (Settings(), {"rows": 5}, CLASSIFIERS),  # other bins with the same labels
        (Settings(), {"classes": 3}, CLASSIFIERS),
        (Settings(), {"held_out": ~HELD_OUT}, CLASSIFIERS),
        (Settings(), {"name": "fold 0"}, {"classifier"}),
        (Settings(), {"joined": Joined(0.0)}, {"classifier"}),
    ],
)
def test_a_stage_runs_again_if_anything_that_it_depends_on_has_changed(tmp_path, settings, other, run):
    again(tmp_path, Settings())
    assert again(tmp_path, settings, **other) == run


def test_other_joined_classifiers_are_scored_again(tmp_path):
    again(tmp_path, Settings(), joined=Joined(0.0))
    assert again(tmp_path, Settings(), joined=Joined(0.0)) == set()
    assert again(tmp_path, Settings(), joined=Joined(1.0)) == {"classifier"}
