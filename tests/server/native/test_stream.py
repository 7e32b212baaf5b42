"""`/v1/stream`: a client that follows is told of each revision, whatever the others do."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.store import Store
from crowd import STREAM, Crowd, Reader
from rawclient import connected, get
from serving import SHOP, Server, serving

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("stream"), catalog=SHOP) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


@pytest.fixture
def crowd(server: Server) -> Iterator[Crowd]:
    with Crowd(server.url) as made:
        yield made


def request(**headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    return STREAM[:-2] + "".join(lines).encode() + b"\r\n"


def rename(client: httpx.Client, name: str, key: str = "button") -> int:
    """Publish a revision; its number."""
    command = {"is": "Rename", "kind": "flag", "key": key, "name": name}
    done = client.post("/v1/commands", json={"commands": [command]})
    assert done.status_code == 200, done.text
    revision: int = done.json()["revision"]
    return revision


def events(reader: Reader) -> list[dict[str, Any]]:
    return [
        json.loads(line.removeprefix(b"data: "))
        for line in bytes(reader.got).split(b"\n")
        if line.startswith(b"data: ")
    ]


def test_a_stream_says_at_once_what_is_served_and_then_what_was_touched(
    client: httpx.Client, crowd: Crowd
) -> None:
    reader = crowd.open()
    crowd.read_until(lambda each: each.revisions)
    head = bytes(reader.got).partition(b"\r\n\r\n")[0].decode().lower()
    for line in ("text/event-stream", "cache-control: no-store", "x-accel-buffering: no"):
        assert line in head
    retry = int(bytes(reader.got).partition(b"retry: ")[2].split(b"\n")[0])
    assert 1_000 <= retry <= 10_000
    (first,) = events(reader)
    known = client.get("/v1/changes").json()
    assert first == {
        "space": "default/production",
        "revision": known["revision"],
        "lineage": known["lineage"],
        "touched": None,
    }
    assert f"id: {known['revision']}-{known['lineage']}\n".encode() in reader.got
    assert b"event: revision\n" in reader.got
    for name in ("one", "two"):
        revision = rename(client, name)
        crowd.read_until(lambda each: each.revisions[-1] == revision)  # noqa: B023
        others: dict[str, list[str]] = {f"{kind}s": [] for kind in ("segment", "layer", "holdout")}
        touched = {**others, "flags": ["button"], "experiments": []}
        assert events(reader)[-1]["touched"] == touched
    assert reader.revisions == [revision - 2, revision - 1, revision]


def test_a_client_that_comes_again_is_told_what_it_has_missed(
    client: httpx.Client, crowd: Crowd
) -> None:
    watching = crowd.open()
    crowd.read_until(lambda each: each.revisions)
    known = client.get("/v1/changes").json()
    seen = f"{known['revision']}-{known['lineage']}"
    up_to_date = crowd.open(request(last_event_id=seen))
    revision = rename(client, "missed")
    crowd.read_until(lambda each: each.revisions[-1:] == [revision])
    assert [each["revision"] for each in events(up_to_date)] == [revision]
    behind = crowd.open(request(last_event_id=seen))
    elsewhere = crowd.open(request(last_event_id=f"{known['revision']}-{'0' * 32}"))
    ahead = crowd.open(request(last_event_id=f"99999-{'0' * 32}"))
    crowd.read_until(events)
    assert events(behind) == events(watching)[-1:] == events(up_to_date)
    for other in (elsewhere, ahead):
        assert [each["revision"] for each in events(other)] == [revision]
        assert events(other)[0]["touched"] is None


@pytest.mark.parametrize("seen", ["x", '""', "1-x", "-1", "1 1", f"{10**18}", "1-" + "0" * 31])
def test_what_is_no_id_of_an_event_is_refused(crowd: Crowd, seen: str) -> None:
    reader = crowd.open(request(last_event_id=seen))
    crowd.read_until(lambda each: each.status)
    assert reader.status == 400


def test_the_head_of_a_stream_ends_at_once(server: Server) -> None:
    with connected(server.url) as raw:
        raw.send(b"HEAD" + STREAM[3:])
        answer = raw.answer(to_head=True)
        assert answer is not None
        assert (answer.status, answer.body) == (200, b"")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert raw.ask(get("/healthz")).status == 200


def test_streams_take_no_place_of_other_requests(tmp_path: Path) -> None:
    env = {"ALLOTMENT_CONCURRENCY": "4"}
    with serving(tmp_path, catalog=SHOP, env=env) as server, Crowd(server.url) as crowd:
        for _ in range(20):
            crowd.open()
            crowd.read_until(events)
        with server.client() as client:
            assert client.get("/v1/assign/checkout/someone").status_code == 200
            assert client.get("/v1/snapshot").status_code == 200
            said = client.get("/metrics").text
        assert "allotment_streams 20.0" in said
        assert "allotment_events_sent_total 20.0" in said


def test_streams_end_with_the_server_in_its_usual_time(tmp_path: Path) -> None:
    env = {"ALLOTMENT_DRAIN_SECONDS": "2"}
    with serving(tmp_path, catalog=SHOP, env=env) as server, Crowd(server.url) as crowd:
        for _ in range(40):
            crowd.open()
        crowd.read_until(events)
        server.process.terminate()
        began = time.monotonic()
        crowd.read_until(lambda each: each.got.endswith(b"0\r\n\r\n"))
        assert time.monotonic() - began < 1.5
        # While it drains it opens no more: the client asks another server.
        refused = crowd.open()
        crowd.read_until(lambda each: each is not refused or each.status)
        assert refused.status == 503
        assert server.process.wait(30) == 0


def test_a_stream_ends_with_its_token(tmp_path: Path) -> None:
    with (
        serving(tmp_path, catalog=SHOP, insecure_local=False) as server,
        Crowd(server.url) as crowd,
        server.client(token=server.token("admin", space="*/*")) as admin,
    ):
        token = server.token("read")
        with Store.open(server.database) as store:
            name = store.tokens()[-1].id
        ended = crowd.open(request(authorization=f"Bearer {token}"))
        other = crowd.open(request(authorization=f"Bearer {server.token('read')}"))
        assign = crowd.open(request(authorization=f"Bearer {server.token('assign')}"))
        unknown = crowd.open()
        crowd.read_until(lambda each: each.status if each in (assign, unknown) else events(each))
        assert (assign.status, unknown.status) == (403, 401)
        assert admin.delete(f"/v1/tokens/{name}").status_code == 204
        crowd.read_until(lambda each: each is not ended or each.got.endswith(b"0\r\n\r\n"), 5)
        revision = rename(admin, "after")
        crowd.read_until(lambda each: each is not other or each.revisions[-1] == revision)
        assert ended.revisions[-1] < revision
        assert 'allotment_streams_ended_total{reason="token"} 1.0' in admin.get("/metrics").text


def open_many(crowd: Crowd, count: int) -> None:
    for number in range(count):
        crowd.open()
        if number % 100 == 99:
            crowd.read(0)
    crowd.read_until(events, 120)


def bytes_a_stream(server: Server, count: int) -> float:
    with Crowd(server.url) as crowd, server.client() as client:
        open_many(crowd, 100)
        rename(client, "the first change, with which its rules are imported")
        before = server.memory()
        open_many(crowd, count)
        for name in ("a", "b", "c"):
            revision = rename(client, name)
            crowd.read_until(lambda each: each.revisions[-1] == revision, 60)  # noqa: B023
        return (server.memory() - before) / count


def test_an_open_stream_costs_less_than_twenty_kilobytes(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server:
        assert bytes_a_stream(server, 500) < 20_000


@pytest.mark.soak
def test_five_thousand_streams_cost_less_than_a_hundred_megabytes(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server:
        assert bytes_a_stream(server, 5_000) * 5_000 < 100 * MEGABYTE


def seconds_until_told(folder: Path, changes: int) -> list[float]:
    """From before a change through one server to its event from another one, sorted."""
    with (
        serving(folder, catalog=SHOP) as server,
        serving(folder / "other", database_url=server.database) as other,
        Crowd(other.url) as crowd,
        server.client() as client,
    ):
        reader = crowd.open()
        crowd.read_until(events)
        took = []
        for number in range(changes):
            began = time.monotonic()
            revision = rename(client, f"name {number}")
            crowd.read_until(lambda each: each.revisions[-1] == revision)  # noqa: B023
            took.append(reader.at - began)
            time.sleep(0.0137)  # at any time of the other's polling
        return sorted(took)


def test_a_change_is_told_by_another_process_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert statistics.median(seconds_until_told(tmp_path, 30)) < 0.1


@pytest.mark.soak
def test_of_a_thousand_changes_ten_are_told_later_than_that(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert seconds_until_told(tmp_path, 1_000)[990] < 0.1
