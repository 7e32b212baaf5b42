"""The configuration of one space at one revision, and the ids of its nouns."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from allotment.model.experiment import Experiment
from allotment.model.flag import Flag
from allotment.model.keyed import Keyed
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Segment

_NONE: Final[Keyed[Any]] = Keyed()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that decides assignments, frozen, at one revision.

    revision     the number of the change that led to it; 0 for an empty catalog
    flags        the flags by key, a read-only mapping, as are the next four
    segments     the segments by key
    layers       the layers by key
    holdouts     the holdouts by key
    experiments  the experiments by key
    kept         fields of vendors' APIs about the space itself that the model has no place for
    """

    revision: int = 0
    flags: Keyed[Flag] = _NONE
    segments: Keyed[Segment] = _NONE
    layers: Keyed[Layer] = _NONE
    holdouts: Keyed[Holdout] = _NONE
    experiments: Keyed[Experiment] = _NONE
    kept: tuple[tuple[str, str], ...] = ()
    # An index that `change.references` keeps. For "segment:KEY", "layer:KEY", "holdout:KEY" and
    # "flag:KEY": the keys of the experiments whose assignments depend on that noun, through other
    # segments too. For "id:KIND:HEX": the key of the noun with that identity, or for a variation
    # that of its flag. It has more that only `change` asks for. It is derived, so not compared.
    users: Keyed[frozenset[str]] = field(default=_NONE, compare=False, repr=False)


EMPTY = Catalog()


def identity(kind: str, *keys: str) -> str:
    """The 96-bit id of a noun, as 24 hex digits.

    `kind` is "flag", "segment", "layer", "holdout" or "experiment" with its key; or "variation"
    (flag, variation), "iteration" (experiment, number) or "treatment" (experiment, number,
    treatment), whose keys lead to it from the outside in. Each part is preceded by its length, so
    that no two lists of parts are the same bytes.

    >>> identity("flag", "button")
    '00ecac1ef047a1f28a2796ad'
    """
    texts = [part.encode() for part in (kind, *keys)]
    parts = b"".join([len(text).to_bytes(4, "big") + text for text in texts])
    return blake2b(parts, digest_size=12).hexdigest()
