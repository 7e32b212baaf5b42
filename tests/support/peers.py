"""Another platform's real SDK beside Allotment: one payload, the same units, one comparison."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.importers.rules import Imported
from allotment.model.assignment import Resolution
from allotment.model.flag import CLIENT_DEFAULT
from clients import python_with
from imported import catalog_of

UNITS = 20_000
# What an SDK is given for a default, so that its answers tell when that was taken.
CALLERS = "the caller's"

Person = tuple[str, dict[str, Any]]

_PROBES = Path(__file__).parents[1] / "peers"
_LETTERS = "aZ09.-_ |/:@~'\"\\éßñøЖд漢字かな한글ع़🙂🏳️‍🌈𐐀"


def people(draw: random.Random, count: int = UNITS) -> list[Person]:
    """Units with ids of every shape, each with some attributes; no two have one id."""
    found: dict[str, dict[str, Any]] = {}
    while len(found) < count:
        found[_id(draw, len(found))] = _attributes(draw)
    return list(found.items())


def _id(draw: random.Random, number: int) -> str:
    shapes: tuple[Callable[[], str], ...] = (
        lambda: f"user-{number}",
        lambda: str(draw.randrange(10 ** draw.randint(1, 18))),
        lambda: f"{draw.getrandbits(128):032x}",
        lambda: f"person.{number}+tag@example.com",
        lambda: "".join(draw.choices(_LETTERS, k=draw.randint(1, 12))),
        lambda: "".join(draw.choices(_LETTERS, k=draw.randint(60, 120))),
    )
    return draw.choice(shapes)()


def _attributes(draw: random.Random) -> dict[str, Any]:
    usual = {
        "country": draw.choice(["SE", "NO", "DE", "", "Åland", 7]),
        "plan": draw.choice(["free", "pro", "enterprise"]),
        "age": draw.choice([0, 17, 18, 18.5, 64, "18", True]),
        "email": draw.choice(["a@example.com", "b@example.org", "ö@example.com"]),
        "tags": draw.choice([[], ["a"], ["a", "b"], ["c", 3]]),
        "beta": draw.choice([True, False]),
    }
    return {name: value for name, value in usual.items() if draw.random() < 0.8}


def asked_of(
    package: Sequence[str], probe: str, payload: Any, flags: Sequence[str], units: Sequence[Person]
) -> list[list[Any]]:
    """What the SDK answers for each unit and flag, in their order; `probe` is a file in peers."""
    question = {"payload": payload, "flags": flags, "units": units, "default": CALLERS}
    done = subprocess.run(
        [python_with(*package), _PROBES / probe],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    answers: list[list[Any]] = json.loads(done.stdout)
    return answers


def value_of(resolved: Resolution) -> Any:
    """The value that a flag has, or what the caller gave."""
    return CALLERS if resolved.variation == CLIENT_DEFAULT else resolved.value


def ours(
    imported: Imported,
    flags: Sequence[str],
    units: Sequence[Person],
    *kinds: str,
    shown: Callable[[Resolution], Any] = value_of,
) -> list[list[Any]]:
    """What Allotment answers for them, each as `shown` says; a unit is of all the kinds."""
    engine = Engine(compile_catalog(catalog_of(imported)))
    return [
        [
            shown(engine.resolve(flag, dict.fromkeys(kinds or ("user",), unit), attributes))
            for flag in flags
        ]
        for unit, attributes in units
    ]


def differences(
    flags: Sequence[str], units: Sequence[Person], theirs: Any, mine: Any
) -> list[tuple[Any, ...]]:
    """The first few answers that differ; every unit has an answer for every flag in both."""
    assert len(theirs) == len(mine) == len(units) >= UNITS
    assert all(len(each) == len(flags) for each in (*theirs, *mine))
    found = [
        (flag, unit, attributes, one, other)
        for (unit, attributes), answers, others in zip(units, theirs, mine, strict=True)
        for flag, one, other in zip(flags, answers, others, strict=True)
        if one != other or type(one) is not type(other)
    ]
    return found[:5]
