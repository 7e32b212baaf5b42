"""The operations of `/v1/flags` and of the variants below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from allotment.change.commands import Command, SetVariations
from allotment.dialects.confidence import flags, flags_lists, variants
from allotment.dialects.confidence.flags_edit import MASK
from allotment.dialects.confidence.names import get_flag
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog
from allotment.server.api.vendor import Noun
from allotment.server.confidence import flags_schemas  # noqa: F401  # its schemas are told of
from allotment.server.confidence.api import METHOD, VENDOR, add
from allotment.server.confidence.operation import described
from allotment.server.confidence.schemas import Schema, ref
from allotment.server.confidence.segments import EDIT, PAGES, chosen, created
from allotment.store import Scope, Stored

MANY: Final = "/v1/flags"
ONE: Final = "/v1/flags/{flag}"
VARIANTS: Final = f"{ONE}/variants"
VARIANT: Final = f"{VARIANTS}/{{variant}}"

_FLAG: Final[dict[str, Schema]] = {"flag": {"type": "string", "examples": ["my-flag"]}}
_BOTH: Final[dict[str, Schema]] = {**_FLAG, "variant": {"type": "string", "examples": ["control"]}}


def _find(ids: Mapping[str, str], catalog: Catalog) -> Noun:
    return ("flag", get_flag(catalog, ids["flag"]).key)


def _show(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    flag = stored.catalog.flags[noun[1]]
    return flags.show_flag(flag, stored.catalog, stored.versions[":".join(noun)])


# A variant is a part of its flag: its version is the flag's.


def _find_variant(ids: Mapping[str, str], catalog: Catalog) -> Noun:
    flag = get_flag(catalog, ids["flag"])
    variants.get_variant(flag, ids["variant"])
    return ("flag", flag.key)


def _show_variant(asked: Asked, noun: Noun, stored: Stored, done: Sequence[Command]) -> Tree:
    flag = stored.catalog.flags[noun[1]]
    key = asked.ids.get("variant")
    if key is None:
        (key,) = (one.variations[-1].key for one in done if isinstance(one, SetVariations))
    return variants.show_variant(
        flag, variants.get_variant(flag, key), stored.versions[":".join(noun)]
    )


def _show_variants(_asked: Asked, noun: Noun, stored: Stored, _done: Sequence[Command]) -> Tree:
    flag = stored.catalog.flags[noun[1]]
    return flags_lists.list_variants(flag, stored.versions[":".join(noun)])


def _show_nothing(_asked: Asked, _noun: Noun, _stored: Stored, _done: Sequence[Command]) -> Tree:
    return {}


add(
    "GET",
    MANY,
    "list_flags",
    VENDOR.listing(flags_lists.list_flags, flags_lists.PAGED),
    described("List flags", Scope.READ, {200: ref("Flags")}, query=PAGES),
)
add(
    "POST",
    MANY,
    "create_flag",
    VENDOR.changing(flags.read_create_flag, None, _show, made=created, known=("flagId",)),
    described(
        "Create a flag, perhaps with variants",
        Scope.WRITE,
        {200: ref("Flag")},
        query=chosen("flag"),
        body=ref("FlagCreate"),
        changes=True,
    ),
)
add(
    "GET",
    ONE,
    "get_flag",
    VENDOR.getting(_find, _show),
    described("Get a flag", Scope.READ, {200: ref("Flag"), 304: None}, path=_FLAG),
)
add(
    "PATCH",
    ONE,
    "update_flag",
    VENDOR.changing(flags.read_update_flag, _find, _show, known=(MASK,)),
    described(
        "Change what a mask names of a flag, or else what the body gives",
        Scope.WRITE,
        {200: ref("Flag")},
        path=_FLAG,
        query=EDIT,
        body=ref("FlagEdit"),
        changes=True,
    ),
)
add(
    "POST",
    f"{ONE}:archive",
    "archive_flag",
    METHOD.changing(flags.read_archive_flag, _find, _show),
    described(
        "Archive a flag, for good",
        Scope.WRITE,
        {200: ref("Flag")},
        path=_FLAG,
        body=ref("Nothing"),
        changes=True,
    ),
)
add(
    "GET",
    VARIANTS,
    "list_variants",
    VENDOR.getting(_find, _show_variants),
    described(
        "List the variants of a flag", Scope.READ, {200: ref("Variants"), 304: None}, path=_FLAG
    ),
)
add(
    "POST",
    VARIANTS,
    "create_variant",
    VENDOR.changing(variants.read_create_variant, _find, _show_variant, known=("variantId",)),
    described(
        "Add a variant to a flag",
        Scope.WRITE,
        {200: ref("Variant")},
        path=_FLAG,
        query=chosen("variant"),
        body=ref("VariantCreate"),
        changes=True,
    ),
)
add(
    "GET",
    VARIANT,
    "get_variant",
    VENDOR.getting(_find_variant, _show_variant),
    described("Get a variant", Scope.READ, {200: ref("Variant"), 304: None}, path=_BOTH),
)
add(
    "PATCH",
    VARIANT,
    "update_variant",
    VENDOR.changing(variants.read_update_variant, _find_variant, _show_variant, known=(MASK,)),
    described(
        "Change what a mask names of a variant, or else what the body gives",
        Scope.WRITE,
        {200: ref("Variant")},
        path=_BOTH,
        query=EDIT,
        body=ref("VariantEdit"),
        changes=True,
    ),
)
add(
    "DELETE",
    VARIANT,
    "delete_variant",
    METHOD.changing(variants.read_delete_variant, _find, _show_nothing),
    described(
        "Take a variant from its flag",
        Scope.WRITE,
        {200: ref("Nothing")},
        path=_BOTH,
        changes=True,
    ),
)
