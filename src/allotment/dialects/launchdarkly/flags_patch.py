"""What a semantic patch may say of a flag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from allotment.change.commands import Command, Describe, SetVariations, SwitchFlag
from allotment.dialects.launchdarkly.codes import invalid
from allotment.dialects.launchdarkly.environments import check_environment
from allotment.dialects.launchdarkly.flags import TAGS, TEMPORARY, is_temporary, read_tags, tags_of
from allotment.dialects.launchdarkly.ids import get_flag
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_new_description, rename
from allotment.dialects.launchdarkly.patch import Kind, read_instructions
from allotment.dialects.launchdarkly.variations import (
    edit_variation,
    get_variation,
    read_variation,
)
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.errors import NotFound
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState

# Reads one instruction about a flag.
_Reading: TypeAlias = Callable[[Place, Flag], list[Command]]


def read_update_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The commands of a semantic patch; what is about an environment needs the body to name it."""
    key = get_flag(catalog, asked.ids["flagKey"]).key

    def of_flag(kind: str, reading: _Reading) -> Kind:
        def read(step: Place, catalog: Catalog, _given: Given) -> list[Command]:
            if kind in _OF_ENVIRONMENT:
                check_environment(asked.body)
            return reading(step, get_flag(catalog, key))

        return read

    kinds = {kind: of_flag(kind, reading) for kind, reading in _KINDS.items()}
    try:
        return read_instructions(asked.body, kinds, catalog, asked.given)
    except NotFound as error:
        # An experiment would be without a variation: the flag itself is there.
        raise invalid(error.message, error.path) from None


def _switch(state: FlagState) -> _Reading:
    return lambda _step, flag: [SwitchFlag(flag.key, state)]


def _restore(_step: Place, flag: Flag) -> list[Command]:
    return [SwitchFlag(flag.key, FlagState.OFF)] if flag.state is FlagState.ARCHIVED else []


def _rename(step: Place, flag: Flag) -> list[Command]:
    return rename(flag, step.at("value"))


def _describe(step: Place, flag: Flag) -> list[Command]:
    return [Describe("flag", flag.key, read_new_description(step.at("value")))]


def _add_variation(step: Place, flag: Flag) -> list[Command]:
    added = read_variation(step, flag.variations)
    return [SetVariations(flag.key, (*flag.variations, added), flag.default)]


def _update_variation(step: Place, flag: Flag) -> list[Command]:
    old = get_variation(step, flag)
    new = edit_variation(step, flag, old)
    variations = tuple(new if one is old else one for one in flag.variations)
    return [SetVariations(flag.key, variations, flag.default)]


def _remove_variation(step: Place, flag: Flag) -> list[Command]:
    gone = get_variation(step, flag)
    if gone.key == flag.default:
        message = "the flag serves this variation by default; serve another first"
        raise invalid(message, step.at("variationId").path)
    left = tuple(one for one in flag.variations if one is not gone)
    return [SetVariations(flag.key, left, flag.default)]


def _serve(step: Place, flag: Flag) -> list[Command]:
    if step.at("rolloutWeights").said:
        message = "a rollout is an experiment here; serve one variation, by `variationId`"
        raise invalid(message, step.at("rolloutWeights").path)
    return [SetVariations(flag.key, flag.variations, get_variation(step, flag).key)]


def _serve_off(step: Place, flag: Flag) -> list[Command]:
    if get_variation(step, flag).key != flag.default:
        message = "a flag serves the same variation off as on where no experiment decides"
        raise invalid(message, step.at("variationId").path)
    return []


def _add_tags(step: Place, flag: Flag) -> list[Command]:
    tags: list[Tree] = [*dict.fromkeys([*tags_of(flag), *read_tags(step.at("values"))])]
    return _keep_tags(flag, tags)


def _remove_tags(step: Place, flag: Flag) -> list[Command]:
    gone = read_tags(step.at("values"))
    left: list[Tree] = [tag for tag in tags_of(flag) if tag not in gone]
    return _keep_tags(flag, left)


def _keep_tags(flag: Flag, tags: list[Tree]) -> list[Command]:
    return [] if tags == tags_of(flag) else [NOTES.keep("flag", flag.key, TAGS, tags)]


def _keep_temporary(value: bool) -> _Reading:  # it is the value itself
    def read(_step: Place, flag: Flag) -> list[Command]:
        same = is_temporary(flag) is value
        return [] if same else [NOTES.keep("flag", flag.key, TEMPORARY, value)]

    return read


def _refuse(what: str) -> _Reading:
    def read(step: Place, _flag: Flag) -> list[Command]:
        raise invalid(f"flags have no {what} here", step.path)

    return read


_OF_ENVIRONMENT: Final = frozenset(
    {
        "turnFlagOn",
        "turnFlagOff",
        "updateFallthroughVariationOrRollout",
        "updateOffVariation",
    }
)

# What the vendor has and we have not, so that nobody thinks it a slip of the pen.
_LACKED: Final = {
    "prerequisites": ("addPrerequisite", "updatePrerequisite", "removePrerequisite"),
    "targets": ("addTargets", "addUserTargets", "removeTargets", "removeUserTargets"),
    "rules": (
        "addRule",
        "removeRule",
        "replaceRules",
        "addClauses",
        "updateRuleVariationOrRollout",
    ),
}

_KINDS: Final[Mapping[str, _Reading]] = {
    "turnFlagOn": _switch(FlagState.ON),
    "turnFlagOff": _switch(FlagState.OFF),
    "archiveFlag": _switch(FlagState.ARCHIVED),
    "restoreFlag": _restore,
    "updateName": _rename,
    "updateDescription": _describe,
    "addVariation": _add_variation,
    "updateVariation": _update_variation,
    "removeVariation": _remove_variation,
    "updateFallthroughVariationOrRollout": _serve,
    "updateOffVariation": _serve_off,
    "addTags": _add_tags,
    "removeTags": _remove_tags,
    "makeFlagTemporary": _keep_temporary(True),
    "makeFlagPermanent": _keep_temporary(False),
    **{kind: _refuse(what) for what, kinds in _LACKED.items() for kind in kinds},
}
