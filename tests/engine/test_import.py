"""What a program imports that only asks for single answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

import allotment
from serving import SHOP

# It has a value of each kind that the kernel leaves to Python, none of numpy's.
ASKING = """
import datetime, decimal, sys, uuid
import allotment
engine = allotment.load({file!r})
told = {{"country": decimal.Decimal(1), "id": uuid.UUID(int=1), "at": datetime.date(2026, 1, 1),
        "more": {{"a": b"x"}}, "tags": {{"a"}}, "n": None}}
print(len(engine.assign_all("user-1", told)), *engine.catalog.experiments)
for key in engine.catalog.experiments:
    engine.assign(key, uuid.UUID(int=2), told), engine.explain(key, "user-1", told)
print("numpy" in sys.modules)
engine.assign_table(["user-1"])
print("numpy" in sys.modules)
"""

# What is read before numpy is there is read alike after it.
READING = """
from allotment.values import plain
before = [plain(each) for each in (1.5, b"x", {"a"}, {"a": 1}, object())]
import numpy as np
assert before == [plain(each) for each in (1.5, b"x", {"a"}, {"a": 1}, object())]
print(*map(repr, map(plain, (np.bool_(1), np.float32(0.5), np.int8(7), np.datetime64("NaT"),
                             np.timedelta64(1, "s"), np.array(["a", "b"]).tolist(), np.array(3)))))
"""


def test_only_a_batch_imports_numpy() -> None:
    code = ASKING.format(file=str(SHOP))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    counted, *imported = done.stdout.splitlines()
    assert int(counted.split()[0]) == len(counted.split()) - 1 > 0
    assert imported == ["False", "True"]


def test_values_of_numpy_are_read_once_numpy_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-c", READING], capture_output=True, text=True, check=True
    )
    opaque = "<Opaque.OPAQUE: 'opaque'>"
    assert done.stdout.strip() == f"True 0.5 7 None {opaque} ['a', 'b'] 3"


@pytest.mark.parametrize("name", allotment.__all__)
def test_every_name_is_there_and_listed(name: str) -> None:
    assert hasattr(allotment, name)
    assert name in dir(allotment)
