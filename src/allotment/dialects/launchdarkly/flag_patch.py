"""Semantic and JSON patches of flags.

There are no targets, rules, prerequisites and rollouts: what asks for them is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import Field, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema

from allotment.change.commands import Command, SetVariations, SwitchFlag
from allotment.dialects.launchdarkly.codes import INVALID, invalid
from allotment.dialects.launchdarkly.fields import (
    Description,
    Key,
    Label,
    LDBody,
    LongText,
    Tags,
    Word,
)
from allotment.dialects.launchdarkly.flags import (
    Json,
    LDVariationInput,
    check_value_free,
    fields_of,
    new_variation,
)
from allotment.dialects.launchdarkly.ids import NOTES, by_key, read_variation
from allotment.dialects.launchdarkly.patch import (
    INSTRUCTIONS_MAX,
    SOME,
    LDPatch,
    LDUpdateDescription,
    LDUpdateName,
    follow,
)
from allotment.dialects.wire.model import LEFT_OUT, never, read
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.source import Tree
from allotment.errors import InvalidInput, NotFound
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation

_OF_ENVIRONMENT: Final = (
    *("turnFlagOn", "turnFlagOff"),
    *("updateFallthroughVariationOrRollout", "updateOffVariation"),
)
_SWITCHES: Final = {
    "turnFlagOn": FlagState.ON,
    "turnFlagOff": FlagState.OFF,
    "archiveFlag": FlagState.ARCHIVED,
}
_TEMPORARY: Final = "makeFlagTemporary"


class LDMarkFlag(LDBody):
    """Turns the flag on or off in one environment, archives it, or says whether it is to go."""

    kind: Literal[
        "turnFlagOn",
        "turnFlagOff",
        "archiveFlag",
        "restoreFlag",
        "makeFlagTemporary",
        "makeFlagPermanent",
    ]


class LDTagFlag(LDBody):
    """Adds or removes tags."""

    kind: Literal["addTags", "removeTags"]
    values: Tags


class LDServe(LDBody):
    """Serves one variation in one environment, off as on."""

    kind: Literal["updateFallthroughVariationOrRollout", "updateOffVariation"]
    rolloutWeights: Annotated[
        Any,
        never("a rollout is an experiment here; serve one variation, by `variationId`", INVALID),
        Field(description="Refused."),
    ] = LEFT_OUT
    variationId: Word


class LDAddVariation(LDVariationInput):
    """Adds a variation."""

    kind: Literal["addVariation"]


class LDUpdateVariation(LDBody):
    """Changes what is given of a variation."""

    kind: Literal["updateVariation"]
    variationId: Word
    value: Json = LEFT_OUT
    name: Label | None = LEFT_OUT
    description: Description | None = LEFT_OUT


class LDRemoveVariation(LDBody):
    """Removes a variation."""

    kind: Literal["removeVariation"]
    variationId: Word


class LDLackedOfFlag(LDBody):
    """Refused: flags have no prerequisites, targets and rules here."""

    kind: Annotated[
        Literal[
            "addPrerequisite",
            "updatePrerequisite",
            "removePrerequisite",
            "addTargets",
            "addUserTargets",
            "removeTargets",
            "removeUserTargets",
            "addRule",
            "removeRule",
            "replaceRules",
            "addClauses",
            "updateRuleVariationOrRollout",
        ],
        never("flags have no prerequisites, targets and rules here", INVALID),
    ]


_Variation = LDAddVariation | LDUpdateVariation | LDRemoveVariation
_Own = LDMarkFlag | LDTagFlag | LDServe | _Variation | LDLackedOfFlag
LDFlagStep = LDMarkFlag | LDUpdateName | LDUpdateDescription | _Own


# JSON patches. The vendor's client for Python sends flags nothing else, so those of its operations
# that have an instruction are taken for it.


class LDFlagOperation(LDBody):
    """One operation of a JSON patch."""

    op: Literal["add", "replace"]
    path: Word
    value: Json


class LDFlagOperations(LDBody):
    """A JSON patch of a flag, beside a comment."""

    patch: Annotated[list[LDFlagOperation], SOME]
    comment: LongText | None = LEFT_OUT


class LDFlagPatch(LDPatch):
    """The instructions that change a flag."""

    environmentKey: Key | None = LEFT_OUT
    instructions: Annotated[list[Annotated[LDFlagStep, Field(discriminator="kind")]], SOME]

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The document has the JSON patches too, which are read as instructions."""
        operations = handler(TypeAdapter(LDFlagOperations | list[LDFlagOperation]).core_schema)
        made = handler(schema)
        own = handler.resolve_ref_schema(made)
        instructions = {**own}
        own.clear()
        own["anyOf"] = [instructions, *operations["anyOf"]]
        return made


def patch_feature_flag(call: Call[LDFlagPatch], catalog: Catalog) -> list[Command]:
    """Change a flag, or switch it in the environment that the body names."""
    flag, body = by_key("flag")(call.ids, catalog), call.body

    def read_step(step: _Own, path: str, catalog: Catalog) -> Iterator[Command]:
        if step.kind in _OF_ENVIRONMENT and body.environmentKey is None:
            message = "this instruction is about an environment; name it"
            raise invalid(message, "$.environmentKey")
        return _read_step(step, path, catalog.flags[flag.key])

    try:
        return follow(body.instructions, flag, read_step, catalog)
    except NotFound as error:
        # An experiment would be without a variation: the flag itself is there.
        raise invalid(error.message, error.path) from None


def _read_step(step: _Own, path: str, flag: Flag) -> Iterator[Command]:
    match step:
        case LDMarkFlag():
            yield from _mark(step.kind, flag)
        case LDTagFlag():
            tags = fields_of(flag).tags or []
            left = [tag for tag in tags if tag not in step.values]
            new = left if step.kind == "removeTags" else [*dict.fromkeys([*tags, *step.values])]
            if new != tags:
                yield NOTES.keep("flag", flag.key, "tags", [*new])
        case LDServe():
            yield from _serve(step, f"{path}.variationId", flag)
        case LDLackedOfFlag():
            raise TypeError(f"{step.kind} is refused as it is read")
        case _:
            yield SetVariations(flag.key, tuple(_edit_variations(step, path, flag)), flag.default)


def _mark(kind: str, flag: Flag) -> Iterator[Command]:
    if kind in _SWITCHES:
        yield SwitchFlag(flag.key, _SWITCHES[kind])
    elif kind == "restoreFlag":
        if flag.state is FlagState.ARCHIVED:
            yield SwitchFlag(flag.key, FlagState.OFF)
    elif (fields_of(flag).temporary is not False) is not (kind == _TEMPORARY):
        yield NOTES.keep("flag", flag.key, "temporary", kind == _TEMPORARY)


def _serve(step: LDServe, path: str, flag: Flag) -> Iterator[Command]:
    served = read_variation(flag, step.variationId, path).key
    if step.kind == "updateFallthroughVariationOrRollout":
        yield SetVariations(flag.key, flag.variations, served)
    elif served != flag.default:
        message = "a flag serves the same variation off as on where no experiment decides"
        raise invalid(message, path)


def _edit_variations(step: _Variation, path: str, flag: Flag) -> list[Variation]:
    """The flag's variations once one is added, changed or removed."""
    if isinstance(step, LDAddVariation):
        return [*flag.variations, new_variation(step, path, flag.variations)]
    old = read_variation(flag, step.variationId, f"{path}.variationId")
    others = [one for one in flag.variations if one is not old]
    if isinstance(step, LDRemoveVariation):
        if old.key == flag.default:
            message = "the flag serves this variation by default; serve another first"
            raise invalid(message, f"{path}.variationId")
        return others
    new = replace(old, **step.model_dump(include={"name", "description"}))
    if "value" in step.model_fields_set:
        check_value_free(step.value, path, others)
        new = replace(new, value=json_text(step.value))
    return [new if one is old else one for one in flag.variations]


_ON: Final = ("turnFlagOn", "turnFlagOff")
_KINDS: Final[dict[str, str | tuple[str, str]]] = {
    "/name": "updateName",
    "/description": "updateDescription",
    "/archived": ("archiveFlag", "restoreFlag"),
    "/temporary": (_TEMPORARY, "makeFlagPermanent"),
}


def as_semantic(body: Tree) -> Tree:
    """The semantic patch that says what a JSON patch of a flag says.

    A body is the list of operations, or an object that has it as `patch` beside a comment. Raises
    Refusal for an operation that no instruction says.
    """
    said: dict[str, Tree] = {}
    if isinstance(body, list):
        path = "$"
        if not 1 <= len(body) <= INSTRUCTIONS_MAX:
            raise InvalidInput(f"1 to {INSTRUCTIONS_MAX} operations belong here", path)
        operations = [read(LDFlagOperation, one, f"$[{n}]") for n, one in enumerate(body)]
    else:
        patch = read(LDFlagOperations, body)
        path, operations, said["comment"] = "$.patch", patch.patch, patch.comment
    steps: list[Tree] = []
    for index, one in enumerate(operations):
        match one.path.split("/"):
            case ["", "environments", environment, "on"]:
                if said.setdefault("environmentKey", environment) != environment:
                    raise invalid("a patch is about one environment at a time", path)
                steps.append(_step(one, _ON, f"{path}[{index}]"))
            case _:
                steps.append(_step(one, _KINDS.get(one.path), f"{path}[{index}]"))
    return {**said, "instructions": steps}


def _step(said: LDFlagOperation, kind: str | tuple[str, str] | None, path: str) -> Tree:
    """The instruction of the kind; of the first of two kinds for true, of the second for false."""
    if kind is None:
        known = ", ".join([*_KINDS, "/environments/KEY/on"])
        raise invalid(f"of a flag, {known} can be patched so", f"{path}.path")
    if isinstance(kind, str):
        return {"kind": kind, "value": said.value}
    if not isinstance(said.value, bool):
        raise InvalidInput("true or false belongs here", f"{path}.value")
    return {"kind": kind[not said.value]}
