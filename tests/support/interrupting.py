"""Another node that commits at the worst moment: right before this one takes the lock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from allotment.change.commands import Command
from allotment.model.catalog import Catalog
from allotment.store import Committed, Store
from tenant import SPACE, Vendor


def interrupt(
    api: Vendor, monkeypatch: pytest.MonkeyPatch, commands: Callable[[Catalog], list[Command]]
) -> None:
    """Let another node commit right before this one makes its next change."""
    change = Store.change
    pending = [commands]

    def changing(self: Store, *asked: Any, **more: Any) -> dict[str, Committed]:
        if self.space == SPACE and pending:
            others = pending.pop()(self.catalog())
            self.commit(others, who="other", when=datetime.now(UTC), dialect="native")
        return change(self, *asked, **more)

    monkeypatch.setattr(Store, "change", changing)
