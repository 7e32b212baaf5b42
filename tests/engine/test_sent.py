"""An engine in another process: nothing of it depends on this one's salt for hashes."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import cloudpickle
import pytest

import allotment
import nouns
from allotment.compile import compile_catalog
from allotment.model.segment import Clause, Operator, Segment

KEYS = [f"checkout-{number}" for number in range(40)]
UNITS = [f"user-{number}" for number in range(50)]
ROW = {"country": "SE"}
ENGINE = allotment.load(
    nouns.catalog(
        Segment("nordic", rules=(Clause(("country",), Operator.IN, ("SE",)),)),
        *(nouns.experiment(key, nouns.iteration(audience="nordic")) for key in KEYS),
    )
)

# What the other process does: it reads something from the first and answers from it.
ANSWER = """
import pickle, sys
import allotment
sent, keys, units, row = pickle.loads(sys.stdin.buffer.read())
engine = sent
if isinstance(sent, allotment.Catalog):
    engine = allotment.load(sent)
elif isinstance(sent, allotment.compile.snapshot.Snapshot):
    engine = allotment.Engine(sent)
assign = engine.assign if isinstance(engine, allotment.Engine) else sent
found = [assign(key, unit, row) for key in keys for unit in units]
sys.stdout.buffer.write(pickle.dumps((found, hash("a text"))))
"""

SENT: dict[str, Callable[[], object]] = {
    "engine": lambda: ENGINE,
    "catalog": lambda: ENGINE.catalog,
    "snapshot": lambda: ENGINE.snapshot,
    "method": lambda: ENGINE.assign,
    "function that closes over an engine": lambda: lambda key, *rest: ENGINE.assign_all(*rest)[key],
}


def expected() -> list[allotment.Assignment]:
    return [ENGINE.assign(key, unit, ROW) for key in KEYS for unit in UNITS]


def elsewhere(sent: object, hash_seed: int) -> tuple[list[allotment.Assignment], int]:
    """What another process answers, and a hash that shows its salt."""
    done = subprocess.run(
        [sys.executable, "-c", ANSWER],
        input=cloudpickle.dumps((sent, KEYS, UNITS, ROW)),
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: tuple[list[allotment.Assignment], int] = pickle.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", SENT)
def test_what_is_sent_to_a_process_with_another_salt_answers_the_same(name: str) -> None:
    found, salt = elsewhere(SENT[name](), hash_seed=12_345)
    assert salt != hash("a text")
    assert found == expected()


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy])
def test_a_copy_of_an_engine_answers_the_same_and_follows_nobody(made: Any) -> None:
    copied = made(ENGINE)
    assert [copied.assign(key, unit, ROW) for key in KEYS for unit in UNITS] == expected()
    assert copied.snapshot.fingerprint == ENGINE.snapshot.fingerprint
    copied.publish(compile_catalog(nouns.catalog()))
    assert [ENGINE.assign(key, unit, ROW) for key in KEYS for unit in UNITS] == expected()


def test_a_catalog_that_was_sent_can_be_changed() -> None:
    read = pickle.loads(pickle.dumps(ENGINE.catalog))
    assert read == ENGINE.catalog
    changed = read.experiments.change({KEYS[0]: None})
    assert (len(changed), KEYS[0] in changed) == (len(KEYS) - 1, False)
