"""The fields of an instance, as the vendor's page lists them: what each holds, and whose they are.

What the page shows as `{}` is a message, a time or the word of an enumeration: it may be anything
but where the page says more. Its lists are of objects. Those are kept as they come; the treatments
alone are read, and what they hold stands in `treatments`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from allotment.dialects.confidence.kept import Values
from allotment.dialects.wire.mask import Part, Shape
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree

_TEXT_MAX: Final = 65_536
_ITEMS_MAX: Final = 10_000


class Holds(Enum):
    """What a field may hold."""

    TEXT = "text"
    TRUTH = "true or false"
    NUMBER = "a number"
    OBJECT = "an object"
    OBJECTS = "a list of objects"
    TEXTS = "a list of text"
    LABELS = "an object, or a list of objects"
    ANYTHING = "anything"


Fields: TypeAlias = "Mapping[str, Fields | Holds]"

TEXT, TRUTH, NUMBER, OBJECT, OBJECTS, TEXTS, LABELS, ANYTHING = Holds

# Fields that a request sets outside of the modules.
OWN: Final[dict[str, Holds]] = {
    "displayName": TEXT,
    "owner": TEXT,
    "jobQueue": OBJECT,
    "workflowVersion": TEXT,
    "surfaces": TEXTS,
    "labels": LABELS,
}

# What is told of an instance and never set: in a body it is passed over, in a mask refused.
OUTPUT: Final = (
    "name",
    "state",
    "createTime",
    "updateTime",
    "creator",
    "updater",
    "pendingTransition",
    "checks",
    "stateHistory",
    "possibleTransitions",
    "lockedDataKeys",
    "transitionStatus",
    "deleteTime",
)

MODULES: Final[dict[str, dict[str, Holds]]] = {
    "abtest": {"flag": TEXT, "rollout": TEXT, "treatments": OBJECTS},
    "decision": {"conclusion": TEXT, "outcome": ANYTHING, "treatment": TEXT},
    "explore": {"exploratoryAnalyses": OBJECTS},
    "exposure": {"exposure": OBJECTS},
    "flags": {
        "audiences": OBJECTS,
        "flag": TEXT,
        "ignoreTargetingForSticky": TRUTH,
        "intakePaused": TRUTH,
        "materialization": TEXT,
        "rule": TEXT,
        "segment": TEXT,
        "stickyAssignments": TRUTH,
        "targetingKeySelector": TEXT,
    },
    "hypothesis": {"text": TEXT},
    "metrics": {
        "bucket": ANYTHING,
        "metrics": OBJECTS,
        "assignmentTable": TEXT,
        "entity": TEXT,
        "exposureCalculation": TEXT,
        "exposureFilter": ANYTHING,
        "exposureMetric": TEXT,
        "exposureMetricCalculation": TEXT,
        "exposureMetricSchedule": TEXT,
        "exposureTable": TEXT,
        "exposureTableSchedule": TEXT,
        "filters": OBJECTS,
    },
    "planning": {"actual": ANYTHING, "planned": ANYTHING},
    "recommendations": {"recommendations": OBJECTS, "treatmentRecommendations": OBJECTS},
    "report": {"sections": OBJECTS, "name": TEXT},
    "reviews": {
        "approvalRequired": TRUTH,
        "optionalReviews": OBJECTS,
        "requiredReviews": OBJECTS,
        "reviewId": TEXT,
        "status": ANYTHING,
    },
    "samplesize": {
        "error": TEXT,
        "exposure": ANYTHING,
        "exposureSource": ANYTHING,
        "metrics": OBJECTS,
        "requiredSampleSize": ANYTHING,
        "state": ANYTHING,
        "statsParameters": ANYTHING,
    },
    "stats": {
        "alpha": NUMBER,
        "analysisResult": TEXT,
        "analysisResults": OBJECTS,
        "fallbackSampleSize": TEXT,
        "metricInformation": OBJECTS,
        "metricMethods": OBJECTS,
        "power": NUMBER,
        "testHorizonStrategy": ANYTHING,
    },
}

WRITABLE: Final[Fields] = {**OWN, **MODULES}


def _shape(fields: Fields) -> Shape:
    return {name: _part(holds) for name, holds in fields.items()}


def _part(holds: Fields | Holds) -> Shape | Part:
    if isinstance(holds, Holds):
        return Part.OPEN if holds in (OBJECT, LABELS, ANYTHING) else Part.LEAF
    return _shape(holds)


# What a mask may name, were it not for those that it must not.
SHAPE: Final[Shape] = {**_shape(WRITABLE), **dict.fromkeys(OUTPUT, Part.OPEN)}


def read_document(body: Place) -> Values:
    """What a body gives that a request may set; raises InvalidInput for what does not belong there.

    A null says that there is nothing, as in all JSON of protocol buffers.
    """
    body.fields((*WRITABLE, *OUTPUT))
    return _read(body, WRITABLE)


def _read(place: Place, fields: Fields) -> Values:
    found: Values = {}
    for name, holds in fields.items():
        value = place.at(name)
        if not value.given:
            continue
        if value.null:
            found[name] = None
        elif isinstance(holds, Holds):
            found[name] = _value(value, holds)
        else:
            found[name] = _read(value.fields(tuple(holds)), holds)
    return found


def _value(place: Place, holds: Holds) -> Tree:
    if holds is Holds.LABELS:
        holds = Holds.OBJECT if isinstance(place.value, dict) else Holds.OBJECTS
    match holds:
        case Holds.TEXT:
            place.text(0, _TEXT_MAX)
        case Holds.TRUTH:
            place.truth()
        case Holds.NUMBER:
            if isinstance(place.value, bool) or not isinstance(place.value, int | float):
                raise place.refusal("a number belongs here")
        case Holds.OBJECT:
            place.entries(0, _ITEMS_MAX)
        case Holds.OBJECTS | Holds.TEXTS:
            for item in place.items(0, _ITEMS_MAX):
                _value(item, Holds.TEXT if holds is Holds.TEXTS else Holds.OBJECT)
    return place.tree()


def without_nulls(document: Values, fields: Fields = WRITABLE) -> Values:
    """The document without the fields that hold nothing, and the modules that have none."""
    found: Values = {}
    for name, value in document.items():
        holds = fields.get(name)
        if isinstance(holds, Mapping) and isinstance(value, dict):
            value = without_nulls(value, holds) or None  # noqa: PLW2901
        if value is not None:
            found[name] = value
    return found
