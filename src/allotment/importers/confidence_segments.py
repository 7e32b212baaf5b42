"""Confidence's segments: a targeting, and the buckets of the account that it has.

All segments of an account draw by one salt, so they are samples of one layer. A segment is added
for each kind of unit that a rule deals it to.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np

from allotment.importers.confidence_payload import CfBitset, CfSegment
from allotment.importers.confidence_targeting import EVERYONE, NO_ONE, CfConditions
from allotment.importers.payload import part, refuse, usable_key
from allotment.importers.rules import Imported
from allotment.model.limits import BUCKETS, RANGES_MAX
from allotment.model.profile import Draw
from allotment.model.segment import Condition, Sample, Segment
from allotment.model.slots import Range, Ranges, intersect, size

POPULATION: Final = "confidence-population-1"
USER: Final = "user"

# The layer that segments have their buckets of; the server's Confidence API calls it so too.
LAYER: Final = "confidence"

_ALL: Final[Ranges] = (Range(0, BUCKETS),)
_GZIP: Final = 16 + zlib.MAX_WBITS

Places: TypeAlias = Mapping[str, tuple[Any, str]]  # by name: an object as it stands, and where


class CfSegments:
    """Adds the segments that rules are for."""

    def __init__(self, imported: Imported, account: str, segments: Places, bitsets: Places) -> None:
        self._imported = imported
        self._salt = f"MegaSalt-{account}"
        self._segments = segments
        self._bitsets = bitsets
        self._within: tuple[str, ...] = ()
        self.targeting = CfConditions(self._nested)

    def add(self, name: str, unit: str) -> str | None:
        """The key of the segment for this kind of unit, added if need be; None is everyone.

        Raises LeftOut where it cannot be said exactly.
        """
        given, path = self._segments[name]
        condition, ranges = self._condition(name), self._ranges(name)
        if condition == EVERYONE and ranges == _ALL:
            return None
        suffix = "" if unit == USER else f".{unit}"
        key = usable_key(f"{name.rsplit('/', 1)[-1]}{suffix}", f"{path}.name")
        if key not in {each.key for each in self._imported.segments}:
            segment = part(CfSegment, given, path)
            sample = None if ranges == _ALL else self._sample(segment, ranges, unit, path)
            made = Segment(key, segment.display_name, unit=unit, rules=(condition,), sample=sample)
            self._imported.segments.append(made)
        return key

    def _sample(self, segment: CfSegment, ranges: Ranges, unit: str, path: str) -> Sample:
        layer = LAYER if unit == USER else f"{LAYER}.{unit}"
        if layer not in self._imported.layers:
            self._imported.add_layer(layer, Draw(POPULATION, self._salt), unit)
        tags, others = segment.allocation.exclusivity_tags, segment.allocation.exclusive_to
        sample = Sample(size(ranges), layer, tuple(sorted(tags)), tuple(sorted(others)), ranges)
        for each in self._imported.segments:
            if (
                each.sample
                and each.sample.excludes(sample)
                and intersect(each.sample.ranges, ranges)
            ):
                message = (
                    f"its tags are left out: it has buckets of {each.key!r} too, and here those "
                    "that exclude each other have none in common, whatever their targeting"
                )
                self._imported.note(f"{path}.allocation", message)
                return replace(sample, tags=(), exclusive_to=())
        return sample

    def _nested(self, name: str, path: str) -> Condition:
        """The condition that another segment stands for; one that is not there has no units."""
        if name not in self._segments:
            return NO_ONE
        if name in self._within:
            refuse(path, f"the segment {name!r} leads back to itself")
        if self._ranges(name) != _ALL:
            refuse(path, f"the segment {name!r} has some buckets only, and is asked for by another")
        return self._condition(name)

    def _condition(self, name: str) -> Condition:
        given, path = self._segments[name]
        self._within += (name,)
        condition = self.targeting.read(part(CfSegment, given, path).targeting, f"{path}.targeting")
        self._within = self._within[:-1]
        return condition

    def _ranges(self, name: str) -> Ranges:
        """The buckets that a segment has; all, where nothing says which."""
        if name not in self._bitsets:
            return _ALL
        given, path = self._bitsets[name]
        bitset = part(CfBitset, given, path)
        if bitset.full_bitset and bitset.gzipped_bitset is None:
            return _ALL
        try:
            inflating = zlib.decompressobj(_GZIP)
            packed = base64.b64decode(bitset.gzipped_bitset or "", validate=True)
            bits = inflating.decompress(packed, BUCKETS // 8 + 1)
        except (binascii.Error, zlib.error) as error:
            refuse(path, f"the bits cannot be unpacked: {error}")
        if len(bits) > BUCKETS // 8 or not inflating.eof:
            refuse(path, f"a segment has {BUCKETS:,} bits, and these are others")
        return _runs(bits, path)


def _runs(bits: bytes, path: str) -> Ranges:
    """The ranges of bits that are set, the lowest bit of a byte first."""
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    edges = np.flatnonzero(np.diff(flags, prepend=np.uint8(0), append=np.uint8(0)))
    if len(edges) > 2 * RANGES_MAX:
        message = (
            f"its bits are {len(edges) // 2:,} ranges of buckets, and a sample has at most "
            f"{RANGES_MAX:,}"
        )
        refuse(path, message)
    pairs = edges.reshape(-1, 2).tolist()
    return tuple(Range(start, stop) for start, stop in pairs)
