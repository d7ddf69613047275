"""Linux without what another system lacks, as this package sees it; the libraries that it uses see all of Linux."""

import os

ABSENT = {"fcntl", "resource", "pwd", "grp", "posix", "syslog", "termios"}
LACKING = {
    "Windows": {
        "os": ["fork", "sched_getaffinity", "getuid", "killpg", "WNOHANG"],
        "signal": ["SIGUSR1", "SIGKILL", "SIGALRM", "SIGHUP", "setitimer", "ITIMER_REAL", "pthread_sigmask"],
        "mmap": ["MADV_DONTNEED"],
        "errno": ["EDQUOT"],
    },
    "macOS": {"os": ["sched_getaffinity"]},
}
# Python runs it at the start of every process, and so in workers too
SITECUSTOMIZE = """
import builtins, importlib, types

ABSENT, LACKING, WINDOWS = {absent}, {lacking}, {windows}

class Library:
    # what ctypes gives as the library of None, without prctl
    pass

def load(name, *args, **kwargs):
    if name is None and WINDOWS:
        raise TypeError("expected a name")
    return Library() if name is None else importlib.import_module("ctypes").CDLL(name, *args, **kwargs)

def without(name, names):
    module = types.ModuleType(name)
    whole = vars(importlib.import_module(name))
    vars(module).update({{key: value for key, value in whole.items() if key not in names}})
    return module

modules = {{name: without(name, names) for name, names in LACKING.items()}}
modules["ctypes"] = without("ctypes", ["CDLL"])
modules["ctypes"].CDLL = load
plain_import = builtins.__import__

def lacking_import(name, globals=None, locals=None, fromlist=(), level=0):
    package = ((globals or {{}}).get("__package__") or "").partition(".")[0]
    if package == "bsoid_gpu" and level == 0:
        if name in ABSENT:
            raise ImportError(name)
        if name in modules:
            return modules[name]
    return plain_import(name, globals, locals, fromlist, level)

builtins.__import__ = lacking_import
"""


def environment(folder, system):
    """The environment of a process that lacks what a system lacks; the folder keeps a file for it."""
    if system == "Linux":
        return None
    windows = system == "Windows"
    text = SITECUSTOMIZE.format(absent=ABSENT if windows else set(), lacking=LACKING[system], windows=windows)
    (folder / "sitecustomize.py").write_text(text)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
