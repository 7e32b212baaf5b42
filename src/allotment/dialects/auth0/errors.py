"""The words of this API's errors: its codes, its sentences, and what ours are in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NoReturn

from allotment.change.obstacles import ObstacleCode
from allotment.dialects.wire.model import WORDS as STATUS_WORDS
from allotment.dialects.wire.model import Refusal
from allotment.dialects.wire.source import Tree
from allotment.errors import AllotmentError, InvalidInput

# Where a query stands in the paths of errors.
QUERY: Final = "query"

# How each noun is called in a code, and in a sentence.
WORDS: Final = {
    "experiment": ("experiment", "experiment"),
    "flag": ("feature_flag", "feature flag"),
    "variation": ("variation", "variation"),
    "segment": ("segment", "segment"),
}

_NO_ITEMS: Final = ("experiment_missing_allocations", "Experiment has no allocations")
_WEIGHTS: Final = ("experiment_invalid_allocation_weights", "Allocation weights must sum to 100")

# What keeps an experiment from running, as `validate` calls it, in a code and in a sentence.
OBSTACLES: Final[dict[str, tuple[str, str]]] = {
    ObstacleCode.FLAG_NOT_ON: ("feature_flag_not_active", "Feature flag not found"),
    ObstacleCode.NO_TREATMENT: _NO_ITEMS,
    ObstacleCode.NO_ALLOCATION: _NO_ITEMS,
    ObstacleCode.NO_CONTROL: (
        "experiment_missing_control",
        "Exactly one allocation must be the control",
    ),
    ObstacleCode.WEIGHTS: _WEIGHTS,
    ObstacleCode.NO_WEIGHT: _WEIGHTS,
    ObstacleCode.NO_FALLBACK: (
        "experiment_missing_default",
        "Exactly one allocation must be the fallback",
    ),
    ObstacleCode.FOREIGN_VARIATION: (
        "variation_not_from_flag",
        "Variation does not belong to the referenced feature flag",
    ),
    ObstacleCode.ACTIVE_LIMIT: (
        "experiment_active_limit_exceeded",
        "Another experiment is active; pause or complete it first",
    ),
}

# What the lifecycle refuses, by how its codes begin.
_LIFECYCLE: Final = (
    ("not_while_", "experiment_field_not_editable"),
    ("no_way_from_", "experiment_status_transition_not_allowed"),
)

# What is malformed, by where its path begins; anything else is in a body.
_PLACES: Final = (
    (QUERY, "invalid_query_string"),
    ("headers", "invalid_header"),
    ("path", "invalid_uri"),
    ("", "invalid_body"),
)

# Errors without a class of their own.
_STATUSES: Final = {
    **STATUS_WORDS,
    401: "invalid_token",
    403: "insufficient_scope",
    422: "idempotency_key_reused",
}


def missing(kind: str) -> NoReturn:
    """Raise the 404 for a noun that an id in a path does not name."""
    code, word = WORDS[kind]
    raise Refusal(404, f"{code}_not_found", f"There is no such {word}")


def name_taken(kind: str) -> Refusal:
    """The 409 for a name that another noun of the kind has."""
    code, word = WORDS[kind]
    article = "An" if word[0] in "aeiou" else "A"
    return Refusal(409, f"{code}_already_exists", f"{article} {word} with this name already exists")


def in_use(kind: str, why: str) -> Refusal:
    """The 409 for a noun that something refers to."""
    code, word = WORDS[kind]
    return Refusal(409, f"{code}_in_use", f"The {word} is in use: {why}")


def show_error(error: AllotmentError) -> dict[str, Tree]:
    """The body of an error: its status, the status's name, a sentence and a code."""
    return {
        "statusCode": error.status_hint,
        "error": HTTPStatus(error.status_hint).phrase,
        "message": str(error),
        "errorCode": _code(error),
    }


def _code(error: AllotmentError) -> str:
    if isinstance(error, Refusal):
        return error.code
    if error.code in OBSTACLES:
        return OBSTACLES[error.code][0]
    for prefix, code in _LIFECYCLE:
        if error.code.startswith(prefix):
            return code
    if error.status_hint != 400:
        return _STATUSES.get(error.status_hint, "internal_error")
    if isinstance(error, InvalidInput):
        return next(code for place, code in _PLACES if error.path.startswith(place))
    return "invalid_change"
