"""States of Confidence's resolvers, made from JSON values."""

from __future__ import annotations

import base64
import gzip
from typing import Any

from google.protobuf import json_format

from allotment.importers.confidence_state import CLASSES, PACKAGE


def encode(account: str, **state: Any) -> bytes:
    """The bytes that a resolver loads, of an account and a `ResolverState`."""
    inner = base64.b64encode(_bytes_of("ResolverState", state)).decode()
    return _bytes_of("ClientResolverState", {"account": account, "state": inner})


def _bytes_of(name: str, values: dict[str, Any]) -> bytes:
    message = json_format.ParseDict(values, CLASSES[f"{PACKAGE}.{name}"]())
    return message.SerializeToString()


def packed(bits: bytes) -> str:
    """A bitset as a state has it."""
    return base64.b64encode(gzip.compress(bits, mtime=0)).decode()
