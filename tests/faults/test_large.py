"""Catalogs as large as they may be: what waits for a change of one, and what it all costs."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.change.commands import Create
from allotment.dialects import catalogfile
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Experiment
from allotment.store import Store
from assigning.keeping import SHOP
from serving import fill, serving

pytestmark = pytest.mark.soak


def many(count: int) -> list[Create]:
    """Commands that bring in so many running experiments of two treatments."""
    text = "allotment: 1\nexperiments:\n" + "".join(
        f"  e{number}: {{state: running, treatments: {{control: {{control: true}}, new: {{}}}},"
        " allocations: [{weights: {control: 50, new: 50}}]}\n"
        for number in range(count)
    )
    return [
        command
        for command in catalogfile.read(text.encode(), EMPTY, {}.__getitem__)
        if isinstance(command, Create) and isinstance(command.noun, Experiment)
    ]


def test_every_new_unit_is_kept_while_twenty_thousand_experiments_are_applied(
    tmp_path: Path,
) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    database = str(tmp_path / "allotment.db")
    fill(database, file)
    commands = many(20_000)
    done = threading.Event()

    def apply() -> None:
        with Store.open(database) as store:
            store.commit(commands, who="test", when=datetime.now(UTC), dialect="test")
        done.set()

    with serving(tmp_path, database_url=database) as server, server.client() as client:
        applying = threading.Thread(target=apply)
        applying.start()
        answers, began = [], time.monotonic()
        while not done.is_set():
            body = {"unit": f"u{len(answers)}", "experiment": "second"}
            asked = client.post("/v1/assign", json=body).raise_for_status()
            answers.append(asked.json()["assignments"]["second"]["to_keep"])
        applying.join()
        print(f"{len(answers)} new units in {time.monotonic() - began:.1f} s of applying")
        assert len(answers) > 100
        assert answers.count(True) == 0
