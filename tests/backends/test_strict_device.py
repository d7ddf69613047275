"""From files to features, and from features to labels, on a device that refuses every conversion to NumPy."""

import numpy as np
from conftest import StrictArrays

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators.perceptron import Perceptron, PerceptronSettings, fit
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.settings.schema import Input, Settings
from bsoid_gpu.synthetic.sessions import simulate


class StrictBackend(StrictArrays):
    """The CPU's parser, then only the array API standard."""

    name = "strict"
    repeatable = CpuBackend.repeatable


def test_features_and_labels_equal_those_of_the_cpu(tmp_path, cpu):
    simulate(tmp_path, sessions=2, minutes=0.5, fps=29.97, seed=3)
    settings = Settings(input=Input(fps=29.97), classifier=PerceptronSettings(max_epochs=3))
    strict = StrictBackend()
    on_cpu = [session_features(s.read().tracks(29.97, cpu), 29.97, settings, cpu)[0] for s in sources(tmp_path)]
    on_device = [
        session_features(s.read().tracks(29.97, strict), 29.97, settings, strict)[0] for s in sources(tmp_path)
    ]
    for host, device in zip(on_cpu, on_device, strict=True):
        np.testing.assert_allclose(strict.to_host(device.features), host.features, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(strict.to_host(device.threshold), host.threshold, rtol=1e-12)
        assert device.quality == host.quality
    labels = np.arange(len(on_cpu[0].features)) % 3
    perceptron = fit(on_cpu[0].features, labels, 3, settings.classifier, 0, cpu)
    (pose,) = sources(tmp_path)[1].read().tracks(29.97, cpu)
    (moved,) = sources(tmp_path)[1].read().tracks(29.97, strict)
    expected = label_frames(filtered([pose], settings, cpu)[0], perceptron, settings.features, cpu)
    there = Perceptron.from_arrays({name: strict.asarray(array) for name, array in perceptron.arrays().items()})
    labelled = label_frames(filtered([moved], settings, strict)[0], there, settings.features, strict)
    assert np.mean(labelled.labels == expected.labels) >= 0.999
    np.testing.assert_allclose(labelled.probabilities, expected.probabilities, atol=1e-4)
