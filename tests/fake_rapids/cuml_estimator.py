"""What the stand-ins of cuML's estimators share: recorded signatures, and input as strict as a device."""

import numpy as np

from fake_rapids.contract import bind, signature


class Library:
    """A release of cuML: its recorded interface, the ledger, and the class of its arrays."""

    def __init__(self, recorded, ledger, ndarray):
        self.api, self.ledger, self.ndarray = recorded["api"], ledger, ndarray
        self.version = recorded["versions"]["cuml"]
        self.release = tuple(int(part) for part in self.version.split(".")[:2])

    def estimator(self, name, methods):
        """A class with the recorded constructor; its other methods have the recorded signatures too."""
        entry, ledger = self.api[name], self.ledger

        def construct(self, *arguments, **keywords):
            self.parameters = bind(entry, arguments, keywords)
            ledger.called(name, self.parameters)

        def checked(method, recorded_method):
            def call(self, *arguments, **keywords):
                parameters = bind({"parameters": recorded_method}, arguments, keywords)
                ledger.called(f"{name}.{method.__name__}", parameters)
                return method(self, **parameters)

            return call

        body = {
            key: checked(value, entry["methods"][key]) if key in entry["methods"] else value
            for key, value in methods.items()
        }
        body |= {"__init__": construct, "__signature__": signature(entry["parameters"])}
        return type(name.rpartition(".")[2], (), body)

    def values(self, X):
        """The values of a matrix on the device, whose type and layout need no conversion."""
        assert isinstance(X, self.ndarray), "expected a device array"
        assert X.dtype == np.float32
        assert X.ndim == 2
        assert X.flags.c_contiguous
        return X._values
