"""The engines: one row each, and nothing else tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from sqlglot import exp

from allotment.model.hashing import Hash
from allotment.sql.dialect import Build, Expr, Kind, SqlDialect, call, joined, one, text, whole


def _nested(*names: str) -> Build:
    """Functions of one argument, the last of them innermost."""

    def build(argument: Expr) -> Expr:
        for name in reversed(names):
            argument = call(name, argument)
        return argument

    return build


def _hex(name: str) -> Build:
    return _nested("lower", "hex", name)


def _hashes(md5: Build, sha1: Build, sha256: Build) -> Mapping[Hash, Build]:
    return MappingProxyType({Hash.MD5: md5, Hash.SHA1: sha1, Hash.SHA256: sha256})


def _utf8(argument: Expr) -> Expr:
    return call("convert_to", argument, text("UTF8"))


def _of_c(argument: Expr) -> Expr:
    """With the collation of PostgreSQL, and of DuckDB, that compares bytes."""
    return exp.Collate(this=argument.copy(), expression=exp.column("C", quoted=True))


def _regtype(name: str) -> Expr:
    return exp.cast(text(name), exp.DataType.build("regtype", dialect="postgres", udt=True))


def _nan_is_equal(argument: Expr) -> Expr:
    """NaN, in an engine where it is equal to itself and there is no function that asks."""
    return exp.EQ(this=argument.copy(), expression=exp.cast(exp.Literal.string("NaN"), "double"))


def _unless(failing: Callable[[Expr], Expr]) -> Callable[[Expr, Expr], Expr]:
    """TRUE where the condition holds; `failing` is what fails with a message."""
    return lambda condition, message: exp.Case(
        ifs=[exp.If(this=condition, true=exp.true())], default=failing(message)
    )


def _throw_if(condition: Expr, message: Expr) -> Expr:
    return exp.EQ(this=call("throwIf", exp.not_(condition), message), expression=whole(0))


def _right(end_of: Expr, end: str) -> Expr:
    """The last characters of a text are `end`; of a shorter text that is all there is."""
    last = exp.Right(this=end_of.copy(), expression=whole(len(end)))
    return exp.EQ(this=last, expression=text(end))


def _wrapped(*names: str) -> str:
    """ClickHouse's types, alone, nullable or in a dictionary."""
    return rf"^(LowCardinality[(])?(Nullable[(])?({'|'.join(names)})[)]*$"


def _types(*names: str) -> Mapping[Kind, str]:
    """The names of the types of text, whole numbers, floats, truth values and UUIDs, if any."""
    found = zip(Kind, names, strict=False)
    return MappingProxyType({kind: f"^({names})$" for kind, names in found})


def _takes(column: Expr, kind: str) -> Expr:
    """TRUE, by an operator that takes columns of one kind alone."""
    tried: dict[str, Expr] = {
        Kind.TEXT: exp.DPipe(this=column.copy(), expression=text("")),
        Kind.INTEGER: exp.BitwiseOr(this=column.copy(), expression=whole(0)),
        Kind.FLOAT: call("IEEE_DIVIDE", column, whole(1)),
        Kind.BOOLEAN: exp.and_(column, exp.true()),
    }
    return exp.or_(tried[kind].is_(exp.null()), exp.true())


_CLICKHOUSE = SqlDialect(
    name="clickhouse",
    title="ClickHouse",
    types=MappingProxyType(
        {
            Kind.TEXT: _wrapped("String"),
            Kind.INTEGER: _wrapped("U?Int(8|16|32|64)"),
            Kind.FLOAT: _wrapped("Float(32|64)"),
            Kind.BOOLEAN: _wrapped("Bool"),
            Kind.UUID: _wrapped("UUID"),
        }
    ),
    type_of=one("toTypeName"),
    refuse=_throw_if,
    hashes=MappingProxyType(
        {
            Hash.MURMUR3_32: one("murmurHash3_32"),
            Hash.MURMUR3_128: lambda argument: call(
                "reinterpretAsUInt64",
                call("substring", call("murmurHash3_128", argument), whole(1), whole(8)),
            ),
            Hash.MD5: _hex("MD5"),
            Hash.SHA1: _hex("SHA1"),
            Hash.SHA256: _hex("SHA256"),
        }
    ),
    # The lowest byte comes first there, and a byte has two digits.
    number=lambda digits, count: call(
        "reinterpretAsUInt64",
        call("reverse", call("unhex", call("concat", text("0" * (count % 2)), digits))),
    ),
    native=True,
    bytes=one("length"),
    is_nan=one("isNaN"),
    wholes=(-(2**63), 2**64 - 1),
    part=lambda text_, at, place: exp.Bracket(
        this=call("splitByChar", text(at), text_), expressions=[whole(place)], offset=1
    ),
    valid_text=one("isValidUTF8"),
    pattern="(?-s)",
)

_DUCKDB = SqlDialect(
    name="duckdb",
    title="DuckDB",
    types=_types("VARCHAR", "U?(TINY|SMALL|BIG)INT|U?INTEGER", "FLOAT|DOUBLE", "BOOLEAN", "UUID"),
    type_of=one("typeof"),
    refuse=_unless(one("error")),
    hashes=_hashes(one("md5"), one("sha1"), one("sha256")),
    number=lambda digits, _: exp.cast(joined(text("0x"), digits), "bigint"),
    bytes=one("strlen"),
    is_nan=one("isnan"),
    wholes=(-(2**63), 2**64 - 1),
    pattern="",
    bytewise=_of_c,
)

_POSTGRES = SqlDialect(
    name="postgres",
    title="PostgreSQL",
    types=_types(
        "text|character varying",
        "smallint|integer|bigint",
        "real|double precision",
        "boolean",
        "uuid",
    ),
    type_of=one("pg_typeof"),
    # To compare the numbers of types takes a tenth of the time that a pattern on their names does.
    is_type=lambda type_, names: exp.In(
        this=type_, expressions=[_regtype(name) for name in names.strip("^()$").split("|")]
    ),
    # Only a message that names a column is not read, and refused, before there is a row.
    refuse=_unless(lambda message: exp.cast(message, "boolean")),
    hashes=MappingProxyType(
        {
            Hash.MD5: lambda argument: _of_c(call("md5", _utf8(argument))),
            Hash.SHA256: lambda argument: _of_c(
                call("encode", call("sha256", _utf8(argument)), text("hex"))
            ),
        }
    ),
    number=lambda digits, count: exp.cast(
        exp.cast(joined(text("x"), digits), f"bit({4 * count})"), "bigint"
    ),
    bytes=lambda argument: call("length", _utf8(argument)),
    is_nan=_nan_is_equal,
    ends_with=_right,
    bytewise=_of_c,
    fence=True,
)

_BIGQUERY = SqlDialect(
    name="bigquery",
    title="BigQuery",
    # It names no type, but has operators of one type, and refuses a statement before it runs.
    types=MappingProxyType({kind: kind for kind in Kind if kind is not Kind.UUID}),
    type_of=lambda column: column,
    is_type=_takes,
    refuse=lambda condition, _: condition,
    hashes=_hashes(*(_nested("TO_HEX", name) for name in ("MD5", "SHA1", "SHA256"))),
    number=lambda digits, _: exp.cast(joined(text("0x"), digits), "bigint"),
    bytes=one("BYTE_LENGTH"),
    is_nan=one("IS_NAN"),
    part=lambda text_, at, place: exp.Bracket(
        this=call("SPLIT", text_, text(at)), expressions=[whole(place - 1)], safe=True, offset=0
    ),
    bytewise=lambda argument: call("COLLATE", argument, text("")),
    pattern="",
)

_SNOWFLAKE = SqlDialect(
    name="snowflake",
    title="Snowflake",
    # Behind the name stands how it is stored, in brackets, and some versions leave out a length.
    types=_types(
        "VARCHAR([(][0-9]+[)])?([[].*)?",
        "NUMBER[(][0-9]+,0[)]([[].*)?",
        "FLOAT([[].*)?",
        "BOOLEAN([[].*)?",
        "UUID([[].*)?",
    ),
    type_of=one("SYSTEM$TYPEOF"),
    refuse=_unless(one("TO_BOOLEAN")),
    hashes=_hashes(one("MD5"), one("SHA1"), lambda argument: call("SHA2", argument, whole(256))),
    number=lambda digits, count: call("TO_NUMBER", digits, text("X" * count)),
    bytes=one("OCTET_LENGTH"),
    is_nan=_nan_is_equal,
    bytewise=lambda argument: call("COLLATE", argument, text("utf8")),
    wholes=(-(10**38) + 1, 10**38 - 1),
)

_SPARK = SqlDialect(
    name="spark",
    title="Spark",
    types=_types("string", "tinyint|smallint|int|bigint", "float|double", "boolean"),
    type_of=one("typeof"),
    refuse=_unless(lambda message: exp.cast(call("raise_error", message), "boolean")),
    hashes=_hashes(one("md5"), one("sha1"), lambda argument: call("sha2", argument, whole(256))),
    number=lambda digits, _: exp.cast(call("conv", digits, whole(16), whole(10)), "bigint"),
    bytes=one("octet_length"),
    is_nan=one("isnan"),
    end=r"\z",
)

_TRINO = SqlDialect(
    name="trino",
    title="Trino",
    types=_types(
        "varchar([(][0-9]+[)])?",
        "tinyint|smallint|integer|bigint",
        "real|double",
        "boolean",
        "uuid",
    ),
    type_of=one("typeof"),
    refuse=_unless(lambda message: exp.cast(call("fail", message), "boolean")),
    hashes=_hashes(
        *(_nested("lower", "to_hex", name, "to_utf8") for name in ("md5", "sha1", "sha256"))
    ),
    number=lambda digits, _: call("from_base", digits, whole(16)),
    bytes=_nested("length", "to_utf8"),
    is_nan=one("is_nan"),
    ends_with=_right,
    end=r"\z",
)

_ALL: Final = (_CLICKHOUSE, _DUCKDB, _POSTGRES, _BIGQUERY, _SNOWFLAKE, _SPARK, _TRINO)
DIALECTS: Final[Mapping[str, SqlDialect]] = MappingProxyType({each.name: each for each in _ALL})
