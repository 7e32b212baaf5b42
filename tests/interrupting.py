"""Another node that commits at the worst moment: between this one's reading and its writing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.change.commands import Command
from allotment.model.catalog import Catalog
from allotment.store import Store, Stored
from tenant import SPACE, Vendor


def interrupt(
    api: Vendor, monkeypatch: pytest.MonkeyPatch, commands: Callable[[Catalog], list[Command]]
) -> None:
    """Let another node commit right after this one has read the store the next time."""
    store = api.node.store_at(SPACE)
    read = Store.read
    pending = [commands]

    def reading(self: Store, *arguments: Any) -> Stored:
        found = read(self, *arguments)
        if self is store and pending:
            others = pending.pop()(found.catalog)
            store.commit(others, who="other", when=datetime.now(UTC), dialect="native")
        return found

    monkeypatch.setattr(Store, "read", reading)
