"""From files to features, and from features to labels, on a device that refuses every conversion to NumPy."""

import numpy as np
from conftest import StrictArrays

from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.estimators.perceptron import fit
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import extract, filtered
from bsoid_gpu.run_folder import model_file
from bsoid_gpu.settings.schema import Classifier, Input, Settings
from bsoid_gpu.synthetic.sessions import simulate


class StrictBackend(StrictArrays):
    """The CPU's parser, then nothing but the standard."""

    name = "strict"

    def read_numbers(self, data, skip_rows, columns):
        return self.asarray(CpuBackend().read_numbers(data, skip_rows, columns))


def test_the_device_gives_what_the_cpu_gives(tmp_path, cpu):
    simulate(tmp_path, sessions=2, minutes=0.5, fps=29.97, seed=3)
    settings = Settings(input=Input(fps=29.97), classifier=Classifier(max_epochs=3))
    strict = StrictBackend()
    on_cpu = [extract([source.read()], 29.97, settings, cpu)[0] for source in sources(tmp_path)]
    on_device = [extract([source.read()], 29.97, settings, strict)[0] for source in sources(tmp_path)]
    for host, device in zip(on_cpu, on_device, strict=True):
        np.testing.assert_allclose(strict.to_host(device.features), host.features, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(strict.to_host(device.threshold), host.threshold, rtol=1e-12)
        assert device.quality == host.quality
    labels = np.arange(len(on_cpu[0].features)) % 3
    perceptron = fit(on_cpu[0].features, labels, 3, settings.classifier, 0, np.asarray)
    (pose,) = sources(tmp_path)[1].read().tracks(29.97, cpu)
    (moved,) = sources(tmp_path)[1].read().tracks(29.97, strict)
    expected = label_frames(filtered([pose], settings, cpu)[0], perceptron, settings.features, cpu)
    found = label_frames(
        filtered([moved], settings, strict)[0], model_file.on_backend(perceptron, strict), settings.features, strict
    )
    assert np.mean(found.labels == expected.labels) >= 0.999
    np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-4)
