"""The same answer in every process, whatever its hash seed, and whatever the order of keys."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from random import Random

import pytest

from allotment.compile import compile_catalog
from allotment.engine import Engine
from laws.catalogs import Maker

CATALOGS = 20


def outcomes() -> str:
    """A digest of the fingerprints of some catalogs and of many answers under them."""
    told = sha256()
    for seed in range(CATALOGS):
        maker = Maker(Random(seed))
        catalog = maker.catalog()
        engine = Engine(compile_catalog(catalog))
        told.update(f"{engine.snapshot.fingerprint:x}".encode())
        for question in maker.questions(list(catalog.experiments.values()), 20):
            for key, answer in engine.assign_all(question.unit, question.attributes).items():
                told.update(f"{key} {answer.treatment} {answer.reason}\n".encode())
    return told.hexdigest()


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_another_process_with_another_hash_seed_gives_the_same_answers(hash_seed: str) -> None:
    environment = {
        **os.environ,
        "PYTHONHASHSEED": hash_seed,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    script = "from laws.test_determinism import outcomes; print(outcomes())"
    run = [sys.executable, "-c", script]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == outcomes()


def test_the_order_of_attributes_does_not_matter() -> None:
    maker = Maker(Random(7))
    catalog = maker.catalog()
    engine = Engine(compile_catalog(catalog))
    for question in maker.questions(list(catalog.experiments.values()), 100):
        turned = dict(reversed((question.attributes or {}).items()))
        given = engine.assign_all(question.unit, question.attributes)
        assert dict(engine.assign_all(question.unit, turned)) == dict(given)
