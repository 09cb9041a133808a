"""Rows of a public view as Parquet, with pyarrow: the extra ``parquet`` of the package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Final

from semantest_recorder.core.views import Kind, View, kind_of
from semantest_recorder.reports.row_forms import Value

#: Rows of a row group: what is in memory at a time.
_GROUP: Final = 20_000
_INT64: Final = range(-(2**63), 2**63)


def is_there() -> bool:
    """Whether pyarrow can be imported."""
    try:
        import pyarrow.parquet  # noqa: PLC0415
    except ImportError:
        return False
    return hasattr(pyarrow, "parquet")


def write_parquet(stream: BinaryIO, view: View, portions: Iterable[Sequence[Sequence[Value]]]) -> None:
    """Writes the rows in groups: REAL is double, INTEGER is int64, all else is text.

    A value of another kind, which only a client can have told, is NULL where a number is wanted.
    """
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = {"REAL": pa.float64(), "INTEGER": pa.int64(), "TEXT": pa.string()}
    kinds = [kind_of(column) for column in view.columns]
    schema = pa.schema([(column, types[kind]) for column, kind in zip(view.columns, kinds, strict=True)])
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:

        def write(rows: list[Sequence[Value]]) -> None:
            arrays: list[Any] = [
                pa.array([_fitting(kind, value) for value in column], field.type)
                for kind, column, field in zip(kinds, zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))

        group: list[Sequence[Value]] = []
        for rows in portions:
            group.extend(rows)
            if len(group) >= _GROUP:
                write(group)
                group = []
        if group:
            write(group)


def _fitting(kind: Kind, value: Value) -> Value:
    if value is None:
        return None
    if kind == "REAL":
        return float(value) if isinstance(value, int | float) else None
    if kind == "INTEGER":
        return value if isinstance(value, int) and value in _INT64 else None
    return value if isinstance(value, str) else str(value)
