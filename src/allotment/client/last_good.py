"""The last good file of a client: the catalog that it had last, to start from without a server.

It is JSON, one line for what it is of and one for some nouns each, in a file as `durable` keeps it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from allotment import durable
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.noun_reader import read_json, read_noun
from allotment.change.references import follow
from allotment.compile import Snapshot, compile_catalog
from allotment.errors import InvalidInput
from allotment.model.bulk import without_collecting
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.plain import from_plain, to_plain

log: Final = logging.getLogger("allotment.client")

# The number is raised whenever the form of what follows changes.
_KIND: Final = b"allotment client 1 "


class _Origin(msgspec.Struct):
    """The first line."""

    source: str
    revision: int
    lineage: str
    kept: list[Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds, compiled; its lineage; when it was written, in seconds since 1970 UTC."""

    snapshot: Snapshot
    lineage: str
    written: float


class _OfAnother(Exception):
    """A file that another server's client has written."""


class LastGoodFile:
    """The file at `path`, of the server and the space that `source` names.

    One thread of a process uses it; several processes may. What was spelled is kept by shard:
    most shards are shared between one revision and the next.
    """

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        self._source = source
        self._spelled: dict[int, tuple[object, bytes]] = {}

    def save(self, catalog: Catalog, lineage: str) -> None:
        """Write a catalog; raises OSError where that cannot be done."""
        durable.save(self._path, _KIND, b"".join(self._lines(catalog, lineage)))

    def load(self) -> Kept | None:
        """What was written last; None where nothing was, or nothing that can be read.

        Raises InvalidInput for a file of another server.
        """
        for path in durable.generations(self._path):
            try:
                with without_collecting():
                    return self._read(durable.load(path, _KIND))
            except FileNotFoundError:
                continue
            except _OfAnother as error:
                raise InvalidInput(f"the last good file {path} {error}") from None
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.warning("the last good file %s is of no use: %s", path, error)
        return None

    def _lines(self, catalog: Catalog, lineage: str) -> Iterator[bytes]:
        spelled: dict[int, tuple[object, bytes]] = {}
        first = _Origin(self._source, catalog.revision, lineage, to_plain(catalog.kept))
        yield write_json(msgspec.to_builtins(first))
        for kind in KINDS:
            for shard in nouns_of(catalog, kind).shards:
                if shard:
                    known = self._spelled.get(id(shard))
                    text = known[1] if known else _spell(kind, shard)
                    spelled[id(shard)] = shard, text
                    yield text
        self._spelled = spelled

    def _read(self, whole: durable.Durable) -> Kept:
        first, *lines = whole.body.splitlines()
        origin = msgspec.convert(read_json(first), _Origin)
        if origin.source != self._source:
            raise _OfAnother(f"is of {origin.source}, and not of {self._source}")
        nouns: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        for line in lines:
            kind, plain = msgspec.convert(read_json(line), tuple[str, dict[str, Any]])
            for key, item in plain.items():
                nouns[kind][key] = read_noun(kind, item)
        by_field: dict[str, Any] = {
            f"{kind}s": nouns_of(EMPTY, kind).change(each) for kind, each in nouns.items()
        }
        kept = from_plain(tuple[tuple[str, str], ...], origin.kept)
        catalog = replace(EMPTY, revision=origin.revision, kept=kept, **by_field)
        catalog = follow(EMPTY, catalog, [(kind, key) for kind in KINDS for key in nouns[kind]])
        return Kept(compile_catalog(catalog), origin.lineage, whole.written)


def _spell(kind: str, shard: dict[str, Any]) -> bytes:
    plain = {key: to_plain(noun) for key, noun in shard.items()}
    return write_json([kind, plain])


def write_json(plain: object) -> bytes:
    """A line of JSON; a vendor's text may hold half a pair of surrogates, which is escaped."""
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"
