"""Places where the command line finds a catalog: a store, and a space of a running server."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from allotment.store import StickyKey, Store
from serving import Server

_spaces = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """An empty catalog: `options` lead a command there, `name` is what it calls the place.

    `keep` keeps treatments there, by unit, in the first iteration of an experiment.
    """

    options: tuple[str, ...]
    name: str
    keep: Callable[[str, Mapping[str, str]], None]


def place_in_a_store(folder: Path) -> Place:
    """A store in a folder; it is there from the start, as a server's is."""
    store = folder / "store.db"
    Store.open(store).close()

    def keep(experiment: str, given: Mapping[str, str]) -> None:
        sticky_keys = {
            StickyKey(experiment, 1, unit): treatment for unit, treatment in given.items()
        }
        with Store.open(store) as opened:
            opened.keep(sticky_keys, revision=1, when=datetime.now(UTC))

    return Place(("--store", str(store)), str(store), keep)


def place_on(server: Server) -> Place:
    """A space of a server, in a project of its own."""
    space = f"project-{next(_spaces)}/production"
    with server.client() as client:
        client.post("/v1/spaces", json={"name": space}).raise_for_status()

    def keep(experiment: str, given: Mapping[str, str]) -> None:
        rows = [{"experiment": experiment, "unit": u, "treatment": t} for u, t in given.items()]
        with server.client() as client:
            headers = {"allotment-space": space}
            client.post("/v1/kept", json={"rows": rows}, headers=headers).raise_for_status()

    return Place(("--server", server.url, "--space", space), server.url, keep)
