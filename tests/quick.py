"""Settings of a small job, and the files of its folder."""

from dataclasses import replace

from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.settings.presets import preset
from bsoid_gpu.settings.schema import Settings, Validation

QUICK = Settings(
    embedding=UmapSettings(epochs=50),
    clusters=HdbscanSettings(smallest=0.01, largest=0.03, step=0.01),
    validation=Validation(folds=3, stability=False),
)
# as small as can be: for what surrounds the method
TINY = Settings(
    embedding=UmapSettings(epochs=16),
    clusters=HdbscanSettings(smallest=0.02, largest=0.03, step=0.01),
    classifier=PerceptronSettings(max_epochs=2),
    validation=Validation(folds=0, stability=False),
)

# what makes a preset faster, but no other method
QUICKER = {
    "bsoid-1": {
        "embedding": {"iterations": 300, "perplexity": 15.0},
        "clusters": {"components": 8, "starts": 2},
        "classifier": {"most_bins": 100},
    },
    "bsoid-2": {"embedding": {"epochs": 20}, "clusters": {"smallest": 0.01, "largest": 0.03, "step": 0.01}},
}


def quicker(name):
    """Settings of a preset for a small job."""
    settings = replace(preset(name), validation=Validation(folds=0, stability=False))
    return replace(
        settings,
        **{section: replace(getattr(settings, section), **values) for section, values in QUICKER[name].items()},
    )


def files(folder, *, without=("manifest.json", "log.txt", ".lock")):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in without}
