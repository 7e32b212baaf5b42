"""Clients that ask for assignments all the time and know what they must get."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import httpx

from faults.storm import WRITERS
from faults.waiting import wait_for

STEADY = f"test-{WRITERS}"
UNITS = [f"unit-{number}" for number in range(20)]
ENOUGH = 400


class Reader:
    """Asks for the same units over and over; `wrong` is every answer that is not the first one's.

    An answer is right if it is 200, deals what it dealt before, and its revision is none before the
    last one's.
    """

    def __init__(self, client: httpx.Client, experiment: str) -> None:
        self.count = 0
        self.wrong: list[str] = []
        self.revision = 0
        self._client = client
        self._paths = [f"/v1/assign/{experiment}/{unit}" for unit in UNITS]
        self._first = [self._ask(path) for path in self._paths]
        self._over = threading.Event()
        self._took: list[float] = []

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Ask until the block ends; then every answer must have been right, and come at once."""
        thread = threading.Thread(target=self._read)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()
        assert self.wrong == []
        assert self.count > 0
        # Whoever waited for a store would have waited longer than either.
        assert sorted(self._took)[self.count * 99 // 100] < 0.5
        assert max(self._took) < 2

    def go_on(self, seconds: float = 10) -> None:
        """Wait until every unit was asked about often, so that a hundredth is several requests."""
        goal = self.count + ENOUGH
        wait_for(lambda: self.count >= goal or self.wrong, seconds)

    def dealt(self) -> list[object]:
        """What every unit was dealt at first."""
        return list(self._first)

    def _read(self) -> None:
        while not self._over.is_set() and len(self.wrong) < 10:
            for path, first in zip(self._paths, self._first, strict=True):
                began = time.monotonic()
                answer = self._ask(path)
                self._took.append(time.monotonic() - began)
                self.count += 1
                if answer != first:
                    self.wrong.append(f"{path}: {answer}, and not {first}")

    def _ask(self, path: str) -> object:
        try:
            response = self._client.get(path)
            revision = int(response.headers.get("allotment-revision", 0))
        except httpx.HTTPError as error:
            return repr(error)
        if response.status_code != 200 or revision < self.revision:
            return response.status_code, response.text, revision
        self.revision = revision
        (assignment,) = response.json()["assignments"].values()
        return assignment["treatment"], assignment["reason"]


@contextmanager
def reading(
    client: Callable[[], AbstractContextManager[httpx.Client]], experiment: str = STEADY
) -> Iterator[Reader]:
    """A reader on a connection of its own."""
    with client() as opened:
        reader = Reader(opened, experiment)
        assert any(treatment == "control" for treatment, _ in reader.dealt())
        with reader.reading():
            yield reader
