"""cuDF's tables on pandas."""

import numpy as np
import pandas as pd

from fake_rapids import allocation
from fake_rapids.contract import bind


def bodies(recorded, ledger, ndarray):
    api = recorded["api"]

    class Series:
        """Other libraries ask a loaded cuDF whether something is one."""

    class DataFrame:
        def __init__(self, *arguments, **keywords):
            given = bind(api["cudf.DataFrame"], arguments, keywords)
            data, columns, dtype = (given.get(name) for name in ("data", "columns", "dtype"))
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

        def to_cupy(self, *arguments, **keywords):
            arguments_by_name = bind(api["cudf.DataFrame.to_cupy"], arguments, keywords)
            if self._has_nulls and arguments_by_name.get("na_value") is None:
                msg = "Column must have no nulls."
                raise ValueError(msg)
            values = self._table.to_numpy(na_value=arguments_by_name.get("na_value", np.nan))
            return ndarray(np.array(values, dtype=arguments_by_name.get("dtype"), order="F"))

        def to_pandas(self, *arguments, **keywords):
            bind(api["cudf.DataFrame.to_pandas"], arguments, keywords)
            ledger.to_host.append(int(self._table.memory_usage(index=False).sum()))
            return self._table.copy()

        def __array__(self, *_, **__):
            msg = "Implicit conversion to a host NumPy array via __array__ is not allowed"
            raise TypeError(msg)

    def cudf(module):
        module.__version__ = recorded["versions"].get("cudf", recorded["versions"]["cuml"])
        module.DataFrame, module.Series = DataFrame, Series
        allocation.take_over()
        allocation.warn("cudf", FutureWarning)

    return {"cudf": cudf}
