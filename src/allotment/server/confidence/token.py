"""The token that tells a later `flags:apply` what a resolve gave: signed, and kept nowhere.

It is signed with the client's own secret: without that none can be made or changed, and no
client can bring another's. What is in it is no secret: the client was told all of it.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

import msgspec

from allotment.errors import InvalidInput
from allotment.model.assignment import Assignment, Reason

_MAC: Final = "sha256"
_MAC_BYTES: Final = 32
_MEANT_FOR: Final = b"allotment resolve token 1\n"
_STANDARD: Final = str.maketrans("-_", "+/")


class Given(msgspec.Struct, array_like=True, frozen=True):
    """What a flag resolved to: the treatment that a unit of a kind was given."""

    kind: str
    unit: str
    experiment: str
    iteration: int
    treatment: str
    reason: Reason
    is_control: bool
    revision: int
    variations: dict[str, str]
    allocation: str | None = None  # a token that an earlier release signed has none

    @property
    def assignment(self) -> Assignment:
        """The answer as it was given."""
        return Assignment(
            self.experiment,
            self.treatment,
            self.reason,
            self.variations,
            self.is_control,
            self.iteration,
            self.revision,
        )


class Told(msgspec.Struct, array_like=True, frozen=True):
    """What a resolve answered in a space: by flag, what was given, or that nothing was."""

    space: str
    flags: dict[str, Given | None]


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Told)


def given_of(
    kind: str, unit: str, answer: Assignment, allocation: str | None = None
) -> Given | None:
    """What the answer gives a unit, if it gives it anything."""
    if answer.treatment is None:
        return None
    return Given(
        kind,
        unit,
        answer.experiment,
        answer.iteration,
        answer.treatment,
        answer.reason,
        answer.is_control,
        answer.revision,
        dict(answer.variations),
        allocation,
    )


def sign(secret: bytes, space: str, flags: Mapping[str, Given | None]) -> str:
    """The token of a resolve."""
    payload = _encode(Told(space, dict(flags)))
    return _spell(_mac(secret, payload) + payload)


def read_token(secret: bytes, space: str, text: str, path: str) -> Told:
    """What the resolve that gave the token answered; raises InvalidInput for any other text."""
    message = "this is not a token that a resolve with this client secret gave"
    refusal = InvalidInput(message, path)
    signed = _read_bytes(text)
    if signed is None:
        raise refusal
    mac, payload = signed[:_MAC_BYTES], signed[_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(secret, payload)):
        raise refusal
    try:
        told = _decode.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise refusal from None
    # A client's secret may reach several spaces.
    if told.space != space:
        raise refusal
    return told


def _spell(signed: bytes) -> str:
    return b64encode(signed).decode()


def _read_bytes(text: str) -> bytes | None:
    """Bytes as the JSON of protocol buffers spells them: base64 of either alphabet, padded or not.

    Clients decode a token and encode it again as they are used to. None for any other text.
    """
    standard = text.translate(_STANDARD)
    try:
        found = b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError:
        return None
    # Decoding passes over what is no digit of base64, and over bits that are left.
    spelled = _spell(found)
    return found if standard in (spelled, spelled.rstrip("=")) else None


def _mac(secret: bytes, payload: bytes) -> bytes:
    return hmac.digest(secret, _MEANT_FOR + payload, _MAC)
