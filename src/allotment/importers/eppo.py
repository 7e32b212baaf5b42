"""Eppo's universal flag configuration (UFC) in the form for servers.

Each allocation deals its splits in order, and a unit that none of them takes goes on to the next
allocation; so do experiments that are listed with a miss that goes on. Where none takes it Eppo
answers what the caller gave: the variation `client-default`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from allotment.errors import InvalidInput
from allotment.importers.eppo_rules import Targeting
from allotment.importers.eppo_splits import SHARDS, Split, dealt, make_layers
from allotment.importers.payload import (
    PayloadPart,
    client_default,
    json_text,
    mapping,
    part,
    refuse,
    usable_key,
)
from allotment.importers.rules import Imported, Note, Rule
from allotment.model.flag import CLIENT_DEFAULT, Variation

_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "STRING": str,
    "BOOLEAN": bool,
    "INTEGER": int,
    "NUMERIC": (int, float),
    "JSON": str,
}


class _Variation(PayloadPart, frozen=True):
    key: str
    value: str | bool | int | float


class _Made(PayloadPart, frozen=True):
    created_at: datetime | None = None


class _Allocation(PayloadPart, frozen=True):
    key: str
    splits: list[Split]
    rules: list[Any] | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    do_log: bool = True


class _Flag(PayloadPart, frozen=True):
    key: str
    enabled: bool
    variation_type: str
    variations: dict[str, _Variation]
    allocations: list[_Allocation]
    total_shards: int = SHARDS
    comment: str | None = None
    entity_id: int | None = None


def read(payload: Any) -> Imported:
    """What a flag configuration becomes.

    Raises InvalidInput with the path of the first thing that is not as Eppo sends it.
    """
    ufc = mapping(payload, "$")
    if ufc.get("format", "SERVER") != "SERVER":
        message = "a configuration for clients has its names hashed; take the one for servers"
        raise InvalidInput(message, "$.format")
    if "flags" not in ufc:
        raise InvalidInput("a flag configuration of Eppo has `flags`", "$")
    made = part(_Made, {"createdAt": ufc.get("createdAt")}, "$").created_at
    imported = Imported()
    if ufc.get("bandits") or ufc.get("banditReferences"):
        imported.note("$.bandits", "a bandit chooses by a model that is not in the file; left out")
    for key, value in mapping(ufc["flags"], "$.flags").items():
        path = f"$.flags.{key}"
        with imported.attempt(path, f"flag {key!r}"):
            _add_flag(imported, part(_Flag, value, path), path, made)
    return imported


def _add_flag(imported: Imported, flag: _Flag, path: str, made: datetime | None) -> None:
    key = usable_key(flag.key, f"{path}.key")
    if flag.total_shards != SHARDS:
        refuse(f"{path}.totalShards", f"another number of shards than {SHARDS:,} is not known here")
    variations = [client_default(flag.variations, f"{path}.variations"), *_variations(flag, path)]
    targeting = Targeting()
    rules: list[Rule] = []
    for index, allocation in enumerate(flag.allocations):
        here = f"{path}.allocations[{index}]"
        if _is_on(allocation, made, here, targeting.notes):
            name = usable_key(f"{key}.{allocation.key}", f"{here}.key")
            condition = targeting.audience(name, allocation.rules, f"{here}.rules")
            for split in allocation.splits:
                if split.variation_key not in flag.variations:
                    refuse(f"{here}.splits", f"there is no variation {split.variation_key!r}")
            rules.extend(dealt(name, allocation.splits, condition, f"{here}.splits"))
    make_layers(imported, rules)
    imported.segments.extend(targeting.segments)
    imported.add_flag(key, variations, CLIENT_DEFAULT, rules, on=flag.enabled)
    imported.notes.extend(targeting.notes)


def _is_on(allocation: _Allocation, made: datetime | None, path: str, notes: list[Note]) -> bool:
    """Whether the allocation is in force, for good, at the time the file was made.

    This reads no clock, and the model has no schedule.
    """
    for word, at in (("startAt", allocation.start_at), ("endAt", allocation.end_at)):
        if at is not None and (made is None or made < at):
            refuse(f"{path}.{word}", "it is after the file was made, and there is no schedule here")
    if allocation.end_at is not None:
        notes.append(Note(f"{path}.endAt", "the allocation was over when the file was made"))
        return False
    return True


def _variations(flag: _Flag, path: str) -> Iterator[Variation]:
    kind = _KINDS.get(flag.variation_type)
    if kind is None:
        refuse(f"{path}.variationType", f"{flag.variation_type!r} is no type that is known here")
    for key, variation in flag.variations.items():
        here = f"{path}.variations.{key}"
        value = variation.value
        is_one = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
        if key != variation.key or not is_one:
            refuse(here, f"{value!r} is no value of type {flag.variation_type}, or has another key")
        text = json_text(value)
        if flag.variation_type == "JSON":
            text = _json(str(value), f"{here}.value")
        yield Variation(usable_key(key, here), text)


def _json(text: str, path: str) -> str:
    try:
        return json_text(json.loads(text))
    except ValueError:
        refuse(path, "this is no JSON text")
