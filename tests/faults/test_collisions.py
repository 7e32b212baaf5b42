"""Many at once: of those who change one thing one wins, and what is asked twice is done once."""

from __future__ import annotations

import itertools
import socket
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx
import pytest

from allotment.change.commands import Describe
from allotment.dialects.auth0.names import id_of
from allotment.dialects.confidence.names import instance_name
from allotment.store import Store
from faults.history import lay
from faults.storm import Write, native
from postgres import Postgres
from serving import Server, serving

CLIENTS = 16
JSON = "application/json"
AUTH0 = "/api/v2/experimentation/experiments"
EVERYTHING = (
    "previousIterations,draftIteration,secondaryMetrics,treatments,analysisConfig,"
    "mutableFieldsByStatus"
)
LAUNCHDARKLY = "/api/v2/projects/default/environments/production/experiments"


@pytest.fixture(scope="module", params=["two processes on SQLite", "two nodes on PostgreSQL"])
def servers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Server]]:
    """Servers over one store; any of them may answer."""
    folder = tmp_path_factory.mktemp("servers")
    if request.param == "two processes on SQLite":
        lay(folder / "allotment.db")
        with serving(folder, workers=2) as server:
            yield [server]
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    database = postgres.fresh()
    lay(database)
    with ExitStack() as stack:
        folders = [folder / "a", folder / "b"]
        for each in folders:
            each.mkdir()
        yield [stack.enter_context(serving(each, database_url=database)) for each in folders]


def all_at_once(
    servers: list[Server], ask: Callable[[httpx.Client, int], httpx.Response], count: int
) -> list[httpx.Response]:
    """The answers to so many requests of clients that all begin together."""
    with ExitStack() as stack, ThreadPoolExecutor(CLIENTS) as threads:
        clients = [
            stack.enter_context(server.client())
            for server in itertools.islice(itertools.cycle(servers), CLIENTS)
        ]
        together = threading.Barrier(CLIENTS)

        def run(place: int) -> list[httpx.Response]:
            together.wait(30)
            return [ask(clients[place], number) for number in range(place, count, CLIENTS)]

        return [answer for answers in threads.map(run, range(CLIENTS)) for answer in answers]


def ways(experiment: str, text: str) -> list[tuple[str, str, dict[str, object]]]:
    """One change by each API: where, as what kind of body, and the body."""
    semantic = f"{JSON}; domain-model=launchdarkly.semanticpatch"
    update = {"kind": "updateDescription", "value": text}
    return [
        (f"{AUTH0}/{id_of('experiment', experiment)}", JSON, {"description": text}),
        (f"{LAUNCHDARKLY}/{experiment}", semantic, {"instructions": [update]}),
        (f"/v1/{instance_name(experiment)}", JSON, {"hypothesis": {"text": text}}),
    ]


def version_of(answer: httpx.Response) -> str:
    """The number in an ETag. Behind it stands a digest of what each API shows in its own way."""
    return answer.headers["etag"].strip('"').partition(".")[0]


def test_of_a_thousand_patches_with_one_etag_one_wins_and_the_others_are_told(
    servers: list[Server],
) -> None:
    paths = [path for path, _, _ in ways("test-0", "")]
    with servers[0].client() as client:
        tags = {version_of(client.get(path)) for path in paths}
        assert len(tags) == 1, "an experiment has one version, whoever asks"
        tag = {"if-match": f'"{tags.pop()}"'}
        revision = int(client.get(paths[0]).headers["allotment-revision"])

        def patch(by: httpx.Client, number: int) -> httpx.Response:
            path, kind, body = ways("test-0", f"patch {number}")[number % 3]
            return by.patch(path, json=body, headers={**tag, "content-type": kind})

        answers = all_at_once(servers, patch, 1_000)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses[200] == 1
        assert set(statuses) <= {200, 409, 412}
        (winner,) = [answer for answer in answers if answer.is_success]
        seen = {"allotment-min-revision": str(revision + 1)}
        path = winner.request.url.path
        whole = {"expand": EVERYTHING} if path.startswith(LAUNCHDARKLY) else {}
        after = client.get(path, headers=seen, params=whole)
        assert int(after.headers["allotment-revision"]) == revision + 1
        assert after.json() == winner.json()
        assert after.headers["etag"] == winner.headers["etag"] != tag["if-match"]
        others = [version_of(client.get(path, headers=seen)) for path in paths]
        assert set(others) == {version_of(after)}


def test_changes_of_different_documents_do_not_collide(servers: list[Server]) -> None:
    tags: dict[int, str] = {}
    paths = [ways(f"test-{number}", "")[number % 3][0] for number in range(8)]
    with servers[0].client() as client:
        for place, path in enumerate(paths):
            tags[place] = client.get(path).headers["etag"]

    def patch(by: httpx.Client, number: int) -> httpx.Response:
        # Each client has a document to itself, in which it always knows the last version.
        place = number % CLIENTS
        if place >= len(paths):
            return by.get("/healthz")
        path, kind, body = ways(f"test-{place}", f"patch {number}")[place % 3]
        headers = {"if-match": tags[place], "content-type": kind}
        answer = by.patch(path, json=body, headers=headers)
        tags[place] = answer.headers["etag"]
        return answer

    answers = all_at_once(servers, patch, 20 * CLIENTS)
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    "count", [pytest.param(150, id="150"), pytest.param(1_000, id="1000", marks=pytest.mark.soak)]
)
def test_what_is_asked_three_times_under_one_key_is_done_once(
    servers: list[Server], count: int
) -> None:
    """Of the three, one client hangs up as soon as its request is sent."""
    with Store.open(servers[0].database) as store:
        before = store.catalog().revision
    changes = [
        native(f"{count}-{number}.", Describe("experiment", "test-0", f"{count}-{number}."))
        for number in range(count)
    ]

    def ask(by: httpx.Client, number: int) -> httpx.Response:
        change, turn = changes[number // 3], number % 3
        if turn == 0:
            _send_and_hang_up(change, by.base_url)
        return change.send(by)

    answers = all_at_once(servers, ask, 3 * count)
    assert {answer.status_code for answer in answers} == {200}
    told: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
    for answer in answers:
        key = answer.request.headers["idempotency-key"]
        told[key].add((answer.headers["allotment-revision"], answer.content))
    assert {key for key, different in told.items() if len(different) > 1} == set()
    with Store.open(servers[0].database) as store:
        entries = store.journal(limit=2 * count)
    comments = [entry.comment for entry in entries if entry.revision > before]
    assert sorted(comments) == sorted(change.key for change in changes)


def test_one_key_for_two_changes_is_refused(servers: list[Server]) -> None:
    first, second = (native("twice", Describe("flag", "flag-0", text)) for text in ("this", "that"))
    with servers[0].client() as client:
        assert first.send(client).status_code == 200
        assert second.send(client).status_code == 422
        assert first.send(client).status_code == 200


def _send_and_hang_up(write: Write, url: httpx.URL) -> None:
    head = (
        f"{write.method} {write.path} HTTP/1.1\r\nHost: {url.host}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(write.content)}\r\n"
        f"Idempotency-Key: {write.key}\r\n\r\n"
    )
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(head.encode() + write.content)
