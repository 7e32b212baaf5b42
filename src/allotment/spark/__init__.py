"""Spark: the units of a DataFrame are assigned where they lie, by the workers that read them."""

from allotment.errors import MissingExtra

try:
    import pandas as _pandas  # noqa: F401  # Spark's mapInArrow asks for its version
    import pyarrow as _pyarrow  # noqa: F401
    import pyspark as _pyspark  # noqa: F401
except ImportError as error:
    raise MissingExtra(
        f"assigning in Spark needs {error.name}: pip install 'allotment[spark]' where the driver "
        "and the workers run, and pyspark 4 where the cluster does not bring it"
    ) from error

from allotment.spark.assign import assign

__all__ = ["assign"]
