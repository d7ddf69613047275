"""Imports of the stand-ins: a module is made when it is imported, with the effects and warnings of the real import."""

import importlib.machinery
import sys

import array_api_compat

PACKAGES = ("cupy", "cudf", "cuml", "rmm")
OPTIONAL = "hdbscan"  # cuML's plots need it, and neither its recipes nor its images bring it


class Finder:
    """Finds the stand-ins before anything installed; ``bodies`` are functions that fill a module, by its name."""

    def __init__(self, bodies):
        self.bodies = bodies

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if name in self.bodies else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        self.bodies[module.__name__](module)


def replace(monkeypatch, bodies, *, with_hdbscan):
    """Replace all modules of RAPIDS, so that none is imported yet; the package hdbscan can be missing."""

    def forget(name):
        monkeypatch.setitem(sys.modules, name, None)  # what is imported later goes when the test ends
        del sys.modules[name]

    for name in {*sys.modules, *bodies}:
        if name.split(".")[0] in PACKAGES or name.startswith("array_api_compat.cupy"):
            forget(name)
    monkeypatch.delattr(array_api_compat, "cupy", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder(bodies), *sys.meta_path])
    if not with_hdbscan:
        monkeypatch.setitem(sys.modules, OPTIONAL, None)
