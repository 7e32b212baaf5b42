"""`allotment import PLATFORM`: shown, asked for and made, in a store and through a server."""

from __future__ import annotations

import json
from pathlib import Path

import allotment
from confidencestate import encode
from places import Place

PAYLOAD = {
    "flags": {
        "checkout": {
            "on": True,
            "salt": "abc",
            "variations": ["old", "new"],
            "offVariation": 0,
            "fallthrough": {
                "rollout": {
                    "variations": [
                        {"variation": 0, "weight": 50_000},
                        {"variation": 1, "weight": 50_000},
                    ]
                }
            },
        },
        "later": {
            "on": True,
            "salt": "abc",
            "variations": [1],
            "fallthrough": {"variation": 0},
            "prerequisites": [{"key": "checkout", "variation": 0}],
        },
    }
}
NOTE = "$.flags.later.prerequisites"


def payload(folder: Path) -> Path:
    file = folder / "payload.json"
    file.write_text(json.dumps(PAYLOAD))
    return file


def test_it_shows_what_each_becomes_and_changes_nothing_without_a_yes(
    invoke, place: Place, tmp_path: Path
) -> None:
    said = invoke("import", "launchdarkly", payload(tmp_path), *place.options, code=1)
    assert said.stdout.splitlines() == [
        "+ flag checkout",
        "+ experiment checkout.fallthrough",
        "in all: 1 flag, 1 experiment; 1 note",
        f"  {NOTE}: flag later is left out: a flag here does not depend on others",
    ]
    assert f"this makes 2 changes in {place.name}; say --yes" in said.stderr
    assert "checkout" not in invoke("export", *place.options).stdout


def test_a_state_of_confidence_is_read_from_its_bytes(invoke, place: Place, tmp_path: Path) -> None:
    file = tmp_path / "state.pb"
    flag = {"name": "flags/color", "state": 1, "clients": ["clients/c"]}
    file.write_bytes(encode("acme", flags=[flag], clients=[{"name": "clients/c"}]))
    said = invoke("import", "confidence", file, "--yes", *place.options)
    assert said.stdout.splitlines()[0] == "+ flag color"
    file.write_text("{}")
    assert "no ClientResolverState" in invoke("import", "confidence", file, code=1).stderr


def test_it_makes_the_nouns_and_gives_the_notes_as_json(
    invoke, place: Place, tmp_path: Path
) -> None:
    options = ("--yes", "--json", *place.options)
    made = json.loads(invoke("import", "launchdarkly", payload(tmp_path), *options).stdout)
    assert made["revision"] == 1
    assert [note["path"] for note in made["notes"]] == [NOTE]
    engine = allotment.load(invoke("export", *place.options).stdout)
    values = {engine.resolve("checkout", f"user-{number}").value for number in range(50)}
    assert values == {"old", "new"}
    (entry,) = json.loads(invoke("history", "--json", *place.options).stdout)
    assert entry["comment"] == "imported from launchdarkly"


def test_a_key_that_is_there_is_replaced_only_where_that_is_said(
    invoke, place: Place, tmp_path: Path
) -> None:
    file = payload(tmp_path)
    invoke("import", "launchdarkly", file, "--yes", *place.options)
    refused = invoke("import", "launchdarkly", file, "--yes", *place.options, code=1)
    assert "flag checkout, experiment checkout.fallthrough" in refused.stderr
    assert "say --replace" in refused.stderr
    again = invoke("import", "launchdarkly", file, "--replace", *place.options)
    assert "is already as the file says, at revision 1" in again.stderr


def test_a_catalog_file_deals_the_same(invoke, place: Place, tmp_path: Path) -> None:
    output = tmp_path / "catalog.yaml"
    file = payload(tmp_path)
    invoke("import", "launchdarkly", file, "--output", output)
    invoke("import", "launchdarkly", file, "--yes", *place.options)
    assert output.read_text() == invoke("export", *place.options).stdout
    refused = invoke("import", "launchdarkly", file, "--output", output, code=1)
    assert "is there already; name another file" in refused.stderr


def test_a_file_that_is_no_payload_is_refused_with_its_place(invoke, tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text("{")
    said = invoke("import", "launchdarkly", file, "--yes", code=1)
    assert "payload.json is not JSON" in said.stderr
    file.write_text('{"flags":' + "[" * 100_000 + "]" * 100_000 + "}")
    said = invoke("import", "launchdarkly", file, "--yes", code=1)
    assert "payload.json is nested too deep" in said.stderr
    file.write_text('{"flags": {"a": []}}')
    said = invoke("import", "launchdarkly", file, "--yes", code=1)
    assert "$.flags.a" in said.stderr
