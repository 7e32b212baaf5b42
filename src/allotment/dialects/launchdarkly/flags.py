"""Flags, as far as experiments need them: variations, a default, and a switch in each environment.

A flag has one default here, which is served wherever no experiment decides, be the flag on or off.
There are no targets, rules, prerequisites and rollouts: what asks for them is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from allotment.change.commands import Command, Create, Delete
from allotment.dialects.launchdarkly.codes import invalid, taken
from allotment.dialects.launchdarkly.ids import get_flag
from allotment.dialects.launchdarkly.kept import NOTES
from allotment.dialects.launchdarkly.labels import read_description, read_key, read_name
from allotment.dialects.launchdarkly.variations import read_variations
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.place import Place
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.model.flag import Flag, FlagState, Variation

# What is kept and given back as it was sent.
TAGS: Final = "tags"
TEMPORARY: Final = "temporary"
DEFAULTS: Final = "defaults"
PROPERTIES: Final = "customProperties"
_TEXTS: Final = ("maintainerId", "maintainerTeamKey", "purpose")
_TREES: Final = ("clientSideAvailability", PROPERTIES)
KEPT_AS_SENT: Final = (*_TEXTS, "includeInSnippet", *_TREES)

_ITEMS_MAX: Final = 100
_TEXT_MAX: Final = 1024


def read_create_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that creates the flag, off unless `isFlagOn` says otherwise.

    Its default is what `defaults` say of a flag that is so: the vendor's own are the first
    variation for one that is on, and the last for one that is off.
    """
    body = asked.body
    for name in ("initialPrerequisites", "migrationSettings"):
        if body.at(name).said and body.at(name).value not in ([], {}):
            raise invalid("flags have no prerequisites and no migrations here", f"$.{name}")
    variations = read_variations(body.at("variations"))
    on = body.at("isFlagOn").said and body.at("isFlagOn").truth()
    defaults = _read_defaults(body.at(DEFAULTS), variations)
    flag = Flag(
        read_key(body.at("key")),
        variations,
        variations[defaults["onVariation" if on else "offVariation"]].key,
        read_name(body.at("name")),
        read_description(body.at("description")),
        FlagState.ON if on else FlagState.OFF,
        kept=NOTES.on_new({**_read_kept(body), DEFAULTS: {**defaults}}),
    )
    if flag.key in catalog.flags:
        raise taken("flag")
    return [Create(flag)]


def read_delete_flag(asked: Asked, catalog: Catalog) -> list[Command]:
    """The command that deletes the flag."""
    return [Delete("flag", get_flag(catalog, asked.ids["flagKey"]).key)]


def read_tags(place: Place) -> list[str]:
    """A list of tags, each once."""
    tags = [item.text(1, _TEXT_MAX) for item in place.items(0, _ITEMS_MAX)]
    return list(dict.fromkeys(tags))


def is_temporary(flag: Flag) -> bool:
    """Whether the flag is to go some day, as one is unless it says otherwise."""
    return NOTES.kept(flag, TEMPORARY) is not False


def tags_of(flag: Flag) -> list[str]:
    """The flag's tags."""
    kept = NOTES.kept(flag, TAGS)
    return [each for each in kept if isinstance(each, str)] if isinstance(kept, list) else []


def _read_defaults(place: Place, variations: Sequence[Variation]) -> dict[str, int]:
    last = len(variations) - 1
    if not place.said:
        return {"onVariation": 0, "offVariation": last}
    return {name: place.at(name).whole(0, last) for name in ("onVariation", "offVariation")}


def _read_kept(body: Place) -> dict[str, Tree]:
    kept: dict[str, Tree] = {
        name: body.at(name).text(0, _TEXT_MAX) for name in _TEXTS if body.at(name).said
    }
    for name in (TEMPORARY, "includeInSnippet"):
        if body.at(name).said:
            kept[name] = body.at(name).truth()
    if body.at(TAGS).said:
        kept[TAGS] = [*read_tags(body.at(TAGS))]
    for name in _TREES:
        if body.at(name).said:
            body.at(name).entries(0, _ITEMS_MAX)
            kept[name] = body.at(name).tree()
    return kept
