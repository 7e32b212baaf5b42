"""Catalogs as large as they may be: what waits for a change of one, and what it all costs."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from allotment.change.commands import Create
from allotment.dialects import catalogfile
from allotment.model.catalog import EMPTY
from allotment.model.experiment import Experiment
from allotment.store import Store
from rawclient import connected, get
from server.sticky.shop import SHOP
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


def test_300_snapshots_of_10000_experiments_do_not_keep_health_waiting(tmp_path: Path) -> None:
    """In a review `/healthz` waited 13.6 s. Clients that read nothing take no memory either."""
    with Store.open(str(tmp_path / "allotment.db")) as store:
        store.commit(many(10_000), who="test", when=datetime.now(UTC), dialect="test")
    with serving(tmp_path) as server, ExitStack() as opened:
        before, slowest = server.memory(), 0.0
        for _ in range(300):
            opened.enter_context(connected(server.url)).send(get("/v1/snapshot"))
        with connected(server.url) as client:
            for _ in range(200):
                began = time.monotonic()
                assert client.ask(get("/healthz")).status == 200
                slowest = max(slowest, time.monotonic() - began)
                time.sleep(0.02)
        print(
            f"the slowest /healthz took {slowest:.2f} s, {server.memory() - before >> 20} MiB more"
        )
        assert slowest < 2.0
        assert server.memory() - before < 500 << 20


def test_a_server_takes_a_hundred_thousand_experiments(tmp_path: Path) -> None:
    """The bounds of memory and of a change are twice the figures of docs/production.md."""
    with Store.open(str(tmp_path / "allotment.db")) as store:
        store.commit(many(100_000), who="test", when=datetime.now(UTC), dialect="test")
    with serving(tmp_path, patience=300) as server, server.client() as client:
        flag = {"variations": {"on": True, "off": False}, "default": "off"}
        began = time.monotonic()
        revision = int(client.put("/v1/catalog/flags/f", json=flag).headers["allotment-revision"])
        assert time.monotonic() - began < 1.0
        body = {"unit": "u", "experiment": "e99999"}
        answer = client.post("/v1/assign", json=body).raise_for_status().json()
        assert answer["revision"] == revision
        assert answer["assignments"]["e99999"]["treatment"] in {"control", "new"}
        assert server.memory() < 1600 << 20
