"""A store that was written before answers today what it answered then."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from laws.views.world import differences
from store.lived import answers, served

LIVED = Path(__file__).parent / "lived"
LINES = (LIVED / "answers.ndjson").read_text().splitlines()
THEN: dict[str, Any] = {name: each for line in LINES for name, each in json.loads(line).items()}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "allotment.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((LIVED / "store.sql").read_text())
    return path


def test_every_revision_has_the_same_catalog_and_the_same_assignments(database: Path) -> None:
    now = json.loads(json.dumps(answers(database)))
    assert list(differences(THEN["answers"], now)) == []
    assert len([name for name in now if name.startswith("assignments")]) > 30


def test_every_api_shows_the_same_and_sticky_assignments_stick(database: Path) -> None:
    assert list(differences(THEN["served"], served(database))) == []
    assert {reason for _, reason in THEN["served"]["sticky"]} == {"STICKY"}
