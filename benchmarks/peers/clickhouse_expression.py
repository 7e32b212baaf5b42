"""ClickHouse, in this process (chdb): one expression of SQL over a table in memory."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from chdb import session


def prepare(experiments: dict[str, list[str]], shares: dict[str, int]) -> dict[str, Any]:
    opened = session.Session()
    bounds = ", ".join(
        f"b < {bound}, '{name}'"
        for bound, name in zip(accumulate(shares.values()), shares, strict=True)
    )
    countries = ", ".join(f"'{country}'" for country in experiments["exp_0"])
    numbers = iter(range(100))

    def table(units: list[str], countries: list[str]) -> str:
        name = f"units_{next(numbers)}"
        opened.query(f"CREATE TABLE {name} (unit String, country String) ENGINE = Memory")
        rows = ",".join(f"('{u}','{c}')" for u, c in zip(units, countries, strict=True))
        opened.query(f"INSERT INTO {name} VALUES {rows}")
        return name

    def batch(name: str) -> Any:
        sql = (
            f"WITH murmurHash3_32(concat('exp_0:', unit)) % 10000 AS b "
            f"SELECT if(country IN ({countries}), multiIf({bounds}, ''), '') FROM {name}"
        )
        return opened.query(sql, "RowBinary").bytes()

    def listed(answer: bytes) -> list[str]:
        """RowBinary has the length of each text before it; these are shorter than 128 bytes."""
        found, place = [], 0
        while place < len(answer):
            end = place + 1 + answer[place]
            found.append(answer[place + 1 : end].decode())
            place = end
        return found

    return {"table": table, "batch": batch, "listed": listed, "close": opened.close}
