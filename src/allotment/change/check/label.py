"""Labels, kinds of unit, salts: the text that every noun has."""

from __future__ import annotations

from typing import Protocol

from allotment.change.check.kept import check_kept
from allotment.change.place import place
from allotment.errors import Conflict, InvalidInput
from allotment.model.catalog import Catalog
from allotment.model.limits import BUCKETS, NAME_CHARACTERS_MAX
from allotment.model.text import check_description, check_key, check_name, check_text


class _Labelled(Protocol):
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def kept(self) -> tuple[tuple[str, str], ...]: ...


def check_labels(noun: _Labelled, path: str) -> None:
    """Check the key, the name, the description, and what is kept."""
    check_key(noun.key, path)
    check_name(noun.name, f"{path}.name")
    check_description(noun.description, f"{path}.description")
    check_kept(noun.kept, f"{path}.kept")


def check_salt(salt: str, path: str) -> None:
    """A salt is text of 1 to 1,024 characters."""
    if not isinstance(salt, str) or not 1 <= len(salt) <= NAME_CHARACTERS_MAX:
        raise InvalidInput(f"a salt is text of 1 to {NAME_CHARACTERS_MAX:,} characters", path)
    check_text(salt, NAME_CHARACTERS_MAX, "salt", path)


def check_share(share: int, path: str) -> None:
    """A share is a whole number of the 1,000,000 buckets."""
    if type(share) is not int or not 0 <= share <= BUCKETS:
        raise InvalidInput(f"a share is 0 to {BUCKETS:,} parts per million", path)


def check_lone_salt(kind: str, key: str, salt: str, catalog: Catalog) -> None:
    """Raise Conflict where another noun of the kind uses the salt: both would draw the same."""
    others = catalog.users.get(f"salt:{kind}:{salt}", frozenset()) - {key}
    if others:
        raise Conflict(
            f"{kind} {min(others)!r} has the salt {salt!r} too, so both would draw the same; "
            "choose another",
            f"{place(kind, key)}.salt",
        )
