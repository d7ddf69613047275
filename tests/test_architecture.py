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
ARRAY_CODE = ["likelihood", "features", "windows", "scale", "draws", "layout", "mlp", "quality"]
# who may import whom: a module imports only from lines above its own
ORDER = [
    ["_version"],
    ["errors"],
    ["log"],
    ["config", "pose", "machine", "supervise"],
    ["config_file", "arrays", "files"],
    ["tree", "windows", "likelihood", "scale", "bouts", "compare", "doubts", "draws"],
    ["features", "mlp", "layout", "membership", "neighbours", "fuzzy", "store", "sample"],
    ["descent"],
    ["backends.survey", "backends.device_memory"],
    ["backends.diagnosis"],
    ["backends.protocol", "backends.cpu", "backends.cuda"],
    ["backends", "mouse", "quality", "engines"],
    ["simulate"],
    ["io.deeplabcut"],
    ["io"],
    ["io.outline"],
    ["recordings"],
    ["extract"],
    ["embed", "cluster", "classify", "label"],
    ["model"],
    ["run", "selfcheck"],
    ["outputs", "stages", "plan"],
    ["pipeline", "prediction", "doctor"],
    ["hpc", "hpc.needs", "hpc.resources"],
    ["hpc.cards", "hpc.job"],
    ["hpc.scripts"],
    ["hpc.gather", "hpc.modulefile"],
    ["cli_hpc"],
    ["cli"],
    ["__main__", "__init__"],
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


@pytest.mark.parametrize("module", sorted(set(MODULES) - {"__init__", "__main__", ""}))
def test_imports_run_downwards_only(module):
    level = {name: i for i, names in enumerate(ORDER) for name in names}
    assert module in level, f"give {module} a place in ORDER"
    upwards = {
        other
        for other in own(imports(MODULES[module]))
        if level[other] >= level[module] and other not in (module, module.rpartition(".")[0])
    }
    assert not upwards


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
        if module in ("cli", "cli_hpc", "__main__", "supervise"):
            continue
        calls = [node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        names = {ast.unparse(call) for call in calls}
        assert not names & {"print", "sys.exit", "exit", "quit", "os._exit", "click.echo"}, module


@pytest.mark.parametrize(
    "what", ["import bsoid_gpu", "import bsoid_gpu.cli", "import bsoid_gpu; bsoid_gpu.__version__"]
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
