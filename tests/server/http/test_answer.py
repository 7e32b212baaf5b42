"""Trees of plain values as the bytes of an answer."""

import json
from typing import Any

from allotment.dialects.wire.model import Model
from allotment.server.http.answer import encode


def test_half_a_surrogate_pair_that_is_kept_is_an_escape_in_the_answer() -> None:
    """A vendor's value may hold it as an escape; UTF-8 has no bytes for it."""
    tree = {"tags": ["\ud800", "\u00e5"]}
    assert encode(tree) == b'{"tags":["\\ud800","\\u00e5"]}'
    assert json.loads(encode(tree)) == tree


class _Kept(Model):
    revision: int
    values: Any


def test_half_a_surrogate_pair_in_a_model_is_an_escape_in_the_answer() -> None:
    kept = _Kept(revision=1, values={"tags": ["\ud800", "\u00e5"]})
    assert json.loads(encode(kept)) == {"revision": 1, "values": {"tags": ["\ud800", "\u00e5"]}}
    assert b"\\ud800" in encode(kept)
