"""Settings of a small job, and the files of its folder."""

from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.umap import UmapSettings
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


def files(folder, *, without=("manifest.json", "log.txt", ".lock")):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name not in without}
