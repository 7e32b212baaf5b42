"""The same rows as CSV, NDJSON and Parquet: the same answers, in whatever order they stand."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from allotment.engine import Engine
from allotment.frames.form import open_source
from allotment.frames.wanted import wanted_columns
from allotment.load import load

CONDITIONS = [
    "{attribute: age, at_least: 18}",
    "{attribute: age, in: [17.5, -3, 9007199254740993]}",
    "{attribute: age, less_than: 9007199254740993}",
    "{attribute: country, in: [SE, '1', 'true', '']}",
    "{attribute: country, starts_with: [S, '0']}",
    "{attribute: on, equals: true}",
    "{not: {attribute: on, equals: false}}",
    "{attribute: app, semver_at_least: 2.0.0}",
    "{attribute: app, exists: true}",
]
AGES = [17, 17.5, 18, 20, -3, 1e3, 0.1, 2**53, 2**53 + 1, 2**63, 2**64, -(2**70), None]
COUNTRIES = ["SE", "S,E", 'S"E', "1", "true", "", "007", " SE", "NA", None]
APPS = ["1.9.9", "2.0.0", "2.0", "10", None]


def engine(folder: Path) -> Engine:
    text = ["allotment: 1", "segments:"]
    text += [f"  s{i}: {{rules: [{each}]}}" for i, each in enumerate(CONDITIONS)]
    text += ["experiments:"]
    for i in range(len(CONDITIONS)):
        text += [
            f"  e{i}: {{state: running, audience: s{i}, treatments: {{a: {{}}, b: {{}}}},",
            "    allocations: [{weights: {a: 50, b: 50}}]}",
        ]
    (folder / "catalog.yaml").write_text("\n".join(text))
    return load(folder / "catalog.yaml")


def field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    return json.dumps(value)


def answers(engine: Engine, path: Path) -> dict[str, list[tuple[object, object]]]:
    wanted = wanted_columns(engine.catalog, engine.catalog.experiments, {None: "id"})
    found: dict[str, list[tuple[object, object]]] = {}
    with open_source(path, wanted) as source:
        for rows in source.batches():
            table = engine.assign_table(rows.units, None, rows.attributes)
            for key, column in table.items():
                each = zip(column.names(), column.reasons.tolist(), strict=True)
                found.setdefault(key, []).extend(each)
    return found


def test_rows_get_the_same_in_every_form_and_order(tmp_path: Path, seed: int) -> None:
    dice, one = random.Random(seed), engine(tmp_path)
    rows = [
        {
            "id": f"u{n}",
            "age": dice.choice(AGES),
            "country": dice.choice(COUNTRIES),
            "on": dice.choice([True, False, None]),
            "app": dice.choice(APPS),
        }
        for n in range(3_000)
    ]
    for each in range(2):
        text = tmp_path / "rows.ndjson"
        text.write_text("".join(json.dumps(row) + "\n" for row in rows))
        expected = answers(one, text)
        for key, column in expected.items():
            singles = [one.assign(key, row["id"], row) for row in rows[:300]]
            assert [name for name, _ in column[:300]] == [answer.treatment for answer in singles]
        text = tmp_path / "rows.csv"
        lines = [",".join(map(field, row.values())) + "\n" for row in rows]
        text.write_text("id,age,country,on,app\n" + "".join(lines))
        assert answers(one, text) == expected
        rows.sort(key=lambda row: str(row["age"]), reverse=each == 1)
    plain = [row for row in rows if row["age"] is None or abs(row["age"]) < 2**53]
    (tmp_path / "rows.ndjson").write_text("".join(json.dumps(row) + "\n" for row in plain))
    ages = pa.array([row["age"] for row in plain], pa.float64())  # one type holds these
    table = pa.Table.from_pylist(
        plain,
        pa.schema(
            [
                ("id", pa.string()),
                ("age", ages.type),
                ("country", pa.string()),
                ("on", pa.bool_()),
                ("app", pa.string()),
            ]
        ),
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    assert answers(one, tmp_path / "rows.parquet") == answers(one, tmp_path / "rows.ndjson")
