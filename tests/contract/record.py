"""Record the interfaces of a release of RAPIDS and CuPy that the CUDA backend may use.

    python record.py wheels OUT.json                    the installed packages; no GPU is needed
    python record.py sources VERSION FOLDER OUT.json    source files of the packages, laid out as in FILES
    python record.py cupy OUT.json                      the installed CuPy, added to an existing record

Release 23.12 is read from sources, since no index has its wheels, and CuPy 12.3 from its wheel.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import sys
from pathlib import Path

FILES = {
    "cuml.manifold.UMAP": "cuml/manifold/umap.pyx",
    "cuml.manifold.TSNE": "cuml/manifold/t_sne.pyx",
    "cuml.cluster.HDBSCAN": "cuml/cluster/hdbscan/hdbscan.pyx",
    "cuml.cluster.hdbscan.all_points_membership_vectors": "cuml/cluster/hdbscan/prediction.pyx",
    "cuml.neighbors.NearestNeighbors": "cuml/neighbors/nearest_neighbors.pyx",
    "cuml.ensemble.RandomForestClassifier": "cuml/ensemble/randomforestclassifier.pyx",
    "cudf.DataFrame": "cudf/core/dataframe.py",
    "cudf.DataFrame.to_cupy": "cudf/core/frame.py",
    "cudf.DataFrame.to_pandas": "cudf/core/dataframe.py",
    "rmm.reinitialize": "rmm/rmm.py",
    "rmm.allocators.cupy.rmm_cupy_allocator": "rmm/allocators/cupy.py",
}
METHODS = (
    *("fit", "fit_transform", "transform", "fit_predict", "generate_prediction_data", "kneighbors", "get_params"),
    "as_sklearn",
)
# what an estimator has from its constructor on, and the code looks for
ATTRIBUTES = {"cuml.cluster.HDBSCAN": ("_single_linkage_tree",)}
VERSIONED = ("cuml", "cudf", "rmm", "cupy", "numpy", "pandas")
CUDA = (
    "Device",
    "MemoryPool",
    "MemoryPool.malloc",
    "set_allocator",
    "memory.OutOfMemoryError",
    "runtime.CUDARuntimeError",
    "runtime.deviceSynchronize",
    "runtime.driverGetVersion",
    "runtime.getDeviceCount",
    "runtime.getDeviceProperties",
    "runtime.memGetInfo",
    "runtime.runtimeGetVersion",
)


def find(dotted):
    """Object of a dotted name, whose modules are imported; ``AttributeError`` if there is none."""
    first, *rest = dotted.split(".")
    value, path = importlib.import_module(first), first
    for part in rest:
        path = f"{path}.{part}"
        if not hasattr(value, part):  # a function may have the name of its module: the attribute comes first
            try:
                importlib.import_module(path)
            except ModuleNotFoundError as error:
                raise AttributeError(path) from error
        value = getattr(value, part)
    return value


def parameters(function):
    """``[[name, kind, default as text], ...]`` without ``self``."""
    return [
        [name, it.kind.name, None if it.default is it.empty else repr(it.default)]
        for name, it in inspect.signature(function).parameters.items()
        if name != "self"
    ]


def of_object(value, attributes=()):
    """Entry of a function, or of a class with its methods and fitted attributes, and those of ``attributes`` it has."""
    if not inspect.isclass(value):
        return {"parameters": parameters(value)}
    entry = {
        "parameters": parameters(value.__init__),
        "methods": {name: parameters(getattr(value, name)) for name in METHODS if hasattr(value, name)},
        "properties": sorted(name for name in dir(value) if name.endswith("_") and not name.startswith("_")),
    }
    return entry | ({"attributes": [name for name in attributes if hasattr(value(), name)]} if attributes else {})


def of_cupy():
    """Names in the installed CuPy, and the signatures of functions that have one."""
    cupy = importlib.import_module("cupy")

    def public(value):
        return sorted(name for name in dir(value) if not name.startswith("_"))

    signatures = {}
    for name in public(cupy):
        value = getattr(cupy, name)
        if callable(value) and not inspect.isclass(value):
            try:
                signatures[name] = parameters(value)
            except (TypeError, ValueError):
                continue  # compiled ufuncs have none
    return {
        "names": public(cupy),
        "ndarray": public(cupy.ndarray),
        "linalg": public(cupy.linalg),
        "fft": public(cupy.fft),
        "cuda": [name for name in CUDA if _has(f"cupy.cuda.{name}")],
        "signatures": signatures,
    }


def _has(dotted):
    try:
        find(dotted)
    except AttributeError:
        return False
    return True


def wheels():
    """Record of the installed packages."""
    return {
        "how": "read by inspect.signature from the installed wheels, on a machine without a GPU",
        "python": sys.version.split()[0],
        "versions": {name: importlib.import_module(name).__version__ for name in VERSIONED},
        "unrecorded": [],
        "api": {name: of_object(find(name), ATTRIBUTES.get(name, ())) for name in FILES},
        "cupy": of_cupy(),
    }


def sources(version, folder):
    """Record of a release, without CuPy, from its source files."""
    api = {}
    for name, file in FILES.items():
        text = Path(folder, file).read_text() if Path(folder, file).is_file() else ""
        entry = of_source(text, name.rpartition(".")[2], ATTRIBUTES.get(name, ()))
        if entry:
            api[name] = entry
    return {
        "how": "parameter lists read from the source files of that release; CuPy by inspect.signature from its wheel",
        "versions": dict.fromkeys(("cuml", "cudf", "rmm"), version),
        "unrecorded": sorted(set(FILES) - set(api)),
        "api": api,
    }


def of_source(text, name, attributes=()):
    """Entry of a function or class in Python or Cython source; ``None`` if it is missing."""
    defined = re.search(rf"^( *)(?:cdef )?class {name}\b", text, re.M)
    if not defined:
        listed = _definitions(text).get(name)
        return None if listed is None else {"parameters": listed}
    body = text[defined.end() :]
    after = re.search(rf"^ {{0,{len(defined[1])}}}(?:def|class|cdef|cpdef|@)\b", body, re.M)
    body = body[: after.start()] if after else body
    methods = _definitions(body)
    described = re.findall(r"^    (\w+_) = \w+\(", body, re.M)  # attributes that cuML converts to arrays
    computed = re.findall(r"@(?:cached_)?property\s+def (\w+_)\(", body)
    entry = {
        "parameters": methods["__init__"],
        "methods": {method: methods[method] for method in METHODS if method in methods},
        "properties": sorted(name for name in {*described, *computed} if not name.startswith("_")),
    }
    given = [name for name in attributes if re.search(rf"^        self\.{name} = ", body, re.M)]
    return entry | ({"attributes": given} if attributes else {})


def _definitions(text):
    """Parameter lists of all ``def`` statements by name; of several with one name, the last."""
    definitions = {}
    for match in re.finditer(r"^ *def (\w+)\(", text, re.M):
        inside, depth, end = [""], 1, match.end()
        while depth:
            char = text[end]
            depth += (char in "([{") - (char in ")]}")
            if char == "," and depth == 1:
                inside.append("")
            elif depth:
                inside[-1] += char
            end += 1
        # Cython puts a parameter's type before its name
        plain = [re.sub(r"^\s*[\w.]+\s+(?=\w+\s*(=|$))", "", part) for part in inside]
        arguments = ast.parse(f"def _({','.join(plain)}): pass").body[0].args
        definitions[match[1]] = _listed(arguments)
    return definitions


def _listed(arguments):
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    kinds = ["POSITIONAL_ONLY"] * len(arguments.posonlyargs) + ["POSITIONAL_OR_KEYWORD"] * len(arguments.args)
    listed = list(zip(positional, kinds, defaults, strict=True))
    if arguments.vararg:
        listed.append((arguments.vararg, "VAR_POSITIONAL", None))
    listed += [
        (it, "KEYWORD_ONLY", value) for it, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        listed.append((arguments.kwarg, "VAR_KEYWORD", None))
    return [
        [it.arg, kind, None if value is None else ast.unparse(value)] for it, kind, value in listed if it.arg != "self"
    ]


def dumps(value, level=0):
    """JSON with one line per name and signature."""
    if isinstance(value, dict) and level < 4 and value:
        lines = [f"{' ' * (level + 1)}{json.dumps(key)}: {dumps(it, level + 1)}" for key, it in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * level + "}"
    return json.dumps(value)


def main(arguments):
    match arguments:
        case ["wheels", out]:
            record = wheels()
        case ["sources", version, folder, out]:
            record = sources(version, folder)
        case ["cupy", out]:
            record = json.loads(Path(out).read_text())
            record["cupy"] = of_cupy()
            record["versions"]["cupy"] = importlib.import_module("cupy").__version__
        case _:
            sys.exit(__doc__)
    Path(out).write_text(dumps(record) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
