"""What is kept steers nothing: without it, assignments and what steers them are as they were."""

from typing import Any

from allotment.change.commands import Keep
from allotment.change.kinds import KINDS, nouns_of
from workspace import INSTANCES, MODULES, OWN, UNITS, Workspace, arms, every_field

KNOWN: list[dict[str, Any]] = [{}, {"country": "SE"}, {"country": "FR"}]
TOLD = ("name", "state", "stateHistory", "possibleTransitions", "checks", "lockedDataKeys")
SWITCHES = ("stickyAssignments", "ignoreTargetingForSticky", "intakePaused")


def fill(api: Workspace) -> None:
    """Instances of every shape, at every state."""
    api.segment()
    named = [
        {**one, "name": f"arm {n}", "displayName": f"Arm {n}", "description": "x", "imageUri": "y"}
        for n, one in enumerate(arms(3000, 4000, 500))
    ]
    shapes: list[dict[str, Any]] = [
        every_field(),
        {"abtest": {"treatments": named}, "hypothesis": {"text": "x"}},
        {"abtest": {"treatments": arms(10, 20)}, "flags": dict.fromkeys(SWITCHES, True)},
        {"abtest": {"treatments": arms(1, 1)}, "flags": {"targetingKeySelector": "visitor"}},
    ]
    for state in ("draft", "live", "ended"):
        for number, shape in enumerate(shapes):
            made = api.post(INSTANCES, {**shape, "displayName": f"Shape {number} {state}"})
            for step in ("live", "ended")[: ("draft", "live", "ended").index(state)]:
                made = api.move(made, step)
    api.post(INSTANCES, {"displayName": "Bare", "flags": {"rule": "flags/f/rules/r"}})


def assignments(api: Workspace) -> list[Any]:
    answers = []
    for experiment in api.catalog.experiments:
        for known in KNOWN:
            for unit in UNITS[:200]:
                one = api.engine.assign(experiment, unit, known)
                answers.append((one.treatment, one.reason, one.variations, one.is_control))
    answers.extend(api.engine.resolve("button", unit, KNOWN[1]) for unit in UNITS)
    return answers


def steering(api: Workspace) -> list[Any]:
    """What each instance shows that steers anything."""
    shown = []
    for one in api.get(INSTANCES)["abtests"]:
        abtest, flags = one.get("abtest", {}), one["flags"]
        fields = ("flag", "segment", "targetingKeySelector", *SWITCHES)
        shown.append(
            {
                **{name: one[name] for name in TOLD},
                "flag": abtest.get("flag"),
                "arms": [(arm["variant"], arm["weight"]) for arm in abtest.get("treatments", [])],
                **{f"flags.{name}": flags.get(name) for name in fields},
            }
        )
    return shown


def test_whatever_is_kept_can_go_and_nothing_is_steered_otherwise(api: Workspace) -> None:
    fill(api)
    kept = [
        (kind, key, path)
        for kind in KINDS
        for key, noun in nouns_of(api.catalog, kind).items()
        for path, _ in noun.kept
    ]
    fields = {*OWN, *MODULES, "treatments"} - {"displayName"}
    assert {path for _, _, path in kept} == {f"confidence/{name}" for name in fields}, (
        "every kind of kept value is here; a new one needs its shape above"
    )
    before = assignments(api), steering(api), api.engine.snapshot.fingerprint
    api.apply(*(Keep(kind, key, path, None) for kind, key, path in kept))
    assert not any(noun.kept for kind in KINDS for noun in nouns_of(api.catalog, kind).values())
    after = assignments(api), steering(api), api.engine.snapshot.fingerprint
    assert after == before
    assert len({answer[0] for answer in before[0] if isinstance(answer, tuple)}) > 2
