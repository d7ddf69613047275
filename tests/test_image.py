"""The container's definition: what it installs beside the packages of RAPIDS' images, and that it looks for RAPIDS."""

import ast
import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import bsoid_gpu
from bsoid_gpu.backends import cuda, cuda_probe

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(bsoid_gpu.__file__).parent
DEFINITION = (ROOT / "apptainer.def").read_text()
SECTIONS = {part.split()[0]: part for part in re.split(r"^%", DEFINITION, flags=re.MULTILINE)[1:]}
LOOK = re.compile(r"python -c '(from bsoid_gpu.*)'$", re.MULTILINE)
IMAGES = {path.stem: path for path in (ROOT / "tests" / "images").glob("*.txt")}
LOADERS = ("library", "_imported", "import_module")


def loaded():
    """Modules of RAPIDS, and numba's for the device, that the package imports."""
    modules = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                modules |= {node.args[0].value} if ast.unparse(node.func).split(".")[-1] in LOADERS else set()
            elif "cuda" in path.stem and isinstance(node, ast.Import):
                modules |= {one.name for one in node.names}
            elif "cuda" in path.stem and isinstance(node, ast.ImportFrom) and not node.level:
                modules |= {f"numba.{one.name}" for one in node.names} if node.module == "numba" else {node.module}
    return {name for name in modules if name.startswith((*cuda_probe.LIBRARIES, "numba.cuda"))}


def test_everything_that_is_imported_on_a_gpu_is_imported_at_once_and_looked_for():
    assert set(cuda.USED) == loaded()
    assert {name.split(".")[0] for name in cuda.USED} == {*cuda_probe.LIBRARIES, "numba"}


def test_what_is_missing_is_named_without_an_import(monkeypatch, tmp_path):
    for name in cuda.USED:
        folder = tmp_path
        for part in name.split("."):
            folder /= part
            folder.mkdir(exist_ok=True)
            (folder / "__init__.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert cuda.missing() == []
    shutil.rmtree(tmp_path / "cuml" / "neighbors")
    (tmp_path / "cuml" / "manifold" / "__init__.py").unlink()  # what may remain of an uninstalled package
    (tmp_path / "rmm" / "allocators.py").touch()
    shutil.rmtree(tmp_path / "rmm" / "allocators")
    importlib.invalidate_caches()
    assert cuda.missing() == ["rmm.allocators.cupy", "cuml.manifold", "cuml.neighbors"]


@pytest.mark.parametrize("section", ["post", "test"])
def test_the_image_looks_for_rapids(section):
    (code,) = LOOK.findall(SECTIONS[section])
    if not cuda.missing():
        pytest.skip("RAPIDS is installed")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert str(cuda.missing()) in done.stderr


def packages(image):
    """Version and requirements of each package of an image, by name."""
    listed = re.findall(r"^(\S+) (\S+)\n((?:    .*\n)*)", IMAGES[image].read_text(), re.MULTILINE)
    return {name: (version, [one.strip() for one in needed.splitlines()]) for name, version, needed in listed}


@pytest.fixture
def python(image, tmp_path):
    """Python of the image's version, in a new virtual environment where the image's packages seem to be installed."""
    version = re.search(r"-py([\d.]+)$", image)[1]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # its commands do not run unless chosen
    command = next(pyenv.glob(f"versions/{version}.*/bin/python"), None) or shutil.which(f"python{version}")
    made = command and subprocess.run([command, "-m", "venv", tmp_path / "venv"], capture_output=True, check=False)
    if not made or made.returncode:
        pytest.skip(f"no Python {version} here, or without venv")
    for name, (version, needed) in packages(image).items():
        folder = next(tmp_path.glob("venv/lib/*/site-packages")) / f"{name.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (folder / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {one}" for one in needed)]) + "\n")
        (folder / "INSTALLER").write_text("conda\n")
    return tmp_path / "venv" / "bin" / "python"


def limited(constraints):
    """Packages whose newer releases RAPIDS does not take."""
    parsed = [Requirement(line) for line in constraints.splitlines()]
    return {canonicalize_name(one.name) for one in parsed if any(it.operator in ("<", "==") for it in one.specifier)}


@pytest.mark.slow
@pytest.mark.parametrize("image", IMAGES)
def test_the_requirements_can_be_installed_beside_what_rapids_requires(image, python, tmp_path):
    script = re.search(r"<<'PYTHON'\n(.*?)^PYTHON$", SECTIONS["post"], re.DOTALL | re.MULTILINE)[1]
    made = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    (tmp_path / "constraints.txt").write_text(made.stdout)
    assert {"numpy", "pandas", "numba", "dask", "distributed"} <= limited(made.stdout)
    assert {"click", "joblib"}.isdisjoint(limited(made.stdout))
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run"]
    if subprocess.run([*pip, "--no-deps", "filelock"], capture_output=True, check=False).returncode:
        pytest.skip("no package index answers")
    done = subprocess.run(
        [*pip, "--constraint", tmp_path / "constraints.txt", f"{ROOT}[cluster]"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    installed = re.search(r"^Would install (.*)$", done.stdout, re.MULTILINE)[1].split()
    names = {canonicalize_name(one.rpartition("-")[0]) for one in installed}
    assert {"h5py", "fast-hdbscan", "bsoid-gpu"} <= names
    assert names.isdisjoint(limited(made.stdout)), names & limited(made.stdout)
