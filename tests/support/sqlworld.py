"""A table of units with every column that clauses look at, and random catalogs over it.

The kernel is asked with the same columns as the engine of SQL, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import pyarrow as pa

from allotment import Catalog
from allotment.model.experiment import Experiment
from allotment.model.limits import UNIT_KEY_BYTES_MAX
from allotment.model.profile import NATIVE, PROFILES, Draw, Profile
from allotment.model.segment import Clause, Operator, Segment
from allotment.sql.dialect import SqlDialect
from allotment.sql.draw import can_draw
from allotment.sql.segment import clauses_of
from laws.catalogs import Maker, random_key
from laws.shapes import SHAPES

# No NUL: no statement holds one.
ALPHABETS = [
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz-",
    "aé€漢😀 ",
    "AB\u0301\u212b",
    "'\"\\%_{}\n\t;-",
]

COUNTRY, EMAIL, AGE, SCORE = ("country",), ("email",), ("age",), ("score",)
VIP, VERSION = ("vip",), ("app", "version")

CLAUSES = [
    *(Clause(COUNTRY, Operator.IN, (country,)) for country in ("SE", "NO", "DK", "", "se")),
    Clause(COUNTRY, Operator.IN, ("FI", "IS", 1, True)),
    Clause(COUNTRY, Operator.IN, ("it's", "a\\b", "x\ny", "é", "e\u0301", " SE")),
    Clause(COUNTRY, Operator.IN, (1, 2.5, True)),
    Clause(COUNTRY, Operator.EXISTS),
    Clause(COUNTRY, Operator.AT_LEAST, (1,)),
    Clause(EMAIL, Operator.ENDS_WITH, ("@example.com", ".org", "é", "%", "😀")),
    Clause(EMAIL, Operator.STARTS_WITH, ("a", "É", "_", "\\")),
    Clause(EMAIL, Operator.CONTAINS, ("+", "é", "'", "%", "\n")),
    *(Clause(EMAIL, each, ("",)) for each in (Operator.ENDS_WITH, Operator.CONTAINS)),
    Clause(EMAIL, Operator.STARTS_WITH, ("",)),
    Clause(EMAIL, Operator.EXISTS),
    Clause(AGE, Operator.LESS, (18,)),
    Clause(AGE, Operator.LESS, (18.5, -7)),
    Clause(AGE, Operator.AT_MOST, (65.5, 3)),
    Clause(AGE, Operator.AT_MOST, (10**40,)),
    Clause(AGE, Operator.GREATER, (2**53,)),
    Clause(AGE, Operator.GREATER, (2**63 - 1, 2**64)),
    Clause(AGE, Operator.GREATER, (-(2**63),)),
    Clause(AGE, Operator.AT_LEAST, (18,)),
    Clause(AGE, Operator.AT_LEAST, (-0.5, 2.0**53)),
    Clause(AGE, Operator.IN, (1, 40.0, 2**53 + 1, -(2**63), 10**30)),
    Clause(AGE, Operator.IN, (True, "18", 0.5)),
    Clause(AGE, Operator.EXISTS),
    Clause(SCORE, Operator.LESS, (0.1,)),
    Clause(SCORE, Operator.AT_MOST, (2**53 + 1, 0.1)),
    Clause(SCORE, Operator.GREATER, (2**53 - 1,)),
    Clause(SCORE, Operator.AT_LEAST, (2**53 + 1,)),
    Clause(SCORE, Operator.AT_LEAST, (0.3, 65.5)),
    Clause(SCORE, Operator.IN, (0.1, -3, 2**53, 2**53 + 1, True)),
    Clause(SCORE, Operator.EXISTS),
    Clause(VIP, Operator.IN, (True,)),
    Clause(VIP, Operator.IN, (False, 1)),
    Clause(VIP, Operator.IN, (1, "true")),
    Clause(VIP, Operator.EXISTS),
    Clause(VERSION, Operator.SEMVER_EQUALS, ("2.0.0",)),
    Clause(VERSION, Operator.SEMVER_LESS, ("2.0.0+x",)),
    Clause(VERSION, Operator.SEMVER_AT_MOST, ("2.0.0", "1.0.0")),
    Clause(VERSION, Operator.SEMVER_GREATER, ("1.9.0",)),
    Clause(VERSION, Operator.SEMVER_AT_LEAST, ("1.10.0", "123456789012345678901.0.0")),
]

# An engine that has RE2.
PATTERNS = [
    Clause(EMAIL, Operator.MATCHES, (r"^[a-m]", r"\d{2}")),
    Clause(EMAIL, Operator.MATCHES, ("a.b", r"(?i)É$", "(?m)^c$")),
    Clause(EMAIL, Operator.MATCHES, (r"^\p{Lu}", r"\\")),
]

COUNTRIES = ["SE", "NO", "DK", "FI", "", "se", "it's", "a\\b", "x\ny", "é", "e\u0301", " SE", "SE "]
EMAILS = [
    "ann@example.com", "a+é@b.org", "zoe77", "", "é" * 300, "É", "%", "_", "\\", "a\nb", "b\nc\nd",
    "x'y", "zé", "ze\u0301", "😀", "q😀", "ANN@EXAMPLE.COM", "z" * 8_192 + "77", "z" * 8_190 + "77",
]  # fmt: skip
AGES = [17, 18, 19, 40, 1, 0, -7, -8, 65, 66, 2**53, 2**53 + 1, 2**53 - 1, 2**63 - 1, -(2**63)]
SCORES = [
    0.1, 0.30000000000000004, 0.3, 0.09999999999999999, 0.0, -0.0, -3.0, 65.5, float("nan"),
    float("inf"), float("-inf"), 2.0**53, 2.0**53 - 1, 2.0**53 + 2, 5e-324, 1.7976931348623157e308,
]  # fmt: skip
VERSIONS = [
    *("2.0.0", "2.0.0-rc.1", "1.10.0+x", "1.9.0", "1.9.1", "10.0.0", "2", "02.0.0", "2.0.0-"),
    *("2.0.0+", "2.0.0-01", "2.0.0-0a", "2.0.0+a-b", "1.9.0-x-y.z+b.-", "v2.0.0", "2.0.0.0"),
    *("123456789012345678901.0.0", "99999999999999999999.0.0", "1.9.10", "1.10.0-a", "2.0.1"),
    *("٢.0.0", "2.0.0\n", " 2.0.0"),
]

# How the statement is told of the columns.
SAID = {
    "country": "country:text",
    "email": "email:text",
    "age": "age:integer",
    "score": "score:float",
    "vip": "vip:boolean",
    "app.version": "version",
}


def units(rng: Random, count: int, *, nul: bool) -> list[str | None]:
    """Units of every shape, some of which are no keys; `nul`: some hold a NUL."""
    each = count // (2 * len(SHAPES))
    found: list[str | None] = [key for shape in SHAPES.values() for key in shape(each)]
    odd = [None, "", "é" * 512, "é" * 513, "x" * UNIT_KEY_BYTES_MAX, "x" * (UNIT_KEY_BYTES_MAX + 1)]
    found += odd * 5
    if nul:
        found += ["\0", "a\0b", "a\0", "x" * (UNIT_KEY_BYTES_MAX - 1) + "\0"] * 5
    found += [random_key(rng, ALPHABETS) for _ in range(count - len(found))]
    rng.shuffle(found)
    return found


def table(rng: Random, count: int, *, nul: bool) -> pa.Table:
    """So many units, with a number each and their attributes, a fifth of which are null."""

    def some(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(rng.choices([*values, *[None] * (len(values) // 4)], k=count), kind)

    return pa.table(
        {
            "row": pa.array(range(count), pa.int64()),
            "unit": pa.array(units(rng, count, nul=nul), pa.string()),
            "country": some(COUNTRIES, pa.string()),
            "email": some(EMAILS + ["a\0b", "\0", "b\0"] * nul, pa.string()),
            "age": some(AGES, pa.int64()),
            "score": some(SCORES, pa.float64()),
            "vip": some([True, False], pa.bool_()),
            "version": some(VERSIONS, pa.string()),
        }
    )


class World(Maker):
    """Makes a catalog over such a table, of what an engine can compute.

    `pool` are some of the units of the table, which are listed.
    """

    alphabets = ALPHABETS

    def __init__(self, rng: Random, pool: Sequence[str], dialect: SqlDialect) -> None:
        super().__init__(rng, pool)
        self.dialect = dialect
        self.clauses = CLAUSES if dialect.pattern is None else (*CLAUSES, *PATTERNS)

    def draw(self, salt: str, of: Callable[[Profile], bool]) -> Draw:
        able = [one for one in PROFILES.values() if of(one) and can_draw(one, self.dialect)]
        usual = NATIVE if self.dialect.native else "md5-1"
        return Draw(usual if self.rng.random() < 0.5 else self.rng.choice(able).name, salt)

    def sample(self, key: str, layers: list[str]) -> Segment:
        """One without a layer draws natively."""
        made = super().sample(key, layers)
        is_native = made.sample is not None and made.sample.layer is None
        return replace(made, sample=None) if is_native and not self.dialect.native else made


def listed(rng: Random, units_: Sequence[str | None]) -> list[str]:
    """Units that a catalog's lists may name: none that is no key, or holds a line break."""
    keys = {key for key in units_ if key and not {"\n", "\0"} & {*key}}
    return rng.sample(sorted(key for key in keys if len(key.encode()) <= UNIT_KEY_BYTES_MAX), 40)


def attributes(rows: pa.Table) -> dict[str, object]:
    """The columns of a table as the kernel is given them."""
    version = rows["version"].combine_chunks()
    app = pa.StructArray.from_arrays([version], ["version"])
    return {name: rows[name] for name in ("country", "email", "age", "score", "vip")} | {"app": app}


def said(catalog: Catalog) -> dict[str, str | None]:
    """What the statement is told: the columns of the attributes that the catalog looks at."""
    asked = {".".join(clause.attribute) for clause in clauses_of(catalog.segments.values())}
    return {name: SAID[name] for name in sorted(asked)}


def kept_rows(
    rng: Random, catalog: Catalog, keys: Sequence[str | None]
) -> list[tuple[str, int, str, int, str]]:
    """Kept assignments of a third of the units: experiment, iteration, unit, turn and treatment.

    The first that is kept may be gone from the iteration, and some are of another iteration.
    """
    rows = []
    for experiment in catalog.experiments.values():
        number = experiment.current.number
        for key in sorted({key for key in keys if key}):
            if rng.random() < 0.3:
                turns = rng.sample(["gone", "t0", "t1", "t2", "t19"], rng.choice((1, 1, 2)))
                iteration = number + (rng.random() < 0.1)
                rows += [(experiment.key, iteration, key, at, t) for at, t in enumerate(turns)]
    rng.shuffle(rows)
    return rows


def standing(
    rows: Sequence[tuple[str, int, str, int, str]], experiment: Experiment
) -> dict[str, str]:
    """What counts for a unit: the first treatment kept for it that the current iteration has."""
    iteration = experiment.current
    names = {treatment.key for treatment in iteration.treatments}
    found: dict[str, str] = {}
    for key, number, unit, _, treatment in sorted(rows, key=lambda row: row[3]):
        if (key, number) == (experiment.key, iteration.number) and treatment in names:
            found.setdefault(unit, treatment)
    return found
