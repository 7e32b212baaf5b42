"""What one node has said, the others say too, and so does it after it was killed."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa

from allotment.change.commands import SetWeights
from allotment.store import Store
from server.sticky.shop import SHOP, SWEDEN
from serving import Server, fill, serving

NDJSON = "application/x-ndjson"


def filled(database: str, tmp_path: Path) -> str:
    """The URL of a store with the shop's experiments."""
    file = tmp_path / "shop.yaml"
    file.write_text(SHOP)
    fill(database, file)
    return database if "://" in database else f"sqlite:///{database}"


@contextmanager
def node(folder: Path, url: str) -> Iterator[Server]:
    folder.mkdir()
    exposures = {"ALLOTMENT_EXPOSURES": "ndjson", "ALLOTMENT_EXPOSURES_DIR": "seen"}
    with serving(folder, database_url=url, env=exposures) as server:
        yield server


def weigh(store: Store, control: int) -> None:
    (allocation,) = store.catalog().experiments["first"].current.allocations
    weights = (("control", control), ("new", 100 - control))
    command = SetWeights("first", allocation.key, weights, 100)
    store.commit([command], who="test", when=datetime.now(UTC), dialect="test")


def given(client: httpx.Client, unit: str) -> tuple[str, bool]:
    body = {"unit": unit, "attributes": SWEDEN, "experiment": "first"}
    found = client.post("/v1/assign", json=body).raise_for_status().json()["assignments"]["first"]
    return found["treatment"], found["to_keep"]


def exposed(*folders: Path) -> dict[str, set[str]]:
    """The treatments that each unit was logged with."""
    seen: dict[str, set[str]] = defaultdict(set)
    for folder in folders:
        for file in (folder / "seen").glob("*.ndjson"):
            for line in map(json.loads, file.read_text().splitlines()):
                seen[line["unit"]].add(line["treatment"])
    return seen


def test_two_nodes_never_disagree(database: str, tmp_path: Path) -> None:
    """Both are asked for the same new units while the weights go to and fro."""
    url = filled(database, tmp_path)
    units = [f"u{number}" for number in range(150)]
    done = threading.Event()

    def swing() -> None:
        with Store.open(url) as store:
            for turn in range(10_000):
                weigh(store, turn % 2 * 100)
                if done.wait(0.02):
                    return

    with node(tmp_path / "one", url) as one, node(tmp_path / "two", url) as two:
        with one.client() as first, two.client() as second, ThreadPoolExecutor(3) as threads:
            swinging = threads.submit(swing)
            asked = [
                threads.submit(lambda to: [given(to, unit) for unit in units], client)
                for client in (first, second)
            ]
            answers = [each.result() for each in asked]
            done.set()
            swinging.result()
            again = [given(second, unit) for unit in units]
        one.stop()
        two.stop()
    assert not any(to_keep for each in answers for _, to_keep in each)
    assert answers[0] == answers[1] == again
    assert {treatment for treatment, _ in again} == {"control", "new"}
    treatments = dict(zip(units, ({treatment} for treatment, _ in again), strict=True))
    assert exposed(tmp_path / "one", tmp_path / "two") == treatments


def test_what_was_answered_outlives_a_crash(database: str, tmp_path: Path) -> None:
    url = filled(database, tmp_path)
    told: dict[str, str] = {}
    with node(tmp_path / "one", url) as server, Store.open(url) as store:
        for turn in range(2):
            stopped = threading.Event()

            def ask(turn: int = turn, stopped: threading.Event = stopped) -> None:
                with server.client() as client:
                    for number in range(100_000):
                        unit = f"{turn}-{number}"
                        try:
                            treatment, to_keep = given(client, unit)
                        except httpx.TransportError:
                            return
                        if not to_keep:
                            told[unit] = treatment
                        if number == 60:
                            stopped.set()

            asking = threading.Thread(target=ask)
            asking.start()
            assert stopped.wait(30)
            server.kill()
            asking.join()
            weigh(store, turn % 2 * 100)
            server.start()
        with server.client() as client:
            assert {unit: given(client, unit)[0] for unit in told} == told
    assert set(told.values()) == {"control", "new"}


def test_batches_of_every_form_keep_and_give_what_is_kept(tmp_path: Path) -> None:
    url = filled(str(tmp_path / "allotment.db"), tmp_path)
    units = [f"u{number}" for number in range(3_000)]
    with node(tmp_path / "one", url) as server, server.client() as client:
        for start in range(0, 3_000, 1_500):
            for form in (by_lines, by_document, by_arrow):
                found = form(client, units[start : start + 1_500])
                assert set(found) == {"control" if start == 0 else "new"}, form
            with Store.open(url) as store:
                weigh(store, 0)
                client.headers["allotment-min-revision"] = str(store.catalog().revision)
        for form in (by_lines, by_document, by_arrow):
            assert form(client, units) == ["control"] * 1_500 + ["new"] * 1_500
        assert given(client, "u0")[0] == "control"
        assert given(client, "u2999")[0] == "new"


def test_a_unit_that_is_twice_in_a_batch_is_kept_once(tmp_path: Path) -> None:
    url = filled(str(tmp_path / "allotment.db"), tmp_path)
    with node(tmp_path / "one", url) as server, server.client() as client:
        units = ["ann", {"user": "ann"}, None, 7, "7", ""]
        body = {"units": units, "attributes": [SWEDEN] * 6, "experiments": ["first", "plain"]}
        found = client.post("/v1/assign/batch", json=body).json()["units"]
        cells = [each["assignments"]["first"] for each in found]
        assert [(cell["treatment"], cell["reason"]) for cell in cells] == [
            ("control", "ALLOCATED"),
            ("control", "STICKY"),
            (None, "NO_UNIT"),
            ("control", "ALLOCATED"),
            ("control", "STICKY"),
            (None, "NO_UNIT"),
        ]
        assert not any("to_keep" in cell for cell in cells)


def by_document(client: httpx.Client, units: list[str]) -> list[Any]:
    body = {"units": units, "attributes": {"country": ["SE"] * len(units)}}
    found = client.post("/v1/assign/batch", json=body).raise_for_status().json()["units"]
    return [each["assignments"]["first"]["treatment"] for each in found]


def by_lines(client: httpx.Client, units: list[str]) -> list[Any]:
    lines = "\n".join(json.dumps({"unit": unit, "attributes": SWEDEN}) for unit in units)
    headers = {"content-type": NDJSON}
    answer = client.post("/v1/assign/batch", content=lines, headers=headers).raise_for_status()
    found = map(json.loads, answer.text.splitlines())
    return [each["assignments"]["first"]["treatment"] for each in found]


def by_arrow(client: httpx.Client, units: list[str]) -> list[Any]:
    table = pa.table({"unit": units, "country": ["SE"] * len(units)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    headers = {"content-type": "application/vnd.apache.arrow.stream"}
    content = sink.getvalue().to_pybytes()
    answer = client.post("/v1/assign/batch", content=content, headers=headers).raise_for_status()
    with pa.ipc.open_stream(answer.content) as reader:
        found = reader.read_all()
    assert not any(found["first.to_keep"].to_pylist())
    return found["first"].to_pylist()
