"""`allotment.testing`: what a test forces holds for every way to ask, where it is forced."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import allotment
from allotment import Engine, InvalidInput
from allotment.testing import ForcedEngine

CATALOG = """\
allotment: 1
segments:
  nobody: {rules: [{attribute: country, in: [XX]}]}
flags:
  button:
    default: grey
    state: "off"
    variations: {grey: grey, green: green, blue: {value: {colour: blue, border: 1}}}
    experiments: [early, checkout]
experiments:
  early:
    state: running
    treatments: {a: {sets: {button: grey}}, b: {sets: {button: grey}}}
    allocations: [{weights: {a: 50, b: 50}}]
  checkout:
    state: paused
    audience: nobody
    keeps_assignments: true
    treatments: {control: {control: true, sets: {button: grey}}, green: {sets: {button: green}}}
    allocations: [{weights: {control: 100}}]
    overrides: {fixed: control}
"""

WAYS: dict[str, Callable[[Engine, str], str | None]] = {
    "assign": lambda engine, unit: engine.assign("checkout", unit).treatment,
    "assign_all": lambda engine, unit: engine.assign_all(unit)["checkout"].treatment,
    "assign_many": lambda engine, unit: engine.assign_many("checkout", [unit])[0],
    "assign_table": lambda engine, unit: engine.assign_table([unit])["checkout"][0],
    "explain": lambda engine, unit: engine.explain("checkout", unit).assignment.treatment,
    "stored": lambda engine, unit: engine.assign("checkout", unit, stored="control").treatment,
}


def real() -> ForcedEngine:
    return ForcedEngine(allotment.load(CATALOG).catalog)


@pytest.mark.parametrize("engine", [ForcedEngine(), real()], ids=["free", "of a catalog"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("unit", ["user-1", "fixed"])
def test_every_way_to_ask_gives_what_is_forced(engine: Engine, way: str, unit: str) -> None:
    assert isinstance(engine, ForcedEngine)
    with engine.forced(checkout="green"):
        assert WAYS[way](engine, unit) == "green"
    assert engine.assign("checkout", "user-1").treatment is None


def test_without_a_catalog_all_else_is_unknown() -> None:
    engine = ForcedEngine()
    with engine.forced({"checkout-page": "new"}, flags={"max-items": 7, "on": True, "none": None}):
        assert engine.assign("checkout-page", 17).treatment == "new"
        assert engine.assign("other", 17).reason == "UNKNOWN_EXPERIMENT"
        assert engine.assign("checkout-page", "").reason == "NO_UNIT"
        assert [engine.resolve(flag, 17).value for flag in ("max-items", "on", "none")] == [
            *(7, True, None)
        ]
        assert engine.resolve("other", 17).variation is None
    assert engine.resolve("max-items", 17).variation is None


def test_with_a_catalog_what_is_not_forced_is_as_in_production() -> None:
    engine, plain = real(), allotment.load(CATALOG)
    with engine.forced(checkout="green"):
        for unit in range(50):
            assert engine.assign("early", unit) == plain.assign("early", unit)


def test_a_forced_treatment_sets_its_flags_before_all_other_experiments() -> None:
    engine = real()
    assert engine.resolve("button", "user-1").value == "grey"
    with engine.forced(checkout="green"):
        resolution = engine.resolve("button", "user-1")
        assert (resolution.value, resolution.experiment) == ("green", "checkout")
        assert engine.assign("checkout", "user-1").variations == {"button": "green"}
        with engine.forced(flags={"button": {"border": 1, "colour": "blue"}}):
            assert engine.resolve("button", "user-1").variation == "blue"
        assert engine.resolve("button", "user-1").value == "green"


def test_blocks_nest_and_end_with_what_was_before_also_after_an_error() -> None:
    engine = ForcedEngine()
    with engine.forced(checkout="green", search="new"):
        with engine.forced(checkout="blue"):
            assert engine.assign("search", 1).treatment == "new"
            assert engine.assign("checkout", 1).treatment == "blue"
        with suppress(ZeroDivisionError), engine.forced(checkout="blue"):
            raise ZeroDivisionError
        assert engine.assign("checkout", 1).treatment == "green"


def test_another_thread_sees_nothing_of_it() -> None:
    engine, seen = ForcedEngine(), []
    with engine.forced(checkout="green"):
        thread = threading.Thread(target=lambda: seen.append(engine.assign("checkout", 1)))
        thread.start()
        thread.join()
    assert [each.treatment for each in seen] == [None]


def test_tasks_see_what_they_force_and_what_their_maker_did() -> None:
    engine = ForcedEngine()

    async def ask(treatment: str) -> list[str | None]:
        found = [engine.assign("checkout", 1).treatment]
        with engine.forced(checkout=treatment):
            await asyncio.sleep(0)
            found.append(engine.assign("checkout", 1).treatment)
        return found

    async def both() -> list[list[str | None]]:
        with engine.forced(checkout="outer"):
            return list(await asyncio.gather(ask("green"), ask("blue")))

    assert asyncio.run(both()) == [["outer", "green"], ["outer", "blue"]]


def test_units_of_another_kind() -> None:
    engine = ForcedEngine()
    with engine.forced(checkout="green", unit="device"):
        assert engine.assign("checkout", {"device": "d", "user": "u"}).treatment == "green"
        assert engine.assign("checkout", {"user": "u"}).reason == "NO_UNIT"


@pytest.mark.parametrize(
    ("engine", "treatments", "flags", "said"),
    [
        (real(), {"chekout": "green"}, {}, "'chekout' in the catalog; do you mean 'checkout'?"),
        (real(), {"checkout": "gren"}, {}, "its treatments are control, green, not gren"),
        (real(), {}, {"buton": "green"}, "'buton' in the catalog; do you mean 'button'?"),
        (real(), {}, {"button": "red"}, 'its values are "grey", "green", {"border":1'),
        (real(), {}, {"button": {"border": 1.0, "colour": "blue"}}, "its values are"),
        (ForcedEngine(), {"a b": "green"}, {}, "$.a b"),
        (ForcedEngine(), {"a": "gr een"}, {}, "$.a"),
        (ForcedEngine(), {}, {"button": float("nan")}, "this is no value of JSON"),
        (ForcedEngine(), {}, {"button": (1, 2)}, "this is no value of JSON"),
        (ForcedEngine(), {}, {"button": object()}, "this is no value of JSON"),
        (ForcedEngine(), {}, {"button": {1: 2}}, "this is no value of JSON"),
    ],
)
def test_what_cannot_be_forced_is_refused_and_nothing_is(
    engine: ForcedEngine, treatments: dict[str, str], flags: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput) as refused, engine.forced(treatments, flags=flags):
        pytest.fail("it was forced")
    assert said in str(refused.value)
    assert engine.resolve("button", 1).value in {"grey", None}


def test_pytest_has_a_fixture(tmp_path: Path) -> None:
    test = tmp_path / "test_theirs.py"
    test.write_text(
        "def test_page(forced_engine):\n"
        "    with forced_engine.forced(page='new'):\n"
        "        assert forced_engine.assign('page', 'u').treatment == 'new'\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_it_can_be_sent_to_another_process_and_published_to() -> None:
    engine = real()
    with engine.forced(checkout="green"):
        sent = pickle.loads(pickle.dumps(engine))
    assert sent.assign("checkout", 1).treatment is None
    live = CATALOG.replace("paused", "running").replace('"off"', '"on"')
    engine.publish(allotment.load(live).snapshot)
    assert engine.assign("checkout", 1).reason == "NOT_IN_AUDIENCE"
    with engine.forced(checkout="green"):
        assert engine.assign("checkout", 1).treatment == "green"
    with ForcedEngine().forced(checkout="green"):
        assert engine.assign("checkout", 1).treatment is None
