"""Every way to name a unit keeps its assignment under the same key."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from arrowtypes import BYTES, UNIT_TYPES, plain_of
from server.sticky.shop import Shop, shop

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Shop]:
    with shop(tmp_path) as made:
        yield made


def stream(batch: pa.RecordBatch) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def by_arrow(site: Shop, batch: pa.RecordBatch, accept: str = ARROW, query: str = "") -> Any:
    """The answer to a batch of the experiment `second`, which everybody takes part in."""
    path = f"/v1/assign/batch?experiment=second{query}"
    answer = site.send("POST", path, stream(batch), content_type=ARROW, accept=accept)
    assert answer.status_code == 200, answer.text
    if accept == ARROW:
        return pa.ipc.open_stream(answer.content).read_all().to_pydict()
    return answer.json()["units"]


def column_of(kind: pa.DataType, keys: list[str]) -> pa.Array:
    if pa.types.is_integer(plain_of(kind)):
        return pa.array([int(key) for key in keys], kind)
    coded = plain_of(kind) in BYTES
    return pa.array([key.encode() if coded else key for key in keys], kind)


@pytest.mark.parametrize("kind", UNIT_TYPES, ids=str)
def test_every_arrow_type_of_units_keeps_them_under_their_keys(
    site: Shop, kind: pa.DataType
) -> None:
    keys = ["7", "8", "109"]
    batch = pa.record_batch({"unit": column_of(kind, keys)})
    assert by_arrow(site, batch)["second"] == ["control"] * 3
    assert site.kept(*keys, experiment="second") == dict.fromkeys(keys, "control")
    site.weigh("second", 0)
    found = by_arrow(site, batch)
    assert found["second.reason"] == ["STICKY"] * 3
    assert found["second"] == ["control"] * 3
    # The unit is named as it came, as text where it came as bytes.
    number = pa.types.is_integer(plain_of(kind))
    assert found["unit"] == [int(key) if number else key for key in keys]
    shown = by_arrow(site, batch, "application/json")
    assert [each["unit"] for each in shown] == found["unit"]
    assert site.given("8", "second") == ("control", "STICKY", False)
