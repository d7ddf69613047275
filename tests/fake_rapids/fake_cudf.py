"""cuDF's reader on pandas, as lenient as cuDF is."""

from types import ModuleType

import numpy as np
import pandas as pd

from fake_rapids.contract import bind

EXACT = {"float_precision": "round_trip"} if int(pd.__version__.split(".")[0]) < 3 else {}  # newer ones always are


def modules(recorded, ledger, cupy):
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
        def __init__(self, table):
            self._table = table
            self.columns = table.columns

        def __getitem__(self, name):
            return Series(self._table[name])

        def astype(self, dtype):
            return DataFrame(self._table.astype(dtype))

        def to_cupy(self, *arguments, **keywords):
            arguments_by_name = bind(api["cudf.DataFrame.to_cupy"], arguments, keywords)
            if self._table.isnull().to_numpy().any() and arguments_by_name.get("na_value") is None:
                msg = "Column must have no nulls."
                raise ValueError(msg)
            return cupy.ndarray(self._table.to_numpy(dtype=float, na_value=arguments_by_name.get("na_value", np.nan)))

    def read_csv(*arguments, **keywords):
        arguments_by_name = bind(api["cudf.read_csv"], arguments, keywords)
        ledger.called("cudf.read_csv", arguments_by_name)
        data = arguments_by_name.pop("filepath_or_buffer")
        ledger.to_device.append(len(data.getvalue()))
        table = pd.read_csv(data, low_memory=False, **EXACT, **arguments_by_name)
        return DataFrame(
            table.set_axis(map(str, table.columns), axis=1)
        )  # columns without names are called "0", "1", ...

    cudf = ModuleType("cudf")
    cudf.__version__ = recorded["versions"].get("cudf", recorded["versions"]["cuml"])
    cudf.read_csv, cudf.DataFrame, cudf.Series = read_csv, DataFrame, Series
    return {"cudf": cudf}
