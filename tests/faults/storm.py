"""Writers that remember what they asked for and what they were told, also across crashes."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Describe,
    EndIteration,
    OrderExperiments,
)
from allotment.dialects.auth0.names import id_of
from allotment.model.experiment import Experiment
from allotment.model.flag import Flag, FlagExperiment, Variation
from allotment.model.plain import to_plain
from allotment.store import Entry
from faults.waiting import wait_for
from nouns import experiment

WRITERS = 8

# What a server answers that cannot do it now; the writer asks again, under the same key.
LATER = (503, 507)


@dataclass(frozen=True, slots=True)
class Write:
    """One change: its request, and what tells its entry in the journal from every other one."""

    key: str
    method: str
    path: str
    body: Mapping[str, object]
    marks: tuple[str, ...]

    def made(self, entry: Entry) -> bool:
        """Whether the entry is of this change."""
        said = json.dumps([entry.comment, to_plain(entry.commands)])
        return all(mark in said for mark in self.marks)

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body).encode()

    def send(self, client: httpx.Client) -> httpx.Response:
        headers = {"idempotency-key": self.key, "content-type": "application/json"}
        return client.request(self.method, self.path, content=self.content, headers=headers)


def own_nouns(author: int) -> tuple[Flag, Experiment, Experiment]:
    """What there must be for a writer: a flag, an experiment, and one that the flag asks."""
    flag = Flag(
        f"flag-{author}",
        (Variation("blue", '"#00f"'), Variation("green", '"#0f0"')),
        "blue",
        experiments=(FlagExperiment(f"asked-{author}-0"),),
    )
    return flag, running(f"test-{author}", flag.key), running(f"asked-{author}-0", flag.key)


def running(key: str, flag: str) -> Experiment:
    """A running experiment that sets the flag: half blue, half green."""
    plain = experiment(key)
    treatments = tuple(
        replace(each, sets=((flag, color),))
        for each, color in zip(plain.iterations[0].treatments, ("blue", "green"), strict=True)
    )
    return replace(plain, iterations=(replace(plain.iterations[0], treatments=treatments),))


def writes(author: int) -> Iterator[Write]:
    """What one writer asks for, without end; no two of its changes are alike.

    In turn: an Auth0 PATCH; a native change of two documents; an Auth0 status; a native change of
    three documents, which makes an experiment, has the flag ask it, and ends and deletes the one
    before it.
    """
    flag, test, asked = (noun.key for noun in own_nouns(author))
    auth0 = f"/api/v2/experimentation/experiments/{id_of('experiment', test)}"
    for number in itertools.count(1):
        key = f"write-{author}-{number}."
        yield Write(f"{key}a", "PATCH", auth0, {"description": f"{key}a"}, (f"{key}a",))
        both = (Describe("flag", flag, f"{key}b"), Describe("experiment", test, f"{key}b"))
        yield native(f"{key}b", *both)
        state, verb = ("active", "Resume") if number % 2 == 0 else ("paused", "Pause")
        marks = (f'"{verb}Iteration"', f'"{test}"')
        yield Write(f"{key}c", "POST", f"{auth0}/status", {"status": state}, marks)
        fresh = f"asked-{author}-{number}"
        yield native(
            f"{key}d",
            Create(running(fresh, flag)),
            OrderExperiments(flag, (FlagExperiment(fresh),)),
            EndIteration(asked),
            Delete("experiment", asked),
        )
        asked = fresh


def native(key: str, *commands: Command) -> Write:
    """A native change, with its key as the comment."""
    body = {"commands": [to_plain(command) for command in commands], "comment": key}
    return Write(key, "POST", "/v1/commands", body, (f'"{key}"',))


@dataclass
class Author:
    """One writer. `pending` is what it asked for and was not told of; `told` the rest.

    `is_cut_off` says that its connection broke, so that it ended; `refused` holds the answers that
    told it to ask again later, `errors` those that no writer should get.
    """

    number: int
    told: list[tuple[Write, int]] = field(default_factory=list)
    refused: list[httpx.Response] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    pending: Write | None = None
    is_cut_off: bool = False

    def __post_init__(self) -> None:
        self._writes = writes(self.number)

    def ask(self, client: httpx.Client) -> httpx.Response:
        """Ask for what is pending, or for the next change; raises what the connection raises."""
        self.pending = self.pending or next(self._writes)
        response = self.pending.send(client)
        if response.is_success:
            self.told.append((self.pending, int(response.headers["allotment-revision"])))
            self.pending = None
        elif response.status_code in LATER:
            self.refused.append(response)
        else:
            self.errors.append(f"{self.pending}: {response.status_code} {response.text}")
        return response


class Storm:
    """Writers that go on until the storm is over or their server is cut off.

    They can blow again: what was pending is then asked for first, under its old key.
    """

    def __init__(
        self, clients: Sequence[Callable[[], httpx.Client]], authors: Iterable[int] = range(WRITERS)
    ) -> None:
        self.authors = [Author(number) for number in authors]
        self._clients = clients
        self._over = threading.Event()

    @property
    def told(self) -> int:
        """How many changes were acknowledged, all in all."""
        return sum(len(author.told) for author in self.authors)

    @property
    def last(self) -> int:
        """The latest revision that was acknowledged."""
        return max((revision for author in self.authors for _, revision in author.told), default=0)

    @property
    def pending(self) -> list[Write]:
        """What was asked for, and not answered."""
        return [author.pending for author in self.authors if author.pending]

    @contextmanager
    def blowing(self, *, may_be_cut_off: bool = False) -> Iterator[None]:
        """Write until the block ends; no writer loses its connection unless it may."""
        self._over.clear()
        for author in self.authors:
            author.is_cut_off = False
        threads = [threading.Thread(target=self._write, args=(each,)) for each in self.authors]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()
        self.check()
        assert may_be_cut_off or not any(author.is_cut_off for author in self.authors)

    def wait(self, count: int, seconds: float = 60) -> None:
        """Wait until so many more changes are acknowledged."""
        goal = self.told + count
        wait_for(lambda: self.told >= goal or any(a.errors for a in self.authors), seconds)

    def wait_until_cut_off(self) -> None:
        """Wait until every writer has noticed that its server is gone."""
        wait_for(lambda: all(author.is_cut_off for author in self.authors), 10)

    def settle(self) -> None:
        """Ask for all that is pending, once more each, until nothing is."""
        for author in self.authors:
            with self._clients[author.number % len(self._clients)]() as client:
                while author.pending:
                    author.ask(client)
                    self.check()

    def check(self) -> None:
        """No writer was refused for another reason than that it should ask again later."""
        errors = [error for author in self.authors for error in author.errors]
        assert not errors, "\n".join(errors)

    def _write(self, author: Author) -> None:
        with self._clients[author.number % len(self._clients)]() as client:
            while not self._over.is_set() and not author.errors:
                try:
                    response = author.ask(client)
                except httpx.TransportError:
                    author.is_cut_off = True
                    return
                if response.status_code in LATER:
                    time.sleep(0.02)


def check_turned_away(response: httpx.Response) -> None:
    """The answer says, within two seconds and as its dialect does, that it cannot be done now.

    A store that is away may be back in a second; when a full disk has room, nobody can tell.
    """
    status = response.status_code
    assert status in LATER, response.text
    assert status == 507 or int(response.headers["retry-after"]) >= 1
    assert response.elapsed.total_seconds() < 2
    body = response.json()
    if response.request.url.path.startswith("/api/v2/"):
        assert body["statusCode"] == status
        assert {"error", "message"} <= set(body)
    else:
        assert response.headers["content-type"] == "application/problem+json"
        assert body["status"] == status
        assert {"type", "title", "detail"} <= set(body)
    assert "Traceback" not in response.text
