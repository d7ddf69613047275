"""The conda environments match pyproject.toml."""

import re
from pathlib import Path

import pytest
from oldest import needed, project
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"fast-hdbscan": "fast_hdbscan"}
FILES = ("environment.yml", "environment-p100.yml", "environment-cpu.yml")
# dask-cuda 23.12 needs pynvml 11, which has the same module; conda installs only one of the two
INSTEAD = {("environment-p100.yml", "nvidia-ml-py"): "dask-cuda"}
SAFE_HDF5 = Version("1.14.4")  # that of h5py's wheels from 3.12 on; older ones crash on damaged files
RAPIDS_23_12 = {"numpy": "<1.25", "pandas": "<1.6", "numba": "<0.58", "python": "==3.10", "cuda-version": "==11.8"}


def read(name):
    """Dependencies (name: versions) of an environment, its channels, and its text."""
    text = (ROOT / name).read_text()
    channels, dependencies = text.split("channels:")[1].split("dependencies:")
    items = re.findall(r"^  - ([\w.-]+)(?: ([<>=!\d.,]+))?$", dependencies, re.MULTILINE)
    listed = {item: SpecifierSet(re.sub(r"^=(?=\d)", "==", versions)) for item, versions in items}
    return listed, re.findall(r"- ([\w-]+)", channels), text


def lowest(versions):
    (bound,) = [Version(one.version) for one in versions if one.operator in (">=", "==")]
    return bound


@pytest.mark.parametrize("name", FILES)
def test_the_dependencies_of_the_project_are_there_and_not_older(name):
    listed, channels, text = read(name)
    assert f"mamba env create -f {name}" in text
    assert "--no-deps --editable ." in text
    assert "conda-forge" in channels
    extras = ["cluster"] if name == "environment-cpu.yml" else ["cluster", "cuda12"]
    requirements = {Requirement(text) for extra in extras for text in needed(extra)}
    for requirement in requirements:
        if requirement.name.startswith(("cudf-", "cuml-", "cupy-")):  # conda has them under other names
            continue
        if (name, requirement.name) in INSTEAD:
            assert INSTEAD[name, requirement.name] in listed
            continue
        conda = CONDA_NAMES.get(requirement.name, requirement.name)
        if requirement.marker is not None and conda not in listed:
            assert not requirement.marker.evaluate({"python_version": str(lowest(listed["python"]))})
            continue
        assert lowest(listed[conda]) >= lowest(requirement.specifier), conda
    assert lowest(listed["hdf5"]) >= SAFE_HDF5  # conda's h5py is built with several
    assert lowest(listed["python"]) >= lowest(SpecifierSet(project()["requires-python"]))


def test_the_environment_of_new_cards_is_of_one_cuda():
    listed, channels, _ = read("environment.yml")
    assert channels == ["rapidsai", "conda-forge"]
    assert lowest(listed["cudf"]) == lowest(listed["cuml"]) == lowest(listed["dask-cuda"]) > Version("26")
    assert listed["cuda-version"].contains("12.9")
    assert not listed["cuda-version"].contains("13.0")  # leaves V100 out
    of_pip = [Requirement(text).name for text in project()["optional-dependencies"]["cuda12"]]
    assert {"cudf-cu12", "cuml-cu12", "cupy-cuda12x"} <= set(of_pip)


def test_the_environment_of_p100_is_what_rapids_23_12_takes():
    listed, channels, _ = read("environment-p100.yml")
    assert channels == ["rapidsai", "conda-forge", "nvidia"]
    assert all(str(listed[name]) == "==23.12" for name in ("cudf", "cuml", "dask-cuda"))
    for name, limit in RAPIDS_23_12.items():
        assert limit in {str(one) for one in listed[name]}, name


def test_the_environment_of_laptops_has_no_gpu_library():
    listed, channels, _ = read("environment-cpu.yml")
    assert channels == ["conda-forge"]
    assert not {"cudf", "cuml", "cupy", "dask-cuda", "cuda-version"} & set(listed)
