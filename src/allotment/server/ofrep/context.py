"""Whom flags are evaluated for: the context of a request, read strictly."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from allotment.errors import InvalidInput
from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.server.assign.reading import ATTRIBUTES_BYTES_MAX, check_depth, check_size
from allotment.server.http.decoding import DEPTH_MAX, MALFORMED, refusal
from allotment.server.ofrep.bodies import OfrepRequest

CONTEXT: Final = "$.context"

_KEY: Final = "targetingKey"
_KEYS: Final = "targetingKeys"


class _Sized(msgspec.Struct):
    context: msgspec.Raw = msgspec.Raw(b"")


_decode: Final = msgspec.json.Decoder(OfrepRequest).decode
_sized: Final = msgspec.json.Decoder(_Sized).decode
_canonical: Final = msgspec.json.Encoder(order="deterministic").encode
_keys: Final = dict[str, str | int]

Unit: TypeAlias = str | dict[str, str | int]


class Context(NamedTuple):
    """The unit of a context, and what else it says of the unit."""

    unit: Unit
    attributes: dict[str, Any]


def read_request(body: bytes | bytearray) -> dict[str, Any]:
    """The context as it is written.

    Raises InvalidInput with the path of the fault, and no word of the body.
    """
    try:
        context = _decode(body).context
    except MALFORMED as error:
        raise refusal(error, bytes(body), OfrepRequest) from None
    if len(body) > ATTRIBUTES_BYTES_MAX:
        check_size(len(_sized(body).context), CONTEXT)
    # So few brackets cannot nest too deep.
    if body.count(b"{") + body.count(b"[") > DEPTH_MAX:
        check_depth(context, CONTEXT)
    return context


def canonical(context: dict[str, Any]) -> bytes:
    """The text of a context: the same for any order of its members, and for nothing else.

    A number is written as it came: 1 and 1.0 have two texts, though no condition tells them apart.
    """
    return _canonical(context)


def read_context(context: dict[str, Any]) -> Context:
    """The unit and the attributes of a context, whose members are taken out.

    Without a unit the experiments answer NO_UNIT. Raises InvalidInput for a key that is none.
    """
    key = context.pop(_KEY, "")
    keys = context.pop(_KEYS, None)
    if type(key) is not str:
        raise InvalidInput("a targeting key is text", f"{CONTEXT}.{_KEY}")
    if len(key) > UNIT_KEY_BYTES_MAX // 4 and len(key.encode()) > UNIT_KEY_BYTES_MAX:
        message = f"a targeting key has at most {UNIT_KEY_BYTES_MAX:,} bytes of UTF-8"
        raise InvalidInput(message, f"{CONTEXT}.{_KEY}")
    if keys is None:
        return Context(key or {}, context)
    try:
        return Context(msgspec.convert(keys, _keys), context)
    except msgspec.ValidationError:
        message = "these are targeting keys by the kind of unit, each text or a whole number"
        raise InvalidInput(message, f"{CONTEXT}.{_KEYS}") from None
