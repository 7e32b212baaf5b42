"""The last good file: what a node saw of the store last, to start from while the store is away.

It is JSON, one line for each noun, in a file as `durable` keeps it.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, TypedDict

from msgspec import Meta, convert

from allotment import durable
from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.change.noun_reader import read_json
from allotment.errors import StoreError, StoreFull
from allotment.model.plain import to_plain
from allotment.store.documents import Document, followed
from allotment.store.lineage import Head
from allotment.store.stored import Stored, Version
from allotment.store.token import Token

# The number is raised whenever the form of what follows changes.
_MAGIC: Final = b"allotment last good 3 "

# What was spelled the last time, by the identity of the shard it is of, which is kept with it: a
# shard is never changed, and most are shared between one revision and the next.
_spelled: Final[dict[int, tuple[object, bytes]]] = {}

_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class LastGood:
    """Every space as it was seen last, and the tokens there were.

    store    the name of the store it was seen in: a path or an address, without user and password
    adopted  when an operator last said that the store's history is the right one, as in `Pulse`
    written  when the file was written, in seconds since 1970 UTC, if this was loaded
    """

    store: str
    spaces: Mapping[str, Stored]
    tokens: tuple[Token, ...]
    adopted: int = 0
    written: float = field(default=0.0, compare=False)


def save(path: Path, last_good: LastGood) -> None:
    """Put a file at `path` that survives a loss of power as soon as this returns.

    One thread of a process saves at a time; several processes of one store may. Raises StoreError
    where the file is another store's or cannot be written, and StoreFull where there is no room;
    the file that was there stays then.
    """
    if (owner := _owner(path)) is not None:
        check_owner(path, owner, last_good.store)
    try:
        durable.save(path, _MAGIC, b"".join(_lines(last_good)))
    except OSError as error:
        kind = StoreFull if error.errno in _NO_ROOM else StoreError
        raise kind(f"the last good file {path} cannot be written: {error.strerror}") from error


def renew(path: Path, last_good: LastGood) -> bool:
    """Whether the file at `path` holds exactly this; its time is then set to now.

    The heads of spaces are compared: a head has the lineage, a digest of the space's history.
    """
    try:
        body = durable.load(path, _MAGIC).body
        is_same = [line for line in body.splitlines(True) if line[:1] == b"{"] == _heads(last_good)
        if is_same:
            os.utime(path)
    except (OSError, durable.Torn):
        return False
    return is_same


def load(path: Path) -> LastGood:
    """The newest whole file at `path`; raises StoreError where there is none.

    A file that is torn, or of another release, is passed over as if it were not there.
    """
    first: StoreError | None = None
    for generation in durable.generations(path):
        try:
            return _load(generation)
        except StoreError as error:
            first = first or error
    assert first is not None
    raise first


def check_owner(path: Path, found: str, store: str) -> None:
    """Raise StoreError where the last good file is of another store than this one."""
    if found != store:
        raise StoreError(
            f"the last good file {path} is of the store {found}, and this server follows {store}: "
            "give each server a file of its own by `last_good`, or remove this one"
        )


def _owner(path: Path) -> str | None:
    """The store that the file at `path` names; None where there is no file of this release."""
    try:
        with path.open("rb") as file:
            known = file.readline().startswith(_MAGIC)
            return str(json.loads(file.readline())["store"]) if known else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _load(path: Path) -> LastGood:
    try:
        whole = durable.load(path, _MAGIC)
    except OSError as error:
        raise StoreError(f"there is no last good file {path}: {error.strerror}") from error
    except durable.Torn as error:
        raise StoreError(f"the last good file {error}") from error
    try:
        return replace(_read(whole.body), written=whole.written)
    except Exception as error:  # whatever was written there, it is refused and not fatal
        raise StoreError(
            f"the last good file {path} is of another release, or was changed by hand: {error}"
        ) from error


def _lines(last_good: LastGood) -> Iterator[bytes]:
    """The store, its tokens, and then each space, which its nouns follow."""
    spelled: dict[int, tuple[object, bytes]] = {}
    origin, access, *heads = _heads(last_good)
    yield origin
    yield access
    for head, stored in zip(heads, last_good.spaces.values(), strict=True):
        yield head
        if (version := stored.versions.get(f"{CATALOG}:{CATALOG}")) is not None:
            yield _json([CATALOG, CATALOG, to_plain(stored.catalog.kept), astuple(version)])
        for kind in KINDS:
            for shard in nouns_of(stored.catalog, kind).shards:
                if shard:
                    known = _spelled.get(id(shard))
                    text = known[1] if known else _nouns(kind, shard, stored)
                    spelled[id(shard)] = shard, text
                    yield text
    _spelled.clear()
    _spelled.update(spelled)


def _heads(last_good: LastGood) -> list[bytes]:
    """The lines that are of no noun: they are objects, and those of nouns lists."""
    return [
        _json({"store": last_good.store, "adopted": last_good.adopted}),
        _json({"tokens": [asdict(token) for token in last_good.tokens]}),
        *(
            _json({"space": name, **asdict(stored.head)})
            for name, stored in last_good.spaces.items()
        ),
    ]


def _nouns(kind: str, shard: Mapping[str, object], stored: Stored) -> bytes:
    return b"".join(
        _json([kind, key, to_plain(noun), astuple(stored.versions[f"{kind}:{key}"])])
        for key, noun in shard.items()
    )


def _json(plain: object) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def _read(body: bytes) -> LastGood:
    first, second, *lines = (read_json(line) for line in body.splitlines())
    origin, access = convert(first, _Origin), convert(second, _Access)
    spaces: dict[str, tuple[list[Document], Head]] = {}
    documents: list[Document] = []
    for line in lines:
        if isinstance(line, dict):
            space, documents = convert(line, _Space), []
            spaces[space["space"]] = documents, Head(space["revision"], space["lineage"])
        else:
            kind, key, noun, version = convert(line, _Noun)
            known = convert(asdict(Version(*version)), Version)  # of the right types
            documents.append(Document(kind, key, noun, known))
    if not spaces:
        raise ValueError("it has no space")
    stored = {name: followed(Stored(name), *spaces[name]) for name in spaces}
    return LastGood(origin["store"], stored, access["tokens"], origin["adopted"])


class _Origin(TypedDict):
    store: str
    adopted: int


class _Access(TypedDict):
    tokens: tuple[Token, ...]


class _Space(TypedDict):
    space: str
    revision: Annotated[int, Meta(ge=0)]
    lineage: str


_Noun: TypeAlias = tuple[str, str, Any, list[Any]]
