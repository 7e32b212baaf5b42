"""What differs between two nouns of one key, field by field, in words of the catalog file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Final, NamedTuple, cast

from allotment.change.commands import Noun
from allotment.model.experiment import Allocation, Iteration, Treatment
from allotment.model.flag import FlagExperiment, Variation
from allotment.model.instant import show_instant
from allotment.model.layer import Reservation
from allotment.model.number import show_percent
from allotment.model.segment import IdList, Sample
from allotment.model.slots import size

_NONE: Final = "none"
_UNITS_MAX: Final = 5


class Difference(NamedTuple):
    """A field, and its value before and after; "none" where it has none."""

    field: str
    before: str
    after: str


def differences(old: Noun, new: Noun) -> list[Difference]:
    """The fields that differ, in the order of the noun's own fields."""
    found: list[Difference] = []
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after and repr(before) == repr(after):
            continue
        if field.name == "iterations":
            found += _iterations(before, after)
        elif field.name == "overrides":
            found += overridden(before, after)
        elif field.name == "kept":
            found += _keyed("kept", dict(before), dict(after))
        elif field.name == "reservations":
            found += _keyed("reservation of", _reservations(before), _reservations(after))
        else:
            found.append(_difference(field.name, before, after))
    return found


def overridden(
    old: Iterable[tuple[str, str]], new: Iterable[tuple[str, str]]
) -> Iterator[Difference]:
    """The overrides that come, go and change, the first few of them by unit."""
    all_of_them = list(_keyed("override of", dict(old), dict(new)))
    yield from all_of_them[:_UNITS_MAX]
    if len(all_of_them) > _UNITS_MAX:
        more = f"{len(all_of_them) - _UNITS_MAX:,} more"
        yield Difference("overrides", more, more)


def _iterations(old: Iterable[Iteration], new: Iterable[Iteration]) -> Iterator[Difference]:
    was, now = ({one.number: one for one in several} for several in (old, new))
    for number in sorted({*was, *now}):
        if number not in now:
            yield Difference(f"iteration {number}", str(was[number].state), "dropped")
        elif number not in was:
            yield Difference(f"iteration {number}", _NONE, str(now[number].state))
        else:
            alone = len(was) == len(now) == 1
            prefix = "" if alone else f"iteration {number}: "
            for one in _iteration(was[number], now[number]):
                yield one._replace(field=prefix + one.field)


def _iteration(old: Iteration, new: Iteration) -> Iterator[Difference]:
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after:
            continue
        if field.name == "allocations":
            yield from _allocations(before, after)
        elif field.name == "treatments":
            yield from _keyed("treatment", _treatments(before), _treatments(after))
        else:
            yield _difference(field.name, before, after)


def _allocations(old: tuple[Allocation, ...], new: tuple[Allocation, ...]) -> Iterator[Difference]:
    was, now = ({one.key: one for one in several} for several in (old, new))
    for key in dict.fromkeys((*was, *now)):
        before, after = was.get(key), now.get(key)
        if before is None or after is None:
            given, served = (_weights(one) if one else _NONE for one in (before, after))
            yield Difference(f"allocation {key}", given, served)
            continue
        if _weights(before) != _weights(after):
            yield Difference(f"weights of {key}", _weights(before), _weights(after))
        elif before.slots != after.slots:
            yield Difference(f"slots of {key}", _slots(before), _slots(after))
        for name in ("segment", "priority", "fallback"):
            one, other = getattr(before, name), getattr(after, name)
            if one != other:
                yield _difference(f"{name} of {key}", one, other)
    if tuple(was) != tuple(now) and set(was) == set(now):
        yield Difference("order of allocations", ", ".join(was), ", ".join(now))


def _weights(one: Allocation) -> str:
    return f"{', '.join(f'{key} {part:,}' for key, part in one.weights)} of {one.total:,}"


def _slots(one: Allocation) -> str:
    return ", ".join(f"{owner} {start:,}-{stop:,}" for start, stop, owner in one.slots) or _NONE


def _treatments(several: Iterable[Treatment]) -> dict[str, str]:
    return {
        one.key: ", ".join(f"sets {flag} {value}" for flag, value in one.sets)
        or one.name
        or "there"
        for one in several
    }


def _reservations(several: Iterable[Reservation]) -> dict[str, str]:
    return {one.experiment: show_percent(size(one.ranges)) for one in several}


def _keyed(word: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Difference]:
    for key in dict.fromkeys((*old, *new)):
        before, after = old.get(key, _NONE), new.get(key, _NONE)
        if before != after:
            yield Difference(f"{word} {key}", before, after)


def _difference(name: str, before: object, after: object) -> Difference:
    """A field by its name in the file, where a share is a percentage."""
    if name.endswith("_ppm"):
        shares = (show_percent(share) for share in (before, after) if isinstance(share, int))
        return Difference(name.removesuffix("_ppm"), *shares)
    if name.endswith("_at"):
        times = (_NONE if at is None else show_instant(cast(int, at)) for at in (before, after))
        return Difference(name, *times)
    absent = "everyone" if name.startswith(("audience", "segment")) else _NONE
    return Difference(name, _text(before, absent), _text(after, absent))


def _text(value: object, absent: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, IdList):
        return f"{len(value):,} ids"
    if isinstance(value, tuple):
        return ", ".join(map(_item, value)) or _NONE
    if isinstance(value, Sample):
        return f"{show_percent(value.share_ppm)} of {value.layer or 'a draw of its own'}"
    return absent if value is None else str(value) if value != "" else '""'


def _item(item: object) -> str:
    if isinstance(item, Variation):
        return f"{item.key} {item.value}"
    if isinstance(item, FlagExperiment):
        end = "" if item.otherwise is None else f", otherwise {item.otherwise}"
        return f"{item.experiment} ({item.miss}{end})"
    return repr(item)
