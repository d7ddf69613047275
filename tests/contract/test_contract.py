"""The two records, for the calls of the CUDA backend."""

import ast
import json
from pathlib import Path

import array_api_compat
import fake_rapids
import pytest
import record
import uses
from fake_rapids import contract

RELEASES = ["23.12", "26.10"]
RECORDED = {name: json.loads(Path(__file__).with_name(f"rapids-{name}.json").read_text()) for name in RELEASES}
OLD, NEW = (RECORDED[name] for name in RELEASES)


def names(release, entry, method=None):
    recorded = RECORDED[release]["api"][entry]
    return [name for name, _, _ in (recorded["methods"][method] if method else recorded["parameters"])]


@pytest.mark.parametrize("release", RELEASES)
def test_a_record_lists_every_entry_as_recorded_or_unrecorded(release):
    recorded = RECORDED[release]
    assert set(recorded["api"]) | set(recorded["unrecorded"]) == set(record.FILES)
    assert {"cuml", "cudf", "rmm", "cupy"} <= set(recorded["versions"])
    assert set(recorded["cupy"]["cuda"]) == set(record.CUDA)
    assert record.dumps(recorded) + "\n" == Path(__file__).with_name(f"rapids-{release}.json").read_text()


def test_differences_between_the_releases_that_matter():
    for entry in ("cuml.manifold.UMAP", "cuml.cluster.HDBSCAN", "cuml.ensemble.RandomForestClassifier"):
        assert "handle" in names("23.12", entry)
        assert "handle" not in names("26.10", entry)
    new = {"build_algo", "build_kwds", "device_ids", "force_serial_epochs"}
    assert set(names("26.10", "cuml.manifold.UMAP")) - set(names("23.12", "cuml.manifold.UMAP")) == new
    assert "connectivity" in set(names("23.12", "cuml.cluster.HDBSCAN")) - set(names("26.10", "cuml.cluster.HDBSCAN"))
    for entry, method in (("cuml.manifold.UMAP", "fit_transform"), ("cuml.cluster.HDBSCAN", "fit")):
        assert "convert_dtype" in names("23.12", entry, method)
        assert "convert_dtype" not in names("26.10", entry, method)
    assert "copy" in set(names("26.10", "cudf.DataFrame")) - set(names("23.12", "cudf.DataFrame"))
    asarray = {name: [it for it, _, _ in RECORDED[name]["cupy"]["signatures"]["asarray"]] for name in RELEASES}
    assert asarray == {"23.12": ["a", "dtype", "order"], "26.10": ["a", "dtype", "order", "copy", "blocking"]}


def test_where_each_release_has_hdbscans_tree():
    old, new = (recorded["api"]["cuml.cluster.HDBSCAN"] for recorded in (OLD, NEW))
    arrays = {"children_", "lambdas_", "sizes_"}
    assert arrays <= set(old["properties"])
    assert old["attributes"] == []
    assert arrays.isdisjoint(new["properties"])
    assert new["attributes"] == ["_single_linkage_tree"]


def test_only_the_newer_release_gives_its_forest_to_scikit_learn():
    entry = "cuml.ensemble.RandomForestClassifier"
    assert ["as_sklearn" in recorded["api"][entry]["methods"] for recorded in (OLD, NEW)] == [False, True]


@pytest.mark.parametrize("release", RELEASES)
def test_neighbours_and_allocators_are_asked_for_as_both_releases_take_it(release):
    api, cupy = RECORDED[release]["api"], RECORDED[release]["cupy"]
    nearest = api["cuml.neighbors.NearestNeighbors"]
    contract.bind(nearest, (), {"n_neighbors": 5, "algorithm": "brute", "metric": "euclidean", "output_type": "cupy"})
    for method in ("fit", "kneighbors"):
        contract.bind({"parameters": nearest["methods"][method]}, ("X",), {})
    contract.bind(api["rmm.reinitialize"], (), {"pool_allocator": True, "initial_pool_size": 256})
    assert {"MemoryPool.malloc", "set_allocator"} <= set(cupy["cuda"])
    assert "get_default_memory_pool" in cupy["names"]


@pytest.mark.parametrize("release", RELEASES)
def test_cupy_or_array_api_compat_has_every_function_of_the_array_code(release):
    cupy = RECORDED[release]["cupy"]
    source = ast.parse((Path(array_api_compat.__file__).parent / "cupy" / "_aliases.py").read_text())
    supplied = {node.name for node in ast.walk(source) if isinstance(node, ast.FunctionDef)}
    supplied |= {node.id for node in ast.walk(source) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    offered = supplied | set(cupy["names"]) | {f"linalg.{name}" for name in cupy["linalg"]}
    assert {name: where for name, where in uses.array_functions().items() if name not in offered} == {}


def test_sources_give_the_same_record_as_inspect():
    cython = """
cdef class _State:
    def fit(self, wrong): pass

class Estimator(Base):
    labels_ = ReflectedAttr()

    def __init__(self, *, size=5, handle=None,
                 method='eom'):
        cdef int n = <int> size
        self._made = None

    @property
    def tree_(self): pass

    def fit(self, X, y=None, *, knn=(1, 2), **more) -> "Estimator": pass

def vectors(clusterer, int batch_size=4096): pass
"""
    assert record.of_source(cython, "Estimator", ("_made", "_other")) == {
        "parameters": [
            ["size", "KEYWORD_ONLY", "5"],
            ["handle", "KEYWORD_ONLY", "None"],
            ["method", "KEYWORD_ONLY", "'eom'"],
        ],
        "methods": {
            "fit": [
                ["X", "POSITIONAL_OR_KEYWORD", None],
                ["y", "POSITIONAL_OR_KEYWORD", "None"],
                ["knn", "KEYWORD_ONLY", "(1, 2)"],
                ["more", "VAR_KEYWORD", None],
            ]
        },
        "properties": ["labels_", "tree_"],
        "attributes": ["_made"],
    }
    parameters = [["clusterer", "POSITIONAL_OR_KEYWORD", None], ["batch_size", "POSITIONAL_OR_KEYWORD", "4096"]]
    assert record.of_source(cython, "vectors") == {"parameters": parameters}
    assert record.of_source(cython, "absent") is None


@pytest.mark.filterwarnings("ignore")  # raised by the imports
@pytest.mark.parametrize("release", RELEASES)
def test_arrays_of_the_stand_ins_offer_nothing_that_the_release_does_not(release, monkeypatch):
    fake_rapids.install(monkeypatch, release)
    offered = {name for name in dir(record.find("cupy.ndarray")) if not name.startswith("_")}
    assert offered <= set(RECORDED[release]["cupy"]["ndarray"])
