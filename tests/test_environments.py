"""The conda environments match pyproject.toml."""

import re
from pathlib import Path

import pytest
from oldest import needed, project
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"tables": "pytables", "fast-hdbscan": "fast_hdbscan"}
FILES = ("environment.yml", "environment-p100.yml", "environment-cpu.yml")
RAPIDS_23_12 = {"numpy": "<1.25", "pandas": "<1.6", "numba": "<0.58", "python": "==3.10", "cuda-version": "==11.8"}


def read(name):
    """Dependencies (name, versions) of an environment, and its channels."""
    text = (ROOT / name).read_text()
    channels, dependencies = text.split("channels:")[1].split("dependencies:")
    items = re.findall(r"^  - ([\w.-]+)(?: ([<>=!\d.,]+))?$", dependencies, re.MULTILINE)
    required = {item: SpecifierSet(re.sub(r"^=(?=\d)", "==", versions)) for item, versions in items}
    return required, re.findall(r"- ([\w-]+)", channels), text


def lowest(versions):
    (bound,) = [Version(one.version) for one in versions if one.operator in (">=", "==")]
    return bound


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_there_and_not_older(name):
    required, channels, text = read(name)
    assert f"mamba env create -f {name}" in text
    assert "--no-deps --editable ." in text
    assert "conda-forge" in channels
    extras = ["cluster"] if name == "environment-cpu.yml" else ["cluster", "cuda12"]
    requirements = {Requirement(text) for extra in extras for text in needed(extra)}
    for requirement in requirements:
        if requirement.name.startswith(("cudf-", "cuml-", "cupy-")):  # conda has other names for them
            continue
        conda = CONDA_NAMES.get(requirement.name, requirement.name)
        if requirement.marker is not None and conda not in required:
            assert not requirement.marker.evaluate({"python_version": str(lowest(required["python"]))})
            continue
        assert lowest(required[conda]) >= lowest(requirement.specifier), conda
    assert lowest(required["python"]) >= lowest(SpecifierSet(project()["requires-python"]))


def test_the_environment_of_new_gpus_has_one_cuda():
    required, channels, _ = read("environment.yml")
    assert channels == ["rapidsai", "conda-forge"]
    assert lowest(required["cudf"]) == lowest(required["cuml"]) == lowest(required["dask-cuda"]) > Version("26")
    assert required["cuda-version"].contains("12.9")
    assert not required["cuda-version"].contains("13.0")  # leaves V100 out
    of_pip = [Requirement(text).name for text in project()["optional-dependencies"]["cuda12"]]
    assert {"cudf-cu12", "cuml-cu12", "cupy-cuda12x"} <= set(of_pip)


def test_the_environment_of_p100_has_rapids_23_12():
    required, channels, _ = read("environment-p100.yml")
    assert channels == ["rapidsai", "conda-forge", "nvidia"]
    assert all(str(required[name]) == "==23.12" for name in ("cudf", "cuml", "dask-cuda"))
    for name, limit in RAPIDS_23_12.items():
        assert limit in {str(one) for one in required[name]}, name


def test_the_environment_of_laptops_has_no_gpu_library():
    required, channels, _ = read("environment-cpu.yml")
    assert channels == ["conda-forge"]
    assert not {"cudf", "cuml", "cupy", "dask-cuda", "cuda-version"} & set(required)
