"""flagd's `fractional`: what it draws by, and who owns which bucket."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from allotment.importers.payload import refuse
from allotment.model.profile import PROFILES, Draw
from allotment.model.slots import Slot

_PAIR: Final = "flagd-pair-3"
_TOTAL_MAX: Final = 2**31 - 1

# The draw, how many buckets it has, and each slot with its variant, None for the default.
Dealt: TypeAlias = tuple[Draw, int, list[tuple[Slot, str | bool | None]]]


def fraction(flag: str, arguments: Sequence[Any], version: int, path: str) -> Dealt | None:
    """Who gets what; None where flagd deals nothing, as no weight is above 0.

    Raises LeftOut for what is computed a unit, and for weights that its versions read differently.
    """
    if not arguments:
        refuse(path, "it has no arguments")
    short = isinstance(arguments[0], list)
    if short:
        draw = Draw(_PAIR if version == 3 else f"flagd-{version}", flag)
    else:
        draw = Draw(f"flagd-{version}", _salt(flag, arguments[0], f"{path}[0]"))
    skipped = 0 if short else 1
    parts = [
        _part(one, version, f"{path}[{index + skipped}]")
        for index, one in enumerate(arguments[skipped:])
    ]
    total = sum(weight for _, weight in parts)
    if total > _TOTAL_MAX:
        refuse(path, f"flagd takes weights that sum to at most {_TOTAL_MAX:,}")
    if total == 0:
        return None
    profile = PROFILES[draw.profile]
    weights = [weight for _, weight in parts]
    edges = profile.edges(weights, total) or _sums(weights)
    starts = [0, *edges]
    owned = [
        (Slot(start, stop, ""), variant)
        for (variant, _), start, stop in zip(parts, starts, edges, strict=False)
        if start < stop
    ]
    return draw, profile.count(total), owned


def _sums(weights: Sequence[int]) -> list[int]:
    return [sum(weights[: index + 1]) for index in range(len(weights))]


def _part(one: Any, version: int, path: str) -> tuple[str | bool | None, int]:
    """A variant and its weight."""
    if not isinstance(one, list) or not 1 <= len(one) <= 2:
        refuse(path, "a part of a fraction is a variant, and perhaps its weight")
    variant, weight = (*one, 1)[:2]
    if variant is not None and not isinstance(variant, str | bool):
        refuse(f"{path}[0]", "the variant is computed, or is none")
    if version == 1 and not isinstance(variant, str):
        refuse(f"{path}[0]", "the first hash had names of variants only")
    if isinstance(weight, bool) or not isinstance(weight, int):
        refuse(f"{path}[1]", "the weight is computed, or no whole number")
    if weight < 0 and version == 1:
        refuse(f"{path}[1]", "the weight is below 0")
    return variant, max(weight, 0)


def _salt(flag: str, value: Any, path: str) -> str:
    """What is before the targeting key in the text that is hashed."""
    found = value.get("cat") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(found, list):
        found = [value]
    texts = [flag if one == {"var": "$flagd.flagKey"} else one for one in found]
    if texts and texts[-1] in ({"var": "targetingKey"}, {"var": ["targetingKey"]}):
        before = texts[:-1]
        if all(isinstance(text, str) for text in before) and any(before):
            return "".join(before)
        if not before:
            refuse(path, "it hashes the targeting key alone, and a salt is not empty here")
    return refuse(path, "what is hashed is not a text and then the targeting key")
