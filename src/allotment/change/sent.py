"""A catalog, or what of it changed, as a server sends it to a client that follows it.

    {"revision": 18, "since": 17, "catalog": {"experiments": {"checkout": {...}, "old": null},
     "flags": {}, "segments": {}, "layers": {}, "holdouts": {}}}

`since` is null where the catalog is whole. Otherwise there is only what may differ from what it was
at that revision: null for what is no longer there, and `kept` where it changed. A noun has the form
of `model.plain`, but for a long list of ids: `{"list": SHA-256 in hex, "count": N}` names its text,
which travels by itself and only once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final, TypeAlias

from allotment.change.commands import Noun
from allotment.change.impact import touched_between
from allotment.change.kinds import CATALOG, KINDS, noun_path, nouns_of
from allotment.change.noun_reader import read_noun
from allotment.change.references import follow
from allotment.errors import InvalidInput
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.plain import Plain, from_plain, to_plain
from allotment.model.segment import NO_IDS, IdList, Segment

# A longer text of ids is named by its digest.
LIST_BYTES_MAX: Final = 4096

Names: TypeAlias = Iterable[tuple[str, str]]
Lists: TypeAlias = Callable[[str], bytes]

# The experiments and the flags to compile; None for all.
Touched: TypeAlias = tuple[frozenset[str], frozenset[str]] | None

_LISTS: Final = ("include", "exclude")
_Kept: TypeAlias = tuple[tuple[str, str], ...]


def digest_of(ids: IdList) -> str:
    """What names a list: the SHA-256 of its text, in hex."""
    return sha256(ids.text).hexdigest()


def long_lists(catalog: Catalog) -> Iterator[IdList]:
    """The lists of a catalog that are named by their digests."""
    for segment in catalog.segments.values():
        for ids in (segment.include, segment.exclude):
            if len(ids.text) > LIST_BYTES_MAX:
                yield ids


def write(catalog: Catalog, since: int | None = None, names: Names = ()) -> dict[str, Plain]:
    """The form of a whole catalog; with `since`, of what has changed after that revision.

    `names` are the kinds and keys of all that was written since then, as a store's documents have
    them. A name too many does no harm.
    """
    sent: dict[str, Plain] = {f"{kind}s": {} for kind in KINDS}
    if since is None:
        names = [(kind, key) for kind in KINDS for key in nouns_of(catalog, kind)]
        if catalog.kept:
            sent["kept"] = to_plain(catalog.kept)
    for kind, key in names:
        if kind == CATALOG:
            sent["kept"] = to_plain(catalog.kept)
        else:
            sent[f"{kind}s"][key] = _write(nouns_of(catalog, kind).get(key))
    return {"revision": catalog.revision, "since": since, "catalog": sent}


def _write(noun: Noun | None) -> Plain:
    if noun is None:
        return None
    if not isinstance(noun, Segment):
        return to_plain(noun)
    named = {
        name: {"list": digest_of(ids), "count": ids.count}
        for name in _LISTS
        if len((ids := getattr(noun, name)).text) > LIST_BYTES_MAX
    }
    short: dict[str, Any] = dict.fromkeys(named, NO_IDS)
    return {**to_plain(replace(noun, **short)), **named}


def read(base: Catalog | None, sent: Mapping[str, Any], lists: Lists) -> tuple[Catalog, Touched]:
    """The catalog that an answer leads to from `base`, with its index, and what is to be compiled.

    Fields that a later server adds beside these are passed over. `lists` gives the text of a list
    by its digest; it is not asked for one that the same segment of `base` has.

    Raises InvalidInput for what has not this form, or is about another revision than that of
    `base`.
    """
    plain, revision, since = (_field(sent, name) for name in ("catalog", "revision", "since"))
    if type(revision) is not int or revision < 0:
        raise InvalidInput("a revision is a whole number from 0 on", "$.revision")
    if since is not None and (base is None or type(since) is not int or since != base.revision):
        known = "there is no catalog yet" if base is None else f"the catalog is at {base.revision}"
        raise InvalidInput(f"this is what changed since another revision: {known}", "$.since")
    if type(plain) is not dict or not plain.keys() <= {"kept", *(f"{kind}s" for kind in KINDS)}:
        raise InvalidInput(f"a catalog has kept, {'s, '.join(KINDS)}s and no more", "$.catalog")
    old = EMPTY if base is None or since is None else base
    changes = {
        kind: _nouns(kind, _field(plain, f"{kind}s", "$.catalog"), base or EMPTY, lists)
        for kind in KINDS
    }
    by_field: dict[str, Any] = {
        f"{kind}s": nouns_of(old, kind).change(nouns) for kind, nouns in changes.items() if nouns
    }
    if "kept" in plain:
        by_field["kept"] = from_plain(_Kept, plain["kept"], "$.catalog.kept")
    new = replace(old, revision=revision, **by_field)
    new = follow(old, new, [(kind, key) for kind, nouns in changes.items() for key in nouns])
    return new, None if base is None else touched_between(base, new)


def named_lists(sent: Mapping[str, Any]) -> Iterator[str]:
    """The digests of the lists that an answer names; none for what is no answer."""
    segments = _in(_in(sent, "catalog"), "segments")
    for key in segments:
        for name in _LISTS:
            digest = _in(_in(segments, key), name).get("list")
            if type(digest) is str:
                yield digest


def _in(plain: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = plain.get(name)
    return found if isinstance(found, Mapping) else {}


def _field(sent: object, name: str, path: str = "$") -> Any:
    if not isinstance(sent, Mapping) or name not in sent:
        raise InvalidInput(f"this has no {name}: it is not what a server sends", path)
    return sent[name]


def _nouns(kind: str, plain: object, base: Catalog, lists: Lists) -> dict[str, Noun | None]:
    if type(plain) is not dict:
        raise InvalidInput(f"{kind}s are an object by key", f"$.catalog.{kind}s")
    nouns: dict[str, Noun | None] = {}
    for key, item in plain.items():
        path = f"$.catalog.{noun_path(kind, key)[2:]}"
        known = base.segments.get(key) if kind == "segment" else None
        noun = None if item is None else _noun(kind, item, known, lists, path)
        if noun is not None and noun.key != key:
            raise InvalidInput(f"this {kind} has the key {noun.key!r}", path)
        nouns[key] = noun
    return nouns


def _noun(kind: str, plain: Plain, known: Segment | None, lists: Lists, path: str) -> Noun:
    named: dict[str, IdList] = {}
    if kind == "segment" and type(plain) is dict:
        for name in _LISTS:
            if type(plain.get(name)) is dict:
                own = NO_IDS if known is None else getattr(known, name)
                named[name] = _list(plain[name], own, lists, f"{path}.{name}")
        plain = {name: item for name, item in plain.items() if name not in named}
    noun = read_noun(kind, plain, path)
    return replace(noun, **named) if named else noun  # type: ignore[arg-type]


def _list(plain: Plain, known: IdList, lists: Lists, path: str) -> IdList:
    digest, count = plain.get("list"), plain.get("count")
    if plain.keys() != {"list", "count"} or type(digest) is not str or type(count) is not int:
        raise InvalidInput("a long list is {list, count}: its digest and how many ids", path)
    if known.count == count and digest_of(known) == digest:
        return known
    text = lists(digest)
    keys = text.split(b"\n")
    if sha256(text).hexdigest() != digest or len(keys) != count:
        raise InvalidInput("the list that came is another than the one that was named", path)
    if not all(one < other for one, other in pairwise(keys)):
        raise InvalidInput("the ids of a list are sorted, each once", path)
    return IdList(text, count)
