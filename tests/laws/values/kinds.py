"""Kinds of values, each with the types of column that hold it, and random ones of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pyarrow as pa

TEXTS = ("SE", "NO", "", "ä", "2.0.0", "18", "true", "a text of more than sixteen bytes", "\0x")
WIDTHS = {
    **{f"int{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}


@dataclass(frozen=True)
class Kind:
    """Values of Python of one kind.

    make    a random one
    arrow   types of Arrow that hold them exactly
    numpy   types of numpy that do, where there are no nulls
    text    whether CSV holds them as they are, without their type
    json    whether JSON does
    """

    make: Callable[[Random], Any]
    arrow: tuple[pa.DataType, ...]
    numpy: tuple[str, ...] = ()
    text: bool = False
    json: bool = False


def _whole(width: str) -> Callable[[Random], int]:
    least, most = WIDTHS[width]
    return lambda rng: rng.choice((least, most, 0, 1, 18, rng.randint(least, most)))


def _float32(rng: Random) -> float:
    some = (0.0, -0.0, 17.5, 18.0, 0.1, 1e30, float("inf"), rng.uniform(-100, 100))
    return float(pa.scalar(rng.choice(some), pa.float32()).as_py())


def _float16(rng: Random) -> float:
    return float(pa.scalar(rng.choice((0.0, 17.5, 18.0, 0.1, 6e-8, rng.random())), "float16"))


def _float64(rng: Random) -> float:
    return rng.choice((0.0, -0.0, 17.5, 18.0, 0.1, 1e300, 2.0**53, rng.uniform(-100, 100)))


def _decimal(digits: int, scale: int) -> Callable[[Random], Decimal]:
    def make(rng: Random) -> Decimal:
        most = 10**digits - 1
        number = rng.choice((0, 18 * 10**scale, most, -most, 1, rng.randint(-most, most)))
        return Decimal((number < 0, tuple(map(int, str(abs(number)))), -scale))

    return make


def _day(rng: Random) -> date:
    days = rng.choice((0, 1, rng.randint(0, 3_652_058)))
    return rng.choice((date(2026, 1, 2), date(2000, 2, 29), date.min + timedelta(days)))


def _moment(rng: Random, zone: timezone | None = None, finest: int = 1) -> datetime:
    micros = rng.randrange(0, 4_000_000_000_000_000, finest)
    base = datetime(1905, 1, 1, tzinfo=zone)
    return rng.choice((datetime(2026, 1, 2, 3, 4, 5, tzinfo=zone), base + timedelta(0, 0, micros)))


def _clock(rng: Random) -> time:
    return rng.choice((time(0), time(3, 4, 5), time(23, 59, 59, 999_999), time(1, 2, 3, 4_000)))


def _list(rng: Random) -> list[str | None]:
    return [rng.choice((*TEXTS[:-1], None)) for _ in range(rng.randrange(4))]


def _pair(rng: Random) -> list[int]:
    return [rng.choice((1, 17, 18)) for _ in "ab"]


TEXT_TYPES = (
    pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
)  # fmt: skip
FAR = timezone(timedelta(hours=2))

KINDS: dict[str, Kind] = {
    "text": Kind(lambda rng: rng.choice(TEXTS), TEXT_TYPES, ("U", "T", "O"), text=True, json=True),
    "bytes": Kind(
        lambda rng: rng.choice((*(text.encode() for text in TEXTS[:-1]), b"\xff", b"\xc3")),
        (pa.binary(), pa.large_binary(), pa.binary_view()),
        ("S", "O"),
    ),
    "uuid": Kind(lambda rng: UUID(int=rng.choice((0, rng.getrandbits(128)))), (pa.uuid(),), ("O",)),
    "boolean": Kind(
        lambda rng: rng.random() < 0.5,
        (pa.bool_(), pa.bool8(), pa.dictionary(pa.int8(), pa.bool_())),
        ("bool", "O"),
        text=True,
        json=True,
    ),
    **{
        width: Kind(
            _whole(width),
            (getattr(pa, width)(), pa.dictionary(pa.int16(), getattr(pa, width)())),
            (width, "O"),
            text=True,
            json=True,
        )
        for width in WIDTHS
    },
    "float16": Kind(_float16, (pa.float16(), pa.float64()), ("float16", "float32"), json=True),
    "float32": Kind(_float32, (pa.float32(), pa.float64()), ("float32", "longdouble", "O")),
    "float64": Kind(_float64, (pa.float64(),), ("float64", ">f8"), text=True, json=True),
    "decimal of 9": Kind(_decimal(9, 2), (pa.decimal32(9, 2), pa.decimal256(11, 2)), ("O",)),
    "decimal of 18": Kind(_decimal(18, 0), (pa.decimal64(18, 0), pa.decimal128(20, 0)), ("O",)),
    "decimal of 38": Kind(_decimal(38, 0), (pa.decimal128(38, 0),), ("O",)),
    "decimal of 76": Kind(_decimal(76, 38), (pa.decimal256(76, 38),), ("O",)),
    "date": Kind(_day, (pa.date32(), pa.date64()), ("M8[D]", "O")),
    "moment": Kind(_moment, (pa.timestamp("us"),), ("M8[us]", "O")),
    "second": Kind(
        lambda rng: _moment(rng, finest=1_000_000),
        tuple(map(pa.timestamp, ("s", "ms", "us", "ns"))),
        ("M8[s]", "M8[ns]"),
    ),
    "instant": Kind(lambda rng: _moment(rng, UTC), (pa.timestamp("us", "UTC"),), ("O",)),
    "instant with a zone": Kind(
        lambda rng: _moment(rng, FAR), (pa.timestamp("us", "+02:00"),), ("O",)
    ),
    "time": Kind(_clock, (pa.time64("us"), pa.time64("ns")), ("O",)),
    "list": Kind(_list, (pa.list_(pa.string()), pa.large_list(pa.string_view())), json=True),
    "pair": Kind(_pair, (pa.list_(pa.int8(), 2), pa.list_(pa.decimal128(3))), json=True),
    "object": Kind(lambda rng: {"y": rng.choice(TEXTS)}, (pa.struct({"y": "string"}),), json=True),
}
