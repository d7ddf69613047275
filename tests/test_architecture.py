"""Import contracts between the layers."""

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
    "backends.chunks",
    "method.array_quantiles",
    "method.likelihood",
    "method.vectors",
    "method.quantities",
    "method.features",
    "method.moments",
    "method.multiscale",
    "method.logarithms",
    "method.units",
    "method.windows",
    "method.tracking_quality",
    "estimators.standard_scaler",
    "estimators.initialisation",
    "estimators.expectation_maximisation",
    "estimators.support_vectors",
    "estimators.network",
    "estimators.gradient_descent",
    "estimators.perceptron",
    "estimators.perceptron_stack",
    "kernels.counter_rng",
]
# A room (a folder or module of the package) imports only from the lines above its own, and from itself.
LAYERS = [
    "_version errors typing fields",
    "log files machine",
    "locks",
    "kernels",
    "pose backends",
    "estimators",
    "settings",
    "method",
    "io synthetic statistics",
    "behaviours",
    "run_folder execution",
    "views",
    "workflows",
    "doctor",
    "hpc",
    "cli",
    "__main__ __init__",
]
LAYER = {room: number for number, line in enumerate(LAYERS) for room in line.split()}
# Rooms that a room may not import even from a lower layer.
FORBIDDEN = {
    "kernels": set(LAYER),
    "method": {"log", "run_folder", "execution", "workflows", "cli"},
    "estimators": {"log", "run_folder", "execution", "workflows", "cli"},
    "behaviours": {"method", "estimators"},
    "views": {"method", "estimators"},
}
MAX_LINES = 300


def imports(path: Path, *, for_types: bool = False) -> set[str]:
    """Modules that a file imports at any depth, without those for the type checker only."""
    tree = ast.parse(path.read_text())
    if not for_types:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return names


def in_package(imported: set[str]) -> set[str]:
    names = {name.removeprefix("bsoid_gpu.") for name in imported if name.startswith("bsoid_gpu.")}
    return names & set(MODULES)


def room(module: str) -> str:
    return module.partition(".")[0] or "__init__"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_room_imports_from_lower_layers_only(module):
    assert room(module) in LAYER, f"give {room(module)} a place in LAYERS"
    rooms = {room(other) for other in in_package(imports(MODULES[module], for_types=room(module) == "kernels"))}
    rooms -= {room(module)}
    assert {other for other in rooms if LAYER[other] >= LAYER[room(module)]} == set()
    assert not rooms & FORBIDDEN.get(room(module), set())


def test_modules_of_one_room_import_each_other_in_one_direction():
    dependencies = {module: in_package(imports(path)) - {module} for module, path in MODULES.items()}
    modules = set(MODULES) - {""}
    while modules:  # remove those that import none of the others
        ready = {module for module in modules if not dependencies[module] & modules - {room(module)}}
        assert ready, f"import cycle among {sorted(modules)}"
        modules -= ready


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_file_is_too_long(module):
    assert len(MODULES[module].read_text().splitlines()) <= MAX_LINES


def test_only_modules_named_after_cuda_import_rapids():
    rapids = {"cupy", "cudf", "cuml", "rmm"}
    importing = {
        module
        for module, path in MODULES.items()
        if {name.split(".")[0] for name in imports(path, for_types=True)} & rapids
    }
    assert {module for module in importing if not module.rpartition(".")[2].endswith("cuda")} == set()


def test_no_pickles():
    for module, path in MODULES.items():
        assert not imports(path) & {"pickle", "joblib.dump", "joblib.load", "dill", "cloudpickle"}, module


@pytest.mark.parametrize("module", ARRAY_CODE)
def test_array_code_does_not_import_numpy(module):
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


def test_public_names_can_be_used_in_any_order():
    code = (
        "import bsoid_gpu as b; b.load_model; b.build; assert callable(b.predict); [getattr(b, n) for n in b.__all__]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
