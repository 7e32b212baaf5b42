"""What is kept steers nothing: without it, assignments and what steers them are as they were."""

from typing import Any

from allotment.change.commands import Keep
from allotment.change.kinds import KINDS, nouns_of
from tenant import PARAMETERS, Tenant, halves

UNITS = [f"device-{number}" for number in range(200)]
KNOWN: list[dict[str, Any]] = [
    {},
    {"country": "SE", "browser": "Chrome 1"},
    {"country": "FR", "browser": "Firefox"},
]
ITEM = ("variation_id", "segment_id", "weight", "is_fallback", "is_control")


def fill(api: Tenant) -> None:
    """Every shape of every noun."""
    flag, (control, new) = api.flag()
    nordics = api.segment()
    rules = [{"not_match": {"browser": {"contains": ["Chrome"]}}}]
    others = api.segment("Others", rules)
    api.patch(f"/segments/{others}", {"status": "archived"})
    api.post("/feature-flags", {"name": "Idle", "description": "Text", "parameters": PARAMETERS})
    segments = [
        {"variation_id": new, "segment_id": nordics, "priority": 7, "is_control": False},
        {"variation_id": new, "segment_id": others, "is_control": False},
        {"variation_id": control, "is_fallback": True, "priority": 3, "is_control": True},
    ]
    shapes: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
        (halves(control, new, new, weights=(33.5, 60, 6.5)), {}),
        (halves(new, control), {"levels": [0, 20, 60, 100]}),
        (segments, {"allocation_strategy": "segment"}),
        (segments, {"allocation_strategy": "segment", "levels": [40, 90]}),
    ]
    for status in ("draft", "completed", "archived", "paused", "active"):
        for number, (items, more) in enumerate(shapes):
            body = {**more, "name": f"Shape {number} {status}"}
            one = api.experiment(flag, items, **body, description="Some text")["id"]
            for step in _STEPS[status]:
                api.patch(f"/experiments/{one}", {"status": step})
                if step == "active" and "levels" in more:
                    following = {"target_level": more["levels"][1]}
                    api.post(f"/experiments/{one}/advance-ramp", following)
            if status == "active" and number < len(shapes) - 1:
                # One is active at a time; the others are looked at natively.
                api.apply(Keep("experiment", _key(api, one), "auth0/authentication_flow", None))
    api.experiment(flag, name="Empty", allocation_strategy="segment")
    both = [{**item, "is_control": True} for item in halves(control, new)]
    api.experiment(flag, both, name="Two controls")


_STEPS = {
    "draft": (),
    "active": ("active",),
    "paused": ("active", "paused"),
    "completed": ("active", "completed"),
    "archived": ("active", "completed", "archived"),
}


def _key(api: Tenant, one: str) -> str:
    name = api.get(f"/experiments/{one}")["name"]
    (key,) = (key for key, noun in api.catalog.experiments.items() if noun.name == name)
    return key


def assignments(api: Tenant) -> list[Any]:
    answers = []
    for experiment in api.catalog.experiments:
        for known in KNOWN:
            for unit in UNITS:
                one = api.engine.assign(experiment, unit, known)
                answers.append((one.treatment, one.reason, one.variations, one.is_control))
    for flag in api.catalog.flags:
        answers.extend(api.engine.resolve(flag, unit, KNOWN[1]) for unit in UNITS)
    return answers


def steering(api: Tenant) -> dict[str, Any]:
    """What each noun shows that steers anything."""
    shown: dict[str, Any] = {}
    pages = ("/experiments?take=50", "/experiments?take=50&status=archived")
    for one in [one for page in pages for one in api.get(page)["experiments"]]:
        if one["name"] in ("Empty", "Two controls"):
            # No strategy and no control can be told from these, which assign nobody: that is why
            # what was sent is kept. They cannot start, with or without it. Only the limit of one
            # active experiment asks who carries a flow.
            errors = api.post(f"/experiments/{one['id']}/validate")["errors"]
            codes = {error["code"] for error in errors} - {"experiment_active_limit_exceeded"}
            assert "experiment_missing_control" in codes
            shown[one["id"]] = codes
            continue
        named = ("status", "allocation_strategy", "feature_flag_id", "assignment_config")
        shown[one["id"]] = {
            **{name: one[name] for name in named},
            "current_level": one["current_level"],
            "moments": (one.get("started_at"), one.get("ended_at")),
            "items": [{name: item.get(name) for name in ITEM} for item in one["allocations"]],
            # The fallback is asked last, whatever it was given.
            "priorities": [
                item.get("priority") for item in one["allocations"] if not item.get("is_fallback")
            ],
        }
    for one in api.get("/feature-flags")["feature_flags"]:
        parameters = one["parameters"].items()
        shown[one["id"]] = {
            "status": one["status"],
            "parameters": {name: (each["type"], each["value"]) for name, each in parameters},
            "overrides": [
                (each["id"], each["overrides"])
                for each in api.get(f"/feature-flags/{one['id']}/variations")["variations"]
            ],
        }
    for one in api.get("/segments")["segments"]:
        shown[one["id"]] = one["rules"]
    return shown


def test_whatever_is_kept_can_go_and_nothing_is_steered_otherwise(api: Tenant) -> None:
    fill(api)
    kept = [
        (kind, key, path)
        for kind in KINDS
        for key, noun in nouns_of(api.catalog, kind).items()
        for path, _ in noun.kept
    ]
    assert {path.rpartition("/")[2] for _, _, path in kept} == {
        *("allocation_strategy", "authentication_flow", "controls", "created_at"),
        *("fallback_priority", "levels", "parameters", "status", "updated_at"),
    }, "every kind of kept value is here; a new one needs its shape above"
    before = assignments(api), steering(api), api.engine.snapshot.fingerprint
    api.apply(*(Keep(kind, key, path, None) for kind, key, path in kept))
    assert not any(noun.kept for kind in KINDS for noun in nouns_of(api.catalog, kind).values())
    after = assignments(api), steering(api), api.engine.snapshot.fingerprint
    assert after == before
    assert len({answer[0] for answer in before[0] if isinstance(answer, tuple)}) > 2
