"""The rules that hold the layers apart."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import bsoid_gpu

PACKAGE = Path(bsoid_gpu.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}
ARRAY_CODE = [
    "method.likelihood",
    "method.features",
    "method.windows",
    "method.tracking_quality",
    "estimators.standard_scaler",
    "estimators.initialisation",
    "estimators.perceptron",
    "kernels.counter_rng",
]
# a module imports from the layers above its own line, and from its own; what is not named stands beside them
LAYERS = [
    ["errors", "typing", "_version"],
    ["log", "machine", "files"],
    ["kernels"],
    ["pose", "settings", "backends"],
    ["estimators"],
    ["method"],
    ["io", "synthetic"],
    ["run_folder", "execution", "statistics"],
    ["workflows"],
    ["doctor"],
    ["hpc"],
    ["cli"],
    ["__main__"],
]


def imports(path: Path, *, for_types: bool = False) -> set[str]:
    """Modules that a file imports at any depth, without those for the type checker only."""
    tree = ast.parse(path.read_text())
    if not for_types:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def own(found: set[str]) -> set[str]:
    names = {name.removeprefix("bsoid_gpu.") for name in found if name.startswith("bsoid_gpu.")}
    return names & set(MODULES)


def test_only_the_cuda_backend_imports_rapids():
    rapids = {"cupy", "cudf", "cuml", "rmm"}
    guilty = {
        module
        for module, path in MODULES.items()
        if {name.split(".")[0] for name in imports(path, for_types=True)} & rapids
    }
    assert guilty <= {"backends.cuda"}


def test_no_pickles():
    for module, path in MODULES.items():
        assert not imports(path) & {"pickle", "joblib.dump", "joblib.load", "dill", "cloudpickle"}, module


@pytest.mark.parametrize("module", ARRAY_CODE)
def test_array_code_asks_the_array(module):
    source = MODULES[module].read_text()
    assert "numpy" not in {name.split(".")[0] for name in imports(MODULES[module])}
    assert ".get()" not in source


def test_only_the_command_line_prints_or_exits():
    for module, path in MODULES.items():
        if module.startswith("cli.") or module in ("__main__", "execution.signals"):
            continue
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(call) for call in calls}
        assert not names & {"print", "sys.exit", "exit", "quit", "os._exit", "click.echo"}, module


@pytest.mark.parametrize(
    "what", ["import bsoid_gpu", "import bsoid_gpu.cli.main", "import bsoid_gpu; bsoid_gpu.__version__"]
)
def test_importing_loads_nothing_heavy(what):
    heavy = "{'numpy', 'pandas', 'numba', 'sklearn', 'scipy', 'cupy', 'pyarrow', 'umap'}"
    code = (
        f"import sys; {what}; sys.exit(str(sorted({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


def test_public_names_are_there_whatever_is_used_first():
    code = (
        "import bsoid_gpu as b; b.load_model; b.build; assert callable(b.predict); [getattr(b, n) for n in b.__all__]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
