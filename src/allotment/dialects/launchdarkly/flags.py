"""Changes of flags, as far as experiments need them: variations, a default, and a switch.

A flag has one default here, which is served wherever no experiment decides, be the flag on or off.
There are no targets, rules, prerequisites and rollouts: what asks for them is refused.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Final

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Describe,
    SetVariations,
    SwitchFlag,
)
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.ids import find_variation, get_flag
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.patch import follow, renamed
from allotment.dialects.launchdarkly.schema.fields import (
    INSTRUCTIONS_MAX,
    LDUpdateDescription,
    LDUpdateName,
)
from allotment.dialects.launchdarkly.schema.flags import (
    LDAddVariation,
    LDDefaults,
    LDFlagFields,
    LDFlagOperation,
    LDFlagOperations,
    LDFlagPatch,
    LDFlagPost,
    LDFlagStep,
    LDLackedOfFlag,
    LDMarkFlag,
    LDRemoveVariation,
    LDServe,
    LDTagFlag,
    LDUpdateVariation,
    LDVariationInput,
)
from allotment.dialects.wire.alike import alike
from allotment.dialects.wire.model import read
from allotment.dialects.wire.notes import json_text
from allotment.dialects.wire.operation import Call
from allotment.dialects.wire.slug import slug
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

# What a flag has where the request names no variations.
_BOOLEAN: Final = (Variation("true", "true"), Variation("false", "false"))


def post_feature_flag(call: Call[LDFlagPost], catalog: Catalog) -> list[Command]:
    """Create a flag in all environments of the project, off unless `isFlagOn` says otherwise.

    Its default is what `defaults` say of a flag that is so: the vendor's own are the first
    variation for one that is on, and the last for one that is off.
    """
    body = call.body
    variations = _new_variations(body.variations) if body.variations else _BOOLEAN
    last = len(variations) - 1
    defaults = body.defaults or LDDefaults(onVariation=0, offVariation=last)
    for name, index in defaults:
        if index > last:
            message = f"a whole number from 0 to {last} belongs here"
            raise InvalidInput(message, f"$.defaults.{name}")
    kept = body.model_dump(mode="json", include={*LDFlagFields.model_fields})
    flag = Flag(
        body.key,
        variations,
        variations[defaults.onVariation if body.isFlagOn else defaults.offVariation].key,
        body.name,
        body.description or "",
        FlagState.ON if body.isFlagOn else FlagState.OFF,
        kept=NOTES.on_new({**kept, "defaults": defaults.plain()}),
    )
    if flag.key in catalog.flags:
        raise taken("flag")
    return [Create(flag)]


def delete_feature_flag(call: Call[None], catalog: Catalog) -> list[Command]:
    """Delete a flag from all environments of the project."""
    return [Delete("flag", get_flag(catalog, call.ids["flagKey"]).key)]


def patch_feature_flag(call: Call[LDFlagPatch], catalog: Catalog) -> list[Command]:
    """Change a flag, or switch it in the environment that the body names."""
    key, body = get_flag(catalog, call.ids["flagKey"]).key, call.body

    def read_step(numbered: tuple[int, LDFlagStep], catalog: Catalog) -> list[Command]:
        index, step = numbered
        if step.kind in _OF_ENVIRONMENT and body.environmentKey is None:
            message = "this instruction is about an environment; name it"
            raise invalid(message, "$.environmentKey")
        return [*_read_step(step, f"$.instructions[{index}]", get_flag(catalog, key))]

    try:
        return follow([*enumerate(body.instructions)], read_step, catalog)
    except NotFound as error:
        # An experiment would be without a variation: the flag itself is there.
        raise invalid(error.message, error.path) from None


def fields_of(flag: Flag) -> LDFlagFields:
    """What is stored with the flag for this API alone."""
    return NOTES.read_fields(flag, LDFlagFields)


def value_of(variation: Variation) -> Tree:
    """The variation's value."""
    tree: Tree = json.loads(variation.value)
    return tree


def _read_step(step: LDFlagStep, path: str, flag: Flag) -> Iterator[Command]:
    key = flag.key
    match step:
        case LDMarkFlag():
            yield from _mark(step.kind, flag)
        case LDUpdateName():
            yield from renamed(flag, step.value)
        case LDUpdateDescription():
            yield Describe("flag", key, step.value)
        case LDTagFlag():
            tags = fields_of(flag).tags or []
            left = [tag for tag in tags if tag not in step.values]
            new = left if step.kind == "removeTags" else [*dict.fromkeys([*tags, *step.values])]
            if new != tags:
                yield NOTES.keep("flag", key, "tags", [*new])
        case LDServe():
            yield from _serve(step, path, flag)
        case LDAddVariation() | LDUpdateVariation() | LDRemoveVariation():
            yield SetVariations(key, tuple(_edit_variations(step, path, flag)), flag.default)
        case LDLackedOfFlag():
            raise TypeError(f"{step.kind} is refused as it is read")


def _mark(kind: str, flag: Flag) -> Iterator[Command]:
    if kind in _SWITCHES:
        yield SwitchFlag(flag.key, _SWITCHES[kind])
    elif kind == "restoreFlag":
        if flag.state is FlagState.ARCHIVED:
            yield SwitchFlag(flag.key, FlagState.OFF)
    elif (fields_of(flag).temporary is not False) is not (kind == _TEMPORARY):
        yield NOTES.keep("flag", flag.key, "temporary", kind == _TEMPORARY)


def _serve(step: LDServe, path: str, flag: Flag) -> Iterator[Command]:
    served = _variation(step.variationId, flag, path).key
    if step.kind == "updateFallthroughVariationOrRollout":
        yield SetVariations(flag.key, flag.variations, served)
    elif served != flag.default:
        message = "a flag serves the same variation off as on where no experiment decides"
        raise invalid(message, f"{path}.variationId")


# Variations.


def _edit_variations(
    step: LDAddVariation | LDUpdateVariation | LDRemoveVariation, path: str, flag: Flag
) -> list[Variation]:
    """The flag's variations once one is added, changed or removed."""
    if isinstance(step, LDAddVariation):
        return [*flag.variations, _new_variation(step, path, flag.variations)]
    old = _variation(step.variationId, flag, path)
    others = [one for one in flag.variations if one is not old]
    if isinstance(step, LDRemoveVariation):
        if old.key == flag.default:
            message = "the flag serves this variation by default; serve another first"
            raise invalid(message, f"{path}.variationId")
        return others
    new = old
    if step.name is not None:
        new = replace(new, name=step.name)
    if step.description is not None:
        new = replace(new, description=step.description)
    if "value" in step.model_fields_set:
        _check_value_free(step.value, path, others)
        new = replace(new, value=json_text(step.value))
    return [new if one is old else one for one in flag.variations]


def _new_variations(said: Sequence[LDVariationInput]) -> tuple[Variation, ...]:
    found: list[Variation] = []
    for index, one in enumerate(said):
        found.append(_new_variation(one, f"$.variations[{index}]", found))
    return tuple(found)


def _new_variation(said: LDVariationInput, path: str, others: Collection[Variation]) -> Variation:
    """One more variation beside the others. Its key is its name, or its value, made a key."""
    _check_value_free(said.value, path, others)
    text, taken_keys = json_text(said.value), {one.key for one in others}
    base = said.name or (text if isinstance(said.value, bool | int | float | str) else "")
    key = slug(base, taken_keys.__contains__, "variation")
    return Variation(key, text, said.name or "", said.description or "")


def _variation(identity: str, flag: Flag, path: str) -> Variation:
    found = find_variation(flag, identity)
    if found is None:
        raise invalid("the flag has no variation with this id", f"{path}.variationId")
    return found


def _check_value_free(value: Tree, path: str, others: Collection[Variation]) -> None:
    if any(alike(value_of(one), value) for one in others):
        raise invalid("another variation has this value", f"{path}.value")


# JSON patches. The vendor's client for Python sends flags nothing else, so those of its operations
# that have an instruction are taken for it.

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
        path, operations = (
            "$",
            [read(LDFlagOperation, one, f"$[{n}]") for n, one in enumerate(body)],
        )
        if not 1 <= len(operations) <= INSTRUCTIONS_MAX:
            raise InvalidInput(f"1 to {INSTRUCTIONS_MAX} operations belong here", path)
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
