"""What a vendor defines for a whole project: flags, layers, settings, but not who is behind them.

A vendor's change in one space is made in the project's other spaces too, as far as it concerns
these: whether a flag is on and what it serves by default, reservations, experiments, holdouts and
segments are each space's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Describe,
    Keep,
    Rename,
    SetVariations,
    SwitchFlag,
)
from allotment.change.kinds import CATALOG, kind_of, nouns_of
from allotment.change.lifecycle import Policy
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState
from allotment.model.layer import Layer

_SHARED: Final = ("flag", "layer")

# What a space keeps itself, which is there in every space.
_SETTINGS: Final = (CATALOG, CATALOG)


def shared(commands: Iterable[Command], catalog: Catalog, policy: Policy) -> tuple[Command, ...]:
    """Those of a change's commands that also concern a sibling, which has `catalog`.

    What it has already is not created there, and of what it lacks nothing is changed.
    """
    there = {(kind, key) for kind in _SHARED for key in nouns_of(catalog, kind)} | {_SETTINGS}
    found: list[Command] = []
    for command in commands:
        noun = _noun_of(command, policy)
        if noun is None or isinstance(command, Create) is (noun in there):
            continue
        if isinstance(command, Create):
            there.add(noun)
            found.append(_bare(command))
            continue
        if isinstance(command, Delete):
            there.discard(noun)
        found.append(_own_default(command, catalog))
    return tuple(found)


def _noun_of(command: Command, policy: Policy) -> tuple[str, str] | None:
    """The noun of the project that a command changes, if it does."""
    match command:
        case Create(noun):
            kind, key = kind_of(noun), noun.key
        case Delete(kind, key) | Rename(kind, key) | Describe(kind, key) | Keep(kind, key):
            pass
        case SetVariations(key):
            kind = "flag"
        # LaunchDarkly archives a flag in all environments at once; others have one apiece.
        case SwitchFlag(key, FlagState.ARCHIVED) if policy is Policy.LAUNCHDARKLY:
            kind = "flag"
        case _:
            return None
    return (kind, key) if kind in _SHARED or (kind, key) == _SETTINGS else None


def _own_default(command: Command, catalog: Catalog) -> Command:
    """The same variations, of which the sibling serves by default what it did, if it is there."""
    if not isinstance(command, SetVariations):
        return command
    flag = catalog.flags.get(command.flag)
    keys = [one.key for one in command.variations]
    if flag is None or flag.default not in keys:
        return command
    return replace(command, default=flag.default)


def _bare(command: Create) -> Create:
    """The noun without the experiments that another space has behind it."""
    if isinstance(command.noun, Flag):
        return Create(replace(command.noun, experiments=()))
    if isinstance(command.noun, Layer):
        return Create(replace(command.noun, reservations=()))
    return command
