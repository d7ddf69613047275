"""cuDF's tables on pandas, and its reader, as lenient and as inexact as cuDF's."""

import numpy as np
import pandas as pd

from fake_rapids import allocation
from fake_rapids.contract import bind

EXACT = {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}  # newer ones always are


def bodies(recorded, ledger, ndarray):
    api = recorded["api"]

    class Series:
        def __init__(self, values):
            self._values = values
            self.dtype = values.dtype

        def isnull(self):
            return Series(self._values.isnull())

        def all(self):
            return bool(self._values.all())

    class DataFrame:
        def __init__(self, data=None, index=None, columns=None, dtype=None):
            self._has_nulls = isinstance(data, pd.DataFrame) and bool(data.isnull().to_numpy().any())
            if isinstance(data, ndarray):  # its NaN are no nulls
                assert data.ndim == 2, "expected a matrix"
                data = ndarray(data._values.copy(order="F"))._values  # a table has a column after the other
            if isinstance(data, dict):
                data = {name: self._column(values) for name, values in data.items()}
            self._table = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data, columns=columns, dtype=dtype)

        def _column(self, values):
            if isinstance(values, ndarray):
                assert values.ndim == 1, "expected a column"
                return values._values.copy()
            ledger.to_device.append(np.asarray(values).nbytes)
            return values

        columns = property(lambda self: self._table.columns)
        shape = property(lambda self: self._table.shape)

        def __len__(self):
            return len(self._table)

        def __getitem__(self, name):
            return Series(self._table[name])

        def astype(self, dtype):
            return DataFrame(self._table.astype(dtype))

        def to_cupy(self, *arguments, **keywords):
            arguments_by_name = bind(api["cudf.DataFrame.to_cupy"], arguments, keywords)
            if self._has_nulls and arguments_by_name.get("na_value") is None:
                msg = "Column must have no nulls."
                raise ValueError(msg)
            values = self._table.to_numpy(na_value=arguments_by_name.get("na_value", np.nan))
            return ndarray(np.array(values, dtype=arguments_by_name.get("dtype"), order="F"))

        def to_pandas(self):
            ledger.to_host.append(int(self._table.memory_usage(index=False).sum()))
            return self._table.copy()

        def __array__(self, *_, **__):
            msg = "Implicit conversion to a host NumPy array via __array__ is not allowed"
            raise TypeError(msg)

    def read_csv(*arguments, **keywords):
        arguments_by_name = bind(api["cudf.read_csv"], arguments, keywords)
        ledger.called("cudf.read_csv", arguments_by_name)
        data = arguments_by_name.pop("filepath_or_buffer")
        ledger.to_device.append(len(data.getvalue()))
        table = pd.read_csv(data, low_memory=False, **EXACT, **arguments_by_name)
        data.seek(0)
        cells = pd.read_csv(data, low_memory=False, **arguments_by_name, dtype=str)
        for name in table.select_dtypes(float):
            table[name] = cells[name].map(digit_by_digit, na_action="ignore").astype(float)
        # columns without names are called "0", "1", ...
        return DataFrame(table.set_axis(map(str, table.columns), axis=1))

    def cudf(module):
        module.__version__ = recorded["versions"].get("cudf", recorded["versions"]["cuml"])
        module.read_csv, module.DataFrame, module.Series = read_csv, DataFrame, Series
        allocation.take_over()
        allocation.warn("cudf", FutureWarning)

    return {"cudf": cudf}


def digit_by_digit(cell):
    """A number, its decimal digits added up in double: not the double nearest to the text."""
    number, _, exponent = cell.strip().lower().partition("e")
    whole, _, decimals = number.lstrip("+-").partition(".")
    if not (whole + decimals).isdigit():
        return float(cell)
    value, place = 0.0, 1.0
    for digit in whole:
        value = value * 10 + int(digit)
    for digit in decimals:
        place /= 10
        value += int(digit) * place
    return (-value if number.startswith("-") else value) * 10.0 ** int(exponent or 0)
