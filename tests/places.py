"""Places where the command line finds a catalog: a store, and a space of a running server."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from allotment.store import Store
from serving import Server

_spaces = itertools.count(1)


@dataclass(frozen=True)
class Place:
    """An empty catalog: `options` lead a command there, `name` is what it calls the place."""

    options: tuple[str, ...]
    name: str


def place_in_a_store(folder: Path) -> Place:
    """A store in a folder; it is there from the start, as a server's is."""
    store = folder / "store.db"
    Store.open(store).close()
    return Place(("--store", str(store)), str(store))


def place_on(server: Server) -> Place:
    """A space of a server, in a project of its own."""
    space = f"project-{next(_spaces)}/production"
    with server.client() as client:
        client.post("/v1/spaces", json={"name": space}).raise_for_status()
    return Place(("--server", server.url, "--space", space), server.url)
