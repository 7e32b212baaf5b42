"""The 24 operations of `/api/v2/experimentation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from allotment.change.commands import Command
from allotment.change.lifecycle import Policy
from allotment.dialects.auth0 import experiments, flags, lists, ramp, segments, variations
from allotment.dialects.auth0.transitions import STATUSES
from allotment.dialects.auth0.validation import show_validation
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.server.auth0.errors import CONTENT_TYPE, show_error
from allotment.server.auth0.operation import described
from allotment.server.auth0.resources import EXPERIMENT, FLAG, SEGMENT, VARIATION, Resource
from allotment.server.auth0.schemas import Schema, all_of, page_of, ref
from allotment.server.problems import RENDERERS
from allotment.server.vendor import Endpoint, Noun, Read, Vendor
from allotment.store import Scope, Stored

BASE: Final = "/api/v2/experimentation"

router: Final = APIRouter()

RENDERERS["/api/v2/"] = show_error

_API: Final = Vendor(Policy.AUTH0, "auth0", CONTENT_TYPE)

_PAGED: Final[dict[str, Schema]] = {
    "from": {"type": "string", "minLength": 1, "maxLength": 1024},
    "take": {"type": "integer", "minimum": 1, "maximum": lists.TAKE_MAX, "default": lists.TAKE},
}
_TYPE: Final[Schema] = {"type": "string", "enum": [*lists.TYPES]}
_TEXT: Final[Schema] = {"type": "string"}


def _show_validation(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    return show_validation(stored.catalog.experiments[noun[1]], stored.catalog)


def _show_advance(_asked: Asked, noun: Noun, stored: Stored, done: Sequence[Command]) -> Tree:
    return ramp.show_advance(stored.catalog.experiments[noun[1]], bool(done))


def _show_variations(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    flag = stored.catalog.flags[noun[1]]
    return lists.list_variations(flag, stored.versions[":".join(noun)])


def _add(method: str, path: str, name: str, endpoint: Endpoint, said: Mapping[str, Any]) -> None:
    router.add_api_route(
        f"{BASE}{path}",
        endpoint,
        methods=[method],
        name=f"auth0_{name}",
        operation_id=f"auth0_{name}",
        openapi_extra=dict(said),
        response_class=Response,
        status_code=next(int(status) for status in said["responses"]),
    )


def _add_list(
    one: Resource, name: str, endpoint: Endpoint, answer: Schema, query: Mapping[str, Schema]
) -> None:
    summary = f"List {name.replace('_', ' ')}"
    answers = {200: answer, 304: None} if one.outer else {200: answer}  # a flag's have its tag
    said = described(summary, Scope.READ, answers, ids=one.outer, query=query)
    _add("GET", one.many, f"list_{one.word}s", endpoint, said)


def _add_nouns(one: Resource, create: Read, update: Read, delete: Read) -> None:
    """What every resource has: create, get, update and delete."""
    shown = ref(one.schema)
    _add(
        "POST",
        one.many,
        f"create_{one.word}",
        # A new variation is a change of its flag; anything else is one of the catalog.
        _API.changing(
            create, FLAG.find if one.outer else None, one.show, made=one.made, status=201
        ),
        described(
            f"Create {one.title}",
            Scope.WRITE,
            {201: shown},
            ids=one.outer,
            body=ref(f"{one.schema}Create"),
            changes=True,
        ),
    )
    _add(
        "GET",
        one.one,
        f"get_{one.word}",
        _API.getting(one.find, one.show),
        described(f"Get {one.title}", Scope.READ, {200: shown, 304: None}, ids=one.ids),
    )
    _add(
        "PATCH",
        one.one,
        f"update_{one.word}",
        _API.changing(update, one.find, one.show),
        described(
            f"Change what is given of {one.title}",
            Scope.WRITE,
            {200: shown},
            ids=one.ids,
            body=ref(f"{one.schema}Update"),
            changes=True,
        ),
    )
    _add(
        "DELETE",
        one.one,
        f"delete_{one.word}",
        _API.changing(delete, one.leaving, None, status=204),
        described(
            f"Delete {one.title}; that there is none is no error",
            Scope.WRITE,
            {204: None},
            ids=one.ids,
            changes=True,
        ),
    )


def _add_status(one: Resource, read: Read) -> None:
    """The earlier generation moves by a call of its own, the later one by PATCH."""
    _add(
        "POST",
        f"{one.one}/status",
        f"move_{one.word}",
        _API.changing(read, one.find, one.show),
        described(
            f"Move {one.title} to another status",
            Scope.WRITE,
            {200: ref(one.schema)},
            ids=one.ids,
            body=ref(f"{one.schema}Status"),
            changes=True,
        ),
    )


_add_list(
    EXPERIMENT,
    "experiments",
    _API.listing(lists.list_experiments, lists.EXPERIMENTS),
    page_of("experiments", "Experiment"),
    {
        **_PAGED,
        "status": {"type": "string", "enum": [*STATUSES]},
        "authentication_flow": _TEXT,
        "feature_flag_id": _TEXT,
    },
)
_add_nouns(
    EXPERIMENT,
    experiments.read_create_experiment,
    experiments.read_update_experiment,
    experiments.read_delete_experiment,
)
_add_status(EXPERIMENT, experiments.read_experiment_status)
_add(
    "POST",
    f"{EXPERIMENT.one}/validate",
    "validate_experiment",
    _API.getting(EXPERIMENT.find, _show_validation, tagged=False),
    described(
        "Say what keeps an experiment from being activated; changes nothing",
        Scope.READ,
        {200: ref("Validation")},
        ids=EXPERIMENT.ids,
    ),
)
_add(
    "POST",
    f"{EXPERIMENT.one}/advance-ramp",
    "advance_ramp",
    _API.changing(ramp.read_advance, EXPERIMENT.find, _show_advance),
    described(
        "Raise an experiment's exposure to its next level",
        Scope.WRITE,
        {200: ref("Ramp")},
        ids=EXPERIMENT.ids,
        body=ref("RampTarget"),
        changes=True,
    ),
)

_add_list(
    FLAG,
    "feature_flags",
    _API.listing(lists.list_flags, lists.FLAGS),
    page_of("feature_flags", "Flag"),
    {**_PAGED, "type": _TYPE, "status": {"type": "string", "enum": [*flags.STATUSES]}},
)
_add_nouns(FLAG, flags.read_create_flag, flags.read_update_flag, flags.read_delete_flag)
_add_status(FLAG, flags.read_flag_status)

_add_list(
    VARIATION,
    "variations",
    _API.getting(FLAG.find, _show_variations),
    all_of("variations", "Variation"),
    {},
)
_add_nouns(
    VARIATION,
    variations.read_create_variation,
    variations.read_update_variation,
    variations.read_delete_variation,
)

_add_list(
    SEGMENT,
    "segments",
    _API.listing(lists.list_segments, lists.SEGMENTS),
    page_of("segments", "Segment"),
    {**_PAGED, "type": _TYPE},
)
_add_nouns(
    SEGMENT,
    segments.read_create_segment,
    segments.read_update_segment,
    segments.read_delete_segment,
)
