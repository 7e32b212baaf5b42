"""A plan kept in a file, to be read by others and applied as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from allotment.change.commands import Command
from allotment.errors import InvalidInput, PreconditionFailed
from allotment.model.catalog import Catalog
from allotment.model.plain import from_plain, to_plain

# What the file of a plan has and a catalog file has not.
MARK: Final = "allotment_plan"
_VERSION: Final = 1


def write_plan(file: Path, commands: Sequence[Command], base: Catalog) -> None:
    """Write the commands, and which catalog they are for."""
    plain = {
        MARK: _VERSION,
        "revision": base.revision,
        "base": _digest(base),
        "commands": to_plain(tuple(commands)),
    }
    file.write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_plan(plain: Mapping[str, Any], base: Catalog) -> tuple[Command, ...]:
    """The commands of a plan that was made for `base`.

    Raises PreconditionFailed where it was made for another catalog, InvalidInput for a malformed
    plan.
    """
    if plain.keys() != {MARK, "revision", "base", "commands"} or plain[MARK] != _VERSION:
        raise InvalidInput("this is no plan that `allotment plan --out` of this version wrote", "$")
    if plain["base"] != _digest(base):
        raise PreconditionFailed(
            f"the plan was made for revision {plain['revision']}, and the catalog is another one "
            f"at revision {base.revision}; make the plan again"
        )
    commands: tuple[Command, ...] = from_plain(tuple[Command, ...], plain["commands"], "$.commands")
    return commands


def _digest(catalog: Catalog) -> str:
    """A name for all that a catalog says, in any process."""
    text = json.dumps(to_plain(catalog), sort_keys=True, ensure_ascii=False)
    return blake2b(text.encode(), digest_size=16).hexdigest()
