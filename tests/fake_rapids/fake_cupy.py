"""CuPy on the host: its arrays are not NumPy's, and only ``asarray`` and ``asnumpy`` convert between the two."""

import importlib
import operator
from types import SimpleNamespace

import numpy as np

from fake_rapids.allocation import MemoryPool, warn
from fake_rapids.contract import bind

REVERSED = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
OPERATORS = [*REVERSED, "eq", "ne", "lt", "le", "gt", "ge"]
REFUSED = ["float", "int", "bool", "index", "complex", "iter", "array", "contains", "dlpack"]
PARTS = ("cupy.cuda", "cupy.cuda.device", "cupy.cuda.memory", "cupy.linalg", "cupy.fft")
PASSED = {"dtype", "issubdtype", "finfo", "iinfo", "result_type", "can_cast", "promote_types", "isscalar", "ndim"}


class OutOfMemoryError(MemoryError):
    """CuPy's."""


class Device:
    """The one device, also as a context."""

    def __init__(self, device=None):
        self.id = 0

    def __eq__(self, other):
        return isinstance(other, Device)

    __hash__ = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def array_class(ledger, memory):
    """The class of the device arrays; a new one each time, since array_api_compat remembers classes."""

    class ndarray:
        __array_priority__ = 100
        __array_ufunc__ = None  # NumPy leaves operators to this class
        __hash__ = None

        def __init__(self, values):
            self._values = np.asarray(values)
            if self._values.base is None:  # not a view of another array
                memory.array(self._values.nbytes)

        shape = property(lambda self: self._values.shape)
        dtype = property(lambda self: self._values.dtype)
        ndim = property(lambda self: self._values.ndim)
        size = property(lambda self: self._values.size)
        nbytes = property(lambda self: self._values.nbytes)
        flags = property(lambda self: self._values.flags)
        device = property(lambda self: Device())
        T = property(lambda self: ndarray(self._values.T))

        def __len__(self):
            return len(self._values)

        def __getitem__(self, key):
            return ndarray(self._values[unwrap(key)])

        def __setitem__(self, key, value):
            self._values[unwrap(key)] = unwrap(value)

        def __iadd__(self, other):
            self._values += unwrap(other)
            return self

        def __neg__(self):
            return ndarray(-self._values)

        def __invert__(self):
            return ndarray(~self._values)

        def __abs__(self):
            return ndarray(abs(self._values))

        def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
            values = self._values.astype(dtype, order=order, copy=copy)
            return self if values is self._values else ndarray(values)

        def sum(self, axis=None, dtype=None, out=None, keepdims=False):
            return ndarray(self._values.sum(axis=axis, dtype=dtype, keepdims=keepdims))

        def copy(self, order="C"):
            return ndarray(self._values.copy(order=order))

        def get(self, stream=None, order="C", out=None, blocking=True):
            ledger.to_host.append(self.nbytes)
            return self._values.copy()

    def unwrap(value):
        if isinstance(value, ndarray):
            return value._values
        if isinstance(value, np.ndarray):
            msg = "Unsupported type <class 'numpy.ndarray'>"
            raise TypeError(msg)
        if isinstance(value, tuple | list):
            return type(value)(map(unwrap, value))
        return value

    def refuse(name):
        def refused(self, *_, **__):
            msg = f"{name} of a device array: it would silently wait for the device"
            raise TypeError(msg)

        return refused

    def of(function, swap=False):
        def apply(self, other):
            left, right = (other, self) if swap else (self, other)
            return ndarray(function(unwrap(left), unwrap(right)))

        return apply

    for name in OPERATORS:
        function = getattr(operator, f"{name}_" if name in ("and", "or") else name)
        setattr(ndarray, f"__{name}__", of(function))
        if name in REVERSED:
            setattr(ndarray, f"__r{name}__", of(function, swap=True))
    for name in REFUSED:
        setattr(ndarray, f"__{name}__", refuse(f"__{name}__"))
    ndarray.__module__, ndarray.__qualname__ = "cupy", "ndarray"
    return ndarray, unwrap


def bodies(recorded, ledger, memory, ndarray, unwrap):
    """Bodies of the modules by name, with the names that the release has."""

    def wrapped(value):
        if isinstance(value, np.ndarray | np.generic):
            return ndarray(value)
        if isinstance(value, tuple) and any(isinstance(part, np.ndarray | np.generic) for part in value):
            return tuple(map(wrapped, value))
        return value

    signatures = recorded["cupy"]["signatures"]

    def on_device(function, name=""):
        def call(*arguments, **keywords):
            if name in signatures:
                bind({"parameters": signatures[name]}, arguments, keywords)
            return wrapped(function(*unwrap(arguments), **{name: unwrap(value) for name, value in keywords.items()}))

        call.__name__ = getattr(function, "__name__", "function")
        return call

    def asarray(a, dtype=None, order=None, *, blocking=False):
        if isinstance(a, ndarray):
            values = np.asarray(a._values, dtype=dtype, order=order)
            return a if values is a._values else ndarray(values)
        values = np.array(a, dtype=dtype, order=order)
        ledger.to_device.append(values.nbytes)
        return ndarray(values)

    def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
        return asarray(obj, dtype).copy() if copy else asarray(obj, dtype)

    def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
        if not isinstance(a, ndarray):
            return np.asarray(a)
        return a.get()

    def ascontiguousarray(a, dtype=None):
        return asarray(a, dtype, order="C")

    def cupy(module):
        module.__version__ = recorded["versions"]["cupy"].lstrip(">=")
        for name in recorded["cupy"]["names"]:
            if hasattr(np, name):
                value = getattr(np, name)
                passed = not callable(value) or isinstance(value, type) or name in PASSED
                setattr(module, name, value if passed else on_device(value, name))
        for function in (asarray, array, asnumpy, ascontiguousarray):
            setattr(module, function.__name__, function)
        module.ndarray, module.newaxis = ndarray, None
        module.get_default_memory_pool = lambda: memory.default_pool
        warn("cupy", DeprecationWarning)
        for name in PARTS:
            importlib.import_module(name)

    def cuda(module):
        module.runtime = SimpleNamespace(
            getDeviceCount=lambda: 1,
            getDeviceProperties=lambda device: dict(ledger.card),
            memGetInfo=lambda: (ledger.free_bytes, ledger.card["totalGlobalMem"]),
            driverGetVersion=lambda: 12040,
            runtimeGetVersion=lambda: 12020,
            deviceSynchronize=lambda: None,
        )
        module.Device, module.MemoryPool = Device, MemoryPool
        module.set_allocator, module.get_allocator = memory.set_allocator, memory.get_allocator

    def device(module):
        module.Device = Device

    def errors(module):
        module.OutOfMemoryError, module.MemoryPool = OutOfMemoryError, MemoryPool

    def part(module):
        name = module.__name__.rpartition(".")[2]
        for function in recorded["cupy"][name]:
            if callable(getattr(getattr(np, name), function, None)):
                setattr(module, function, on_device(getattr(getattr(np, name), function)))

    return {"cupy": cupy} | dict(zip(PARTS, (cuda, device, errors, part, part), strict=True))


def replace_layout(monkeypatch, ndarray):
    """The layout of UMAP on the device by the host's kernel: kernels of numba.cuda cannot run here at any size."""
    from bsoid_gpu.kernels import umap_layout

    try:
        module = importlib.import_module("bsoid_gpu.kernels.umap_layout_cuda")
    except ImportError:
        return

    def layout(positions, *arguments, threads_per_block=None, **keywords):
        assert isinstance(positions, ndarray), "expected a device array"
        for epoch, values in umap_layout.layout(positions._values, *arguments, **keywords):
            yield epoch, ndarray(values)

    monkeypatch.setattr(module, "layout", layout)
