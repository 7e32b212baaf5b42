"""What can be changed of all that steers: natively, and by each API that can say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from allotment.change.commands import (
    ArchiveExperiment,
    Command,
    Create,
    DraftIteration,
    EndIteration,
    OrderExperiments,
    PauseIteration,
    Replace,
    Reserve,
    ResumeIteration,
    SetAllocations,
    SetAudience,
    SetEnrolment,
    SetHoldout,
    SetHoldoutShare,
    SetIntake,
    SetKeeping,
    SetMembers,
    SetOverrides,
    SetRules,
    SetSample,
    SetTreatments,
    SetUnit,
    SetVariations,
    SetWeights,
    StartIteration,
    SwitchFlag,
)
from allotment.dialects.auth0.names import id_of as auth0_id
from allotment.dialects.confidence.names import instance_name
from allotment.dialects.launchdarkly.ids import id_of as hex_id
from allotment.model.experiment import Allocation, Experiment, Iteration, State, Treatment
from allotment.model.flag import FlagExperiment, FlagState, Miss, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.profile import Draw
from allotment.model.segment import IdList, Sample, Segment
from laws.views.begin import BLUE, BUTTON, EVERYONE, GREEN, NOUNS, SETS, country, iteration
from laws.views.world import LAUNCHDARKLY, Call

AUTH0: Final = "/api/v2/experimentation"
HERE: Final = f"{LAUNCHDARKLY}/environments/production"

RED: Final = Treatment("red", sets=SETS["red"])
UNEVEN: Final = (("blue", 30), ("green", 50))
UNLIKE: Final = Allocation("everyone", (("blue", 20), ("green", 80)), 100)


@dataclass(frozen=True)
class Change:
    """One change of what steers.

    fields    what it changes of the model
    commands  how it is done natively
    ways      how it is done by each API that can
    shown_by  the APIs that can say it, beside those that can do it
    afresh    whether a salt is made anew, which differs each time
    """

    name: str
    fields: tuple[str, ...]
    commands: tuple[Command, ...]
    ways: Mapping[str, tuple[Call, ...]] = field(default_factory=dict)
    shown_by: tuple[str, ...] = ()
    afresh: bool = False

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def by_auth0(key: str, body: Any) -> Call:
    return Call("PATCH", f"{AUTH0}/experiments/{auth0_id('experiment', key)}", body)


def by_launchdarkly(path: str, *instructions: Any) -> Call:
    body = {"environmentKey": "production", "instructions": list(instructions)}
    return Call("PATCH", path, body, semantic=True)


def experiment_by_launchdarkly(key: str, *instructions: Any) -> Call:
    return by_launchdarkly(f"{HERE}/experiments/{key}", *instructions)


def by_confidence(key: str, body: Any) -> Call:
    return Call("PATCH", f"/v1/{instance_name(key)}", body)


def moved_by_confidence(key: str, state: str) -> Call:
    return Call("POST", f"/v1/{instance_name(key)}:transition", {"targetState": state})


def variation(color: str, api: str) -> str:
    if api == "confidence":
        return f"flags/button/variants/{color}"
    return (auth0_id if api == "auth0" else hex_id)("variation", "button", color)


def auth0_items(control: str, **weights: int) -> list[dict[str, Any]]:
    return [
        {"variation_id": variation(color, "auth0"), "weight": w, "is_control": color == control}
        for color, w in weights.items()
    ]


def launchdarkly_treatments(baseline: str, **weights: int) -> list[dict[str, Any]]:
    return [
        {
            "name": color,
            "baseline": color == baseline,
            "allocationPercent": str(weight),
            "parameters": [{"flagKey": "button", "variationId": variation(color, "launchdarkly")}],
        }
        for color, weight in weights.items()
    ]


def launchdarkly_iteration(baseline: str, *, reshuffle: bool, **weights: int) -> dict[str, Any]:
    otherwise = variation("blue", "launchdarkly")
    return {
        "hypothesis": "It helps",
        "metrics": [{"key": "sales"}],
        "primarySingleMetricKey": "sales",
        "randomizationUnit": "user",
        "canReshuffleTraffic": reshuffle,
        "treatments": launchdarkly_treatments(baseline, **weights),
        "flags": {
            "button": {
                "ruleId": "fallthrough",
                "flagConfigVersion": 1,
                "notInExperimentVariationId": otherwise,
            }
        },
    }


def confidence_treatments(**weights: int) -> list[dict[str, Any]]:
    return [
        {"variant": variation(color, "confidence"), "weight": weight * 100}
        for color, weight in weights.items()
    ]


def updated(name: str, value: Any) -> dict[str, Any]:
    fields = {name: {"operation": "update", "value": value}}
    return {"kind": "updateExperimentFields", "value": fields}


def listed(*more: FlagExperiment, of: str = "") -> OrderExperiments:
    there = [each.key for each in NOUNS if isinstance(each, Experiment) and each.key != of]
    return OrderExperiments("button", (*(FlagExperiment(key) for key in there), *more))


START: Final = Change(
    "an experiment is started",
    ("Iteration.state",),
    (StartIteration("drafted", at=1),),
    {
        "auth0": (by_auth0("drafted", {"status": "active"}),),
        "launchdarkly": (experiment_by_launchdarkly("drafted", {"kind": "startIteration"}),),
        "confidence": (moved_by_confidence("drafted", "live"),),
    },
)
STOP: Final = Change(
    "an experiment is stopped",
    ("Iteration.state",),
    (EndIteration("first", "blue", at=1),),
    {
        "auth0": (by_auth0("first", {"status": "completed"}),),
        "launchdarkly": (
            experiment_by_launchdarkly(
                "first",
                {
                    "kind": "stopIteration",
                    "winningTreatmentId": hex_id("treatment", "first", "1", "blue"),
                },
            ),
        ),
        "confidence": (moved_by_confidence("first", "ended"),),
    },
)
PAUSE: Final = Change(
    "an experiment is paused",
    ("Iteration.state",),
    (PauseIteration("first"),),
    {"auth0": (by_auth0("first", {"status": "paused"}),)},
)
RESUME: Final = Change(
    "an experiment goes on",
    ("Iteration.state",),
    (ResumeIteration("paused"),),
    {"auth0": (by_auth0("paused", {"status": "active"}),)},
)
ARCHIVE: Final = Change(
    "an experiment is put away",
    ("Experiment.archived",),
    (ArchiveExperiment("stopped"),),
    {
        "auth0": (by_auth0("stopped", {"status": "archived"}),),
        "launchdarkly": (experiment_by_launchdarkly("stopped", {"kind": "archiveExperiment"}),),
    },
)
WEIGHTS: Final = Change(
    "weights are set that leave a gap",
    ("Allocation.weights", "Allocation.total", "Allocation.slots", "Iteration.allocations"),
    (SetWeights("drafted", "everyone", UNEVEN, 100),),
    {
        "auth0": (by_auth0("drafted", {"allocations": auth0_items("blue", blue=30, green=50)}),),
        "launchdarkly": (
            experiment_by_launchdarkly(
                "drafted",
                updated("treatments", launchdarkly_treatments("blue", blue=30, green=50)),
            ),
        ),
        "confidence": (
            by_confidence(
                "drafted", {"abtest": {"treatments": confidence_treatments(blue=30, green=50)}}
            ),
        ),
    },
)
TREATMENTS: Final = Change(
    "a treatment joins",
    ("Iteration.treatments", "Treatment.sets"),
    (
        SetTreatments("drafted", (BLUE, GREEN, RED), "blue"),
        SetAllocations(
            "drafted",
            (Allocation("everyone", (("blue", 30), ("green", 50), ("red", 20)), 100),),
        ),
    ),
    {
        "auth0": (
            by_auth0("drafted", {"allocations": auth0_items("blue", blue=30, green=50, red=20)}),
        ),
        "launchdarkly": (
            experiment_by_launchdarkly(
                "drafted",
                updated("treatments", launchdarkly_treatments("blue", blue=30, green=50, red=20)),
            ),
        ),
        "confidence": (
            by_confidence(
                "drafted",
                {"abtest": {"treatments": confidence_treatments(blue=30, green=50, red=20)}},
            ),
        ),
    },
)
CONTROL: Final = Change(
    "another treatment is the control",
    ("Iteration.control",),
    (SetTreatments("drafted", (BLUE, GREEN), "green"),),
    {
        "auth0": (by_auth0("drafted", {"allocations": auth0_items("green", blue=50, green=50)}),),
        "launchdarkly": (
            experiment_by_launchdarkly(
                "drafted",
                updated("treatments", launchdarkly_treatments("green", blue=50, green=50)),
            ),
        ),
    },
)
UNIT: Final = Change(
    "another kind of unit is counted",
    ("Experiment.unit",),
    (SetUnit("drafted", "account"),),
    {
        "launchdarkly": (
            experiment_by_launchdarkly("drafted", updated("randomizationUnit", "account")),
        ),
        "confidence": (by_confidence("drafted", {"flags": {"targetingKeySelector": "account"}}),),
    },
    shown_by=("auth0",),
)
RAMP: Final = Change(
    "a ramp begins",
    ("Iteration.enrolment_ppm",),
    (SetEnrolment("drafted", 250_000),),
    {"auth0": (by_auth0("drafted", {"levels": [25, 100]}),)},
)
AUDIENCE: Final = Change(
    "only some may take part",
    ("Iteration.audience",),
    (SetAudience("drafted", "nordics"),),
    {"confidence": (by_confidence("drafted", {"flags": {"segment": "segments/nordics"}}),)},
)
CARRIED: Final = Change(
    "an iteration is drafted that moves nobody",
    ("Experiment.iterations", "Iteration.reshuffle"),
    (DraftIteration("second", replace(iteration(State.DRAFT), allocations=(UNLIKE,))),),
    {
        "launchdarkly": (
            Call(
                "POST",
                f"{HERE}/experiments/second/iterations",
                launchdarkly_iteration("blue", reshuffle=False, blue=20, green=80),
            ),
        ),
    },
)
DEALT: Final = Change(
    "an iteration is drafted that is dealt afresh",
    ("Iteration.reshuffle",),
    (DraftIteration("second", replace(iteration(State.DRAFT), reshuffle=True)),),
    {
        "launchdarkly": (
            Call(
                "POST",
                f"{HERE}/experiments/second/iterations",
                launchdarkly_iteration("blue", reshuffle=True, blue=50, green=50),
            ),
        ),
    },
    afresh=True,
)
MADE_BY_DEVICE: Final = Change(
    "an experiment on devices is made",
    ("Experiment.unit", "Flag.experiments", "FlagExperiment.experiment"),
    (
        Create(Experiment("new-one", (iteration(State.DRAFT),), "New one", unit="device")),
        listed(FlagExperiment("new-one")),
    ),
    {
        "auth0": (
            Call(
                "POST",
                f"{AUTH0}/experiments",
                {
                    "name": "New one",
                    "feature_flag_id": auth0_id("flag", "button"),
                    "authentication_flow": "authentication",
                    "allocations": auth0_items("blue", blue=50, green=50),
                },
            ),
        ),
        "confidence": (
            Call(
                "POST",
                "/v1/workflows/abtest/instances",
                {
                    "displayName": "New one",
                    "flags": {"targetingKeySelector": "device"},
                    "abtest": {
                        "flag": "flags/button",
                        "treatments": confidence_treatments(blue=50, green=50),
                    },
                },
            ),
        ),
    },
    shown_by=("launchdarkly",),
    afresh=True,
)
MADE_TO_STOP: Final = Change(
    "an experiment is made that says what all others get",
    ("Experiment.unit", "FlagExperiment.miss", "FlagExperiment.otherwise"),
    (
        Create(
            Experiment(
                "new-one", (iteration(State.DRAFT, reshuffle=True),), "New one", unit="account"
            )
        ),
        listed(FlagExperiment("new-one", Miss.STOP, "blue")),
    ),
    {
        "launchdarkly": (
            Call(
                "POST",
                f"{HERE}/experiments",
                {
                    "name": "New one",
                    "key": "new-one",
                    "iteration": {
                        **launchdarkly_iteration("blue", reshuffle=True, blue=50, green=50),
                        "randomizationUnit": "account",
                    },
                },
            ),
        ),
    },
    shown_by=("auth0", "confidence"),
    afresh=True,
)
BY_SEGMENT: Final = Change(
    "an experiment by segments is made",
    ("Allocation.segment", "Allocation.priority", "Allocation.fallback"),
    (
        Create(
            Experiment(
                "new-one",
                (
                    Iteration(
                        1,
                        (GREEN, BLUE),
                        (
                            Allocation("nordics", (("green", 1),), 1, "nordics", 1),
                            Allocation("fallback", (("blue", 1),), 1, None, 0, fallback=True),
                        ),
                        control="blue",
                    ),
                ),
                "New one",
                unit="device",
            )
        ),
        listed(FlagExperiment("new-one")),
    ),
    {
        "auth0": (
            Call(
                "POST",
                f"{AUTH0}/experiments",
                {
                    "name": "New one",
                    "feature_flag_id": auth0_id("flag", "button"),
                    "authentication_flow": "authentication",
                    "allocation_strategy": "segment",
                    "allocations": [
                        {
                            "variation_id": variation("green", "auth0"),
                            "segment_id": auth0_id("segment", "nordics"),
                            "priority": 1,
                            "is_control": False,
                        },
                        {
                            "variation_id": variation("blue", "auth0"),
                            "is_fallback": True,
                            "is_control": True,
                        },
                    ],
                },
            ),
        ),
    },
    afresh=True,
)
RESERVED: Final = Change(
    "an experiment gets part of a layer",
    ("Experiment.layer", "Layer.reservations", "Reservation.experiment", "Reservation.ranges"),
    (Reserve("checkout", "reserved", 200_000),),
    {
        "launchdarkly": (
            by_launchdarkly(
                f"{LAUNCHDARKLY}/layers/checkout",
                {
                    "kind": "updateExperimentReservation",
                    "experimentKey": "reserved",
                    "reservationPercent": 20,
                },
            ),
        ),
    },
)
LET_GO: Final = Change(
    "an experiment leaves its holdout",
    ("Experiment.holdout",),
    (SetHoldout("held", None),),
    {
        "launchdarkly": (
            by_launchdarkly(f"{HERE}/holdouts/year", {"kind": "removeExperiment", "value": "held"}),
        ),
    },
)
ENDED: Final = Change(
    "a holdout ends",
    ("Holdout.share_ppm",),
    (SetHoldoutShare("year", 0),),
    {"launchdarkly": (by_launchdarkly(f"{HERE}/holdouts/year", {"kind": "endHoldout"}),)},
)
STICKY: Final = Change(
    "assignments are kept",
    ("Experiment.keeps_assignments", "Experiment.ignore_targeting"),
    (SetKeeping("drafted", True, True),),
    {
        "confidence": (
            by_confidence(
                "drafted",
                {"flags": {"stickyAssignments": True, "ignoreTargetingForSticky": True}},
            ),
        ),
    },
)
CLOSED: Final = Change(
    "the intake is closed",
    ("Experiment.intake_open",),
    (SetIntake("first", False),),
    {"confidence": (by_confidence("first", {"flags": {"intakePaused": True}}),)},
)
FLAG_OFF: Final = Change(
    "a flag is turned off",
    ("Flag.state",),
    (SwitchFlag("button", FlagState.OFF),),
    {
        "launchdarkly": (by_launchdarkly("/api/v2/flags/default/button", {"kind": "turnFlagOff"}),),
    },
    shown_by=("auth0",),
)
FLAG_ARCHIVED: Final = Change(
    "a flag is put away",
    ("Flag.state",),
    (SwitchFlag("banner", FlagState.ARCHIVED),),
    {
        "auth0": (
            Call(
                "PATCH",
                f"{AUTH0}/feature-flags/{auth0_id('flag', 'banner')}",
                {"status": "archived"},
            ),
        ),
        "launchdarkly": (by_launchdarkly("/api/v2/flags/default/banner", {"kind": "archiveFlag"}),),
        "confidence": (Call("POST", "/v1/flags/banner:archive", {}),),
    },
)
VARIATIONS: Final = Change(
    "a variation joins",
    ("Flag.variations", "Variation.value"),
    (SetVariations("button", (*BUTTON.variations, Variation("grey", '{"color":"grey"}')), "blue"),),
    {
        "auth0": (
            Call(
                "POST",
                f"{AUTH0}/feature-flags/{auth0_id('flag', 'button')}/variations",
                {"name": "grey", "overrides": {"color": {"value": "grey"}}},
            ),
        ),
        "launchdarkly": (
            by_launchdarkly(
                "/api/v2/flags/default/button",
                {"kind": "addVariation", "value": {"color": "grey"}, "name": "grey"},
            ),
        ),
        "confidence": (
            Call("POST", "/v1/flags/button/variants?variantId=grey", {"value": {"color": "grey"}}),
        ),
    },
)
DEFAULT: Final = Change(
    "another variation is the default",
    ("Flag.default",),
    (SetVariations("button", BUTTON.variations, "red"),),
    {
        "launchdarkly": (
            by_launchdarkly(
                "/api/v2/flags/default/button",
                {
                    "kind": "updateFallthroughVariationOrRollout",
                    "variationId": variation("red", "launchdarkly"),
                },
            ),
        ),
    },
)
RULES: Final = Change(
    "a segment has other rules",
    ("Segment.rules",),
    (SetRules("nordics", country("DK")),),
    {
        "auth0": (
            Call(
                "PATCH",
                f"{AUTH0}/segments/{auth0_id('segment', 'nordics')}",
                {"rules": [{"match": {"country": ["DK"]}}]},
            ),
        ),
        "confidence": (
            Call(
                "PATCH",
                "/v1/segments/nordics?updateMask=targeting",
                {
                    "targeting": {
                        "criteria": {
                            "where": {
                                "attribute": {
                                    "attributeName": "country",
                                    "eqRule": {"value": {"stringValue": "DK"}},
                                }
                            }
                        },
                        "expression": {"and": {"operands": [{"ref": "where"}]}},
                    }
                },
            ),
        ),
    },
)
SAMPLED: Final = Change(
    "a segment is a larger sample",
    ("Segment.sample", "Sample.share_ppm", "Sample.ranges"),
    (SetSample("tenth", Sample(300_000, "tags", ("a",), ("a",))),),
    {
        "confidence": (
            Call(
                "PATCH",
                "/v1/segments/tenth?updateMask=allocation.proportion",
                {"allocation": {"proportion": {"value": "0.3"}}},
            ),
        ),
    },
)
ALLOCATED: Final = Change(
    "a segment is made that excludes another",
    ("Sample.layer", "Sample.tags", "Sample.exclusive_to"),
    (
        Create(Layer("confidence", "")),
        Create(
            Segment(
                "twentieth",
                "Twentieth",
                rules=EVERYONE,
                sample=Sample(50_000, "confidence", ("a",), ("a", "b")),
            )
        ),
    ),
    {
        "confidence": (
            Call(
                "POST",
                "/v1/segments?segmentId=twentieth",
                {
                    "displayName": "Twentieth",
                    "allocation": {
                        "proportion": {"value": "0.05"},
                        "exclusivityTags": ["a"],
                        "exclusiveTo": ["a", "b"],
                    },
                },
            ),
            Call("POST", "/v1/segments/twentieth:allocate", {}),
        ),
    },
    shown_by=("auth0", "launchdarkly"),
)
LAYERED: Final = Change(
    "a layer and a holdout are made",
    ("Holdout.unit",),
    (Create(Layer("search", "", "Search")), Create(Holdout("month", "", 50_000, "Month"))),
    {
        "launchdarkly": (
            Call(
                "POST",
                f"{LAUNCHDARKLY}/layers",
                {"key": "search", "name": "Search", "description": ""},
            ),
            Call(
                "POST",
                f"{HERE}/holdouts",
                {
                    "key": "month",
                    "name": "Month",
                    "randomizationunit": "user",
                    "holdoutamount": "5",
                    "primarymetrickey": "sales",
                    "metrics": [{"key": "sales"}],
                },
            ),
        ),
    },
)

FOREIGN: Final = iteration(
    State.DRAFT,
    salt="first",
    profile="eppo-1",
    enrolment_draw=Draw("unleash-rollout-1", "group"),
)

# What no vendor's API can say: it is changed natively, and the others show what they can.
NATIVE: Final = Change(
    "what only we have is changed",
    (
        *("Segment.include", "Segment.exclude", "Segment.unit", "Experiment.overrides"),
        *("Iteration.salt", "Layer.salt", "Layer.unit", "Holdout.salt", "Experiment.shared_salt"),
        *("Iteration.profile", "Iteration.enrolment_draw", "Layer.profile", "Holdout.profile"),
    ),
    (
        SetMembers("french", "user", IdList.of(["user-1"]), IdList.of(["user-2"])),
        SetOverrides("first", (("user-7", "green"),)),
        Replace(Experiment("drafted", (FOREIGN,), "Drafted", shared_salt=True)),
        Replace(Layer("checkout", "another", "Checkout", unit="account", profile="eppo-1")),
        Replace(Holdout("year", "another", 100_000, "Year", profile="statsig-layer-1")),
    ),
)
CHANGES: Final = (
    *(START, STOP, PAUSE, RESUME, ARCHIVE, WEIGHTS, TREATMENTS, CONTROL, UNIT, RAMP, AUDIENCE),
    *(CARRIED, DEALT, MADE_BY_DEVICE, MADE_TO_STOP, BY_SEGMENT, RESERVED, LET_GO, ENDED),
    *(STICKY, CLOSED, FLAG_OFF, FLAG_ARCHIVED, VARIATIONS, DEFAULT, RULES, SAMPLED),
    *(ALLOCATED, LAYERED, NATIVE),
)
