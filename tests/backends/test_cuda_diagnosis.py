import ctypes
import json
import sys
from types import SimpleNamespace

import pytest

from bsoid_gpu import backends
from bsoid_gpu.backends import cuda_diagnosis, cuda_probe
from bsoid_gpu.backends.cuda_probe import Survey
from bsoid_gpu.errors import BackendUnavailable

V100 = {"name": "Tesla V100-PCIE-16GB", "capability": [7, 0], "memory_bytes": 16_935_682_048}
P100 = {"name": "Tesla P100-PCIE-16GB", "capability": [6, 0], "memory_bytes": 17_071_734_784}
K80 = {"name": "Tesla K80", "capability": [3, 7], "memory_bytes": 11_996_954_624}
DRIVER = {"driver": True, "cuda": [12, 4]}
NO_GPU = {**DRIVER, "error": 100, "error_name": "CUDA_ERROR_NO_DEVICE"}
DOCKER = {"container": "docker"}


def wheels(cuda, rapids="26.10.0", cupy="14.2.0"):
    names = [(f"{library}-cu{cuda}", rapids) for library in ("cudf", "cuml", "rmm")]
    return [{"name": name, "version": version} for name, version in [(f"cupy-cuda{cuda}x", cupy), *names]]


def conda(rapids):
    return [{"name": name, "version": rapids} for name in ("cudf", "cuml", "rmm")] + [
        {"name": "cupy", "version": "12.3.0"}
    ]


V100_JOB = {**DRIVER, "devices": [V100], "packages": wheels(12)}
HEALTHY = {
    "V100": V100_JOB,
    "V100, oldest driver": {**V100_JOB, "cuda": [12, 2]},
    "V100, oldest driver of CUDA 12": {
        **DRIVER,
        "cuda": [12, 0],
        "devices": [V100],
        "packages": wheels(12, "25.04.00"),
    },
    "P100": {**DRIVER, "devices": [P100], "packages": conda("23.12.01"), "conda_cuda": 11},
    "the first device counts": {**V100_JOB, "devices": [V100, K80]},
    "hidden ones do not count": {**V100_JOB, "visible": "3"},
    "in a job, in a container": {**V100_JOB, "container": "apptainer", "slurm_job": True, "slurm_gpu": True},
    "a job that sees a device it did not ask for": {**V100_JOB, "slurm_job": True},
}
# what is wrong: the survey, words of the decisive finding, words of its remedy
ILL = {
    "plain machine": ({}, "no libcuda.so.1", "machine with an NVIDIA card"),
    "driver without its CUDA library": ({"module": "550.54.15"}, "550.54.15 is loaded", "libcuda1"),
    "docker": (DOCKER, "without --gpus all, or its host", "docker run --gpus all"),
    "docker on a machine with a GPU": (
        {**DOCKER, "module": "550.54.15"},
        "without --gpus all",
        "docker run --gpus all",
    ),
    "docker with a driver of its own": ({**NO_GPU, **DOCKER}, "--gpus all", "docker run --gpus all"),
    "podman": ({"container": "podman"}, "without --device", "podman run --device"),
    "apptainer": (
        {"container": "apptainer", "slurm_job": True, "slurm_gpu": True},
        "without --nv",
        "apptainer exec --nv",
    ),
    "job without a GPU": ({"slurm_job": True}, "Slurm job was given no GPU", "--gres=gpu:1"),
    "job without a GPU on a node with one": ({**NO_GPU, "slurm_job": True}, "was given no GPU", "--gres=gpu:1"),
    "job on a node without a driver": ({"slurm_job": True, "slurm_gpu": True}, "node of this Slurm job", "nvidia-smi"),
    "all hidden": ({**NO_GPU, "visible": ""}, "hides every device: it is ''", "unset CUDA_VISIBLE_DEVICES"),
    "all hidden by -1": ({**NO_GPU, "visible": "-1"}, "hides every device", "unset CUDA_VISIBLE_DEVICES"),
    "all hidden by Slurm": ({**NO_GPU, "visible": "NoDevFiles"}, "hides every device", "unset CUDA_VISIBLE_DEVICES"),
    "a number too high": ({**NO_GPU, "visible": "7"}, "names no device", "nvidia-smi -L"),
    "no card": (NO_GPU, "finds no device", "nvidia-smi"),
    "a card that CUDA may not use": (
        {**NO_GPU, **DOCKER, "cards": [V100, P100]},
        "the driver has Tesla V100-PCIE-16GB, Tesla P100-PCIE-16GB",
        "MIG",
    ),
    "Windows with a card": (
        {"system": "Windows", "module": "551.61", "cards": [V100]},
        "Linux only: this is Windows",
        "WSL 2",
    ),
    "macOS": ({"system": "Darwin"}, "Linux only: this is Darwin", "--backend cpu"),
    "stub": ({**DRIVER, "error": 34, "error_name": "CUDA_ERROR_STUB_LIBRARY"}, "STUB_LIBRARY (34)", "LD_LIBRARY_PATH"),
    "after an update": ({**DRIVER, "error": 803}, "two versions", "sudo reboot"),
    "compatibility library": ({**DRIVER, "error": 804}, "compatibility", "LD_LIBRARY_PATH"),
    "after a suspend": ({**DRIVER, "error": 999}, "suspend", "modprobe nvidia_uvm"),
    "another error": ({**DRIVER, "error": 46, "error_name": "CUDA_ERROR_NEW"}, "CUDA_ERROR_NEW (46)", "nvidia-smi"),
    "P100 with today's RAPIDS": ({**V100_JOB, "devices": [P100]}, "by RAPIDS 26.10", "environment-p100.yml"),
    "P100 with CUDA 13": (
        {**DRIVER, "cuda": [13, 0], "devices": [P100], "packages": wheels(13)},
        "7.0 is needed",
        "environment-p100.yml",
    ),
    "P100 with nothing installed": ({**DRIVER, "devices": [P100]}, "are not installed", "environment-p100.yml"),
    "V100 with CUDA 13": (
        {**DRIVER, "cuda": [13, 0], "devices": [V100], "packages": wheels(13)},
        "7.5 is needed by packages of CUDA 13",
        "bsoid-gpu[cuda12]",
    ),
    "too old for any": ({**V100_JOB, "devices": [K80]}, "Tesla K80 is too old", "--backend cpu"),
    "a better one beside it": (
        {**V100_JOB, "devices": [K80, V100]},
        "device 1, Tesla V100-PCIE-16GB, would do",
        "export CUDA_VISIBLE_DEVICES=1",
    ),
    "a better one beside it, by its own number": (
        {**V100_JOB, "devices": [K80, V100], "visible": "4, 6"},
        "device 6",
        "export CUDA_VISIBLE_DEVICES=6",
    ),
    "driver too old for CUDA 12": (
        {**V100_JOB, "cuda": [11, 4], "packages": wheels(12, "25.04.00")},
        "supports CUDA 11.4, and packages of CUDA 12 need at least 12.0",
        "NVIDIA driver 525.60.13",
    ),
    "driver too old for RAPIDS 26": (
        {**V100_JOB, "cuda": [12, 1]},
        "supports CUDA 12.1, and packages of CUDA 12 need at least 12.2",
        "NVIDIA driver 535",
    ),
    "driver too old for what would be installed": (
        {**DRIVER, "cuda": [12, 0], "devices": [V100]},
        "supports CUDA 12.0, and packages of CUDA 12 need at least 12.2",
        "NVIDIA driver 535",
    ),
    "driver too old for CUDA 11": (
        {**DRIVER, "cuda": [10, 2], "devices": [P100], "packages": conda("23.12.01"), "conda_cuda": 11},
        "supports CUDA 10.2",
        "NVIDIA driver 450.80.02",
    ),
    "driver too old for CUDA 13": (
        {**DRIVER, "devices": [{**V100, "capability": [8, 0]}], "packages": wheels(13)},
        "CUDA 13 need at least 13.0",
        "bsoid-gpu[cuda12]",
    ),
    "nothing installed": (
        {**DRIVER, "devices": [V100]},
        "cupy, cudf, cuml, rmm are not",
        "pip install 'bsoid-gpu[cuda12]'",
    ),
    "one is missing": ({**V100_JOB, "packages": wheels(12)[:-1]}, "rmm is not installed", "environment.yml"),
    "mixed": ({**V100_JOB, "packages": wheels(12)[:2] + wheels(11)[2:]}, "CUDA 11 and 12 are mixed", "-m venv"),
    "two of cupy": (
        {**V100_JOB, "packages": [*wheels(12), {"name": "cupy", "version": "13.6.0"}]},
        "cupy-cuda12x and cupy are both installed",
        "pip uninstall -y cupy-cuda12x cupy &&",
    ),
}


@pytest.mark.parametrize("facts", HEALTHY.values(), ids=HEALTHY)
def test_what_works(facts):
    judged = cuda_diagnosis.diagnose(Survey.from_dict(facts))
    assert judged.usable, judged
    assert bool(judged.remedies) == (Survey.from_dict(facts).rapids == (25, 4))  # an older one works too
    assert Survey.from_dict(facts).devices[0].name in judged.findings[0]


@pytest.mark.parametrize(("facts", "finding", "remedy"), ILL.values(), ids=ILL)
def test_what_does_not_work_and_what_to_type(facts, finding, remedy):
    judged = cuda_diagnosis.diagnose(Survey.from_dict(facts))
    assert not judged.usable
    assert finding in judged.findings[0]
    assert remedy in judged.remedies[0]
    assert all("\n" not in text and ":" in text for text in judged.findings)
    assert len(judged.reason) < 60


@pytest.mark.parametrize(("card", "release", "better"), [(V100, "25.12.00", True), (P100, "23.12.01", False)])
def test_an_older_rapids_works_and_a_better_one_is_named_where_the_card_can_have_it(card, release, better):
    judged = cuda_diagnosis.diagnose(Survey.from_dict({**DRIVER, "devices": [card], "packages": conda(release)}))
    assert judged.usable
    assert ("RAPIDS 25.12 works, but only from 26.02 on" in judged.findings[-1]) == better
    assert judged.remedies == ((cuda_diagnosis.NEW_ENVIRONMENT,) if better else ())


def test_every_problem_is_listed_the_decisive_one_first():
    judged = cuda_diagnosis.diagnose(
        Survey.from_dict({"slurm_job": True, **DOCKER, "visible": "0", "packages": wheels(12)[:1]})
    )
    words = ["Slurm job", "--gpus all", "CUDA_VISIBLE_DEVICES is '0'", "cudf, cuml, rmm are not installed"]
    assert len(judged.findings) == len(words)
    for finding, word in zip(judged.findings, words, strict=True):
        assert word in finding


def test_a_survey_survives_json():
    survey = Survey.from_dict({**V100_JOB, "cards": [P100, V100], "visible": "0", "conda_cuda": 12})
    assert Survey.from_dict(json.loads(json.dumps(survey.to_dict()))) == survey
    assert survey.cards[0].capability == (6, 0)
    assert survey.rapids == (26, 10)
    assert survey.majors == {12}


class Driver:
    """CUDA's library on a machine with two cards, as ctypes calls it."""

    cards = (V100, P100)

    def __init__(self, error=0):
        self.error = error

    def cuInit(self, flags):
        assert flags == 0
        return self.error

    def cuGetErrorName(self, error, text):
        text._obj.value = b"CUDA_ERROR_%d" % error
        return 0

    def cuDriverGetVersion(self, version):
        version._obj.value = 12040
        return 0

    def cuDeviceGetCount(self, count):
        count._obj.value = len(self.cards)
        return 0

    def cuDeviceGet(self, handle, index):
        handle._obj.value = index

    def cuDeviceGetName(self, name, size, handle):
        name.value = self.cards[handle.value]["name"].encode()

    def cuDeviceGetAttribute(self, value, attribute, handle):
        value._obj.value = self.cards[handle.value]["capability"][attribute - 75]

    def cuDeviceTotalMem_v2(self, memory, handle):
        memory._obj.value = self.cards[handle.value]["memory_bytes"]


class Nvml:
    """pynvml on that machine: a third card does not answer, and CUDA, which sorts the fastest first, leaves it out."""

    cards = (P100, V100, None)

    class NVMLError(Exception):
        pass

    def __init__(self, *, starts=True, encode=str):
        self.starts, self.encode = starts, encode
        self.running = False

    def nvmlInit(self):
        if not self.starts:
            raise self.NVMLError
        self.running = True

    def nvmlShutdown(self):
        self.running = False

    def nvmlSystemGetDriverVersion(self):
        return self.encode("550.54.15")

    def nvmlDeviceGetCount(self):
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index):
        if self.cards[index] is None:
            raise self.NVMLError
        return self.cards[index]

    def nvmlDeviceGetName(self, card):
        return self.encode(card["name"])

    def nvmlDeviceGetCudaComputeCapability(self, card):
        return card["capability"]

    def nvmlDeviceGetMemoryInfo(self, card):
        return SimpleNamespace(total=card["memory_bytes"])


@pytest.fixture
def machine(monkeypatch):
    """Puts stand-ins in the place of the driver's two libraries; what is None is not there."""

    def no_library(name):
        raise OSError(name)

    def put(cuda, nvml):
        monkeypatch.setattr(ctypes, "CDLL", no_library if cuda is None else lambda _: cuda)
        monkeypatch.setitem(sys.modules, "pynvml", nvml)

    return put


@pytest.mark.parametrize("encode", [str, str.encode], ids=["text", "bytes of older NVML"])
def test_cuda_says_what_it_may_use_and_nvml_what_is_there(machine, encode):
    nvml = Nvml(encode=encode)
    machine(Driver(), nvml)
    survey = cuda_probe.survey()
    assert survey.driver
    assert survey.cuda == (12, 4)
    assert survey.devices == Survey.from_dict({"devices": [V100, P100]}).devices
    assert survey.cards == Survey.from_dict({"cards": [P100, V100]}).cards
    assert survey.module == "550.54.15"
    assert not nvml.running


@pytest.mark.parametrize("error", [34, 802, 803, 804, 999])
def test_the_error_of_cuda_is_kept_whatever_nvml_says(machine, error):
    for nvml in (Nvml(), Nvml(starts=False), None):
        machine(Driver(error), nvml)
        survey = cuda_probe.survey()
        assert (survey.error, survey.error_name, survey.devices) == (error, f"CUDA_ERROR_{error}", ())


def test_a_machine_where_one_library_is_missing(machine):
    machine(Driver(), None)
    assert len(cuda_probe.survey().devices) == 2
    assert cuda_probe.survey().cards == ()
    for cuda in (None, object()):  # the latter is a library of that name without the driver's functions
        machine(cuda, Nvml())
        survey = cuda_probe.survey()
        assert (survey.driver, survey.devices, len(survey.cards)) == (False, (), 2)


def test_the_surroundings_are_read(monkeypatch):
    for name in ("SLURM_JOB_ID", "SLURM_GPUS_ON_NODE", *(f"SLURM_{name}" for name in cuda_probe.SLURM_GPUS)):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not cuda_probe.survey().slurm_job
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setenv("APPTAINER_CONTAINER", "image.sif")
    survey = cuda_probe.survey()
    assert (survey.visible, survey.container, survey.slurm_job, survey.slurm_gpu) == ("", "apptainer", True, False)
    monkeypatch.setenv("SLURM_GPUS_ON_NODE", "2")
    assert cuda_probe.survey().slurm_gpu


def test_cuda_says_why_not_and_auto_takes_the_cpu_in_one_line(monkeypatch, caplog):
    monkeypatch.setattr(cuda_probe, "survey", Survey)
    with pytest.raises(BackendUnavailable, match=r"no NVIDIA driver answers: .*; try: .*; or type --backend cpu"):
        backends.get_backend("cuda")
    with caplog.at_level("INFO"):
        assert backends.get_backend("auto").name == "cpu"
    assert caplog.messages == ["backend: cpu (no NVIDIA driver answers)"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("libcudart.so.12: cannot open shared object file"), "RAPIDS does not import .*libcudart.so.12"),
        (BackendUnavailable("the GPU does not compute"), "the GPU does not compute"),
    ],
)
def test_a_backend_that_does_not_start_is_unavailable(monkeypatch, caplog, error, words):
    def fails():
        scope = {"__name__": "cudf.core", "error": error}
        exec("raise error", scope)  # as if a module of cudf raised it

    monkeypatch.setitem(sys.modules, "bsoid_gpu.backends.cuda", SimpleNamespace(CudaBackend=fails))
    monkeypatch.setattr(cuda_probe, "survey", lambda: Survey.from_dict(V100_JOB))
    with pytest.raises(BackendUnavailable, match=f"cudf fails: {words}"):
        backends.get_backend("cuda")
    with caplog.at_level("INFO"):
        assert backends.get_backend("auto").name == "cpu"
    assert caplog.messages == ["backend: cpu (cudf fails; bsoid-gpu doctor tells what to type)"]
