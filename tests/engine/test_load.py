"""What an engine is loaded from: a file, text, a store, what a server sends, or a Catalog."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import allotment
import nouns
from allotment import Reason
from allotment.change.apply import apply
from allotment.change.commands import Rename
from allotment.model.catalog import Catalog
from allotment.model.plain import to_plain
from allotment.store import Store
from serving import SHOP, fill, serving

TEXT = SHOP.read_text()
UNITS = [f"user-{number}" for number in range(500)]


def answers(engine: allotment.Engine) -> list[object]:
    return [
        (answer.experiment, answer.treatment, answer.reason)
        for unit in UNITS
        for answer in engine.assign_all(unit, {"country": "SE"}).values()
    ]


def test_the_text_of_a_catalog_is_loaded_as_its_file_is(tmp_path: Path) -> None:
    file = answers(allotment.load(SHOP))
    as_json = tmp_path / "shop.json"
    with Store.open(tmp_path / "a.db") as store:
        fill(str(tmp_path / "a.db"), SHOP)
        catalog = store.catalog()
    assert answers(allotment.load(TEXT)) == file
    assert answers(allotment.load(TEXT.encode())) == file
    assert answers(allotment.load(catalog)) == file
    assert answers(allotment.load(tmp_path / "a.db")) == file
    text = '{"allotment": 1, "flags": {"f": {"default": "a", "variations": {"a": 1}}}}'
    as_json.write_text(text)
    for source in (text, text.encode(), f"  {text}", as_json, str(as_json)):
        assert allotment.load(source).resolve("f", "user-1").value == 1


def test_what_a_server_sends_is_loaded_with_its_revision(tmp_path: Path) -> None:
    with serving(tmp_path, catalog=SHOP) as server, server.client() as client:
        (flag,) = list(allotment.load(SHOP).catalog.flags)[:1]
        rename = {"commands": [to_plain(Rename("flag", flag, "Another"))]}
        client.post("/v1/commands", json=rename).raise_for_status()
        sent = client.get("/v1/snapshot").raise_for_status()
        there = client.post("/v1/assign", json={"unit": "user-1"}).raise_for_status().json()
    saved = tmp_path / "snapshot.json"
    saved.write_bytes(sent.content)
    for source in (sent.content, sent.text, saved):
        engine = allotment.load(source)
        assert engine.catalog.revision == sent.json()["revision"] > 1
        assert f"{engine.snapshot.fingerprint:032x}" == sent.json()["fingerprint"]
        assert {answer.revision for answer in engine.assign_all("user-1").values()} == {
            engine.catalog.revision
        }
        here = {key: each.treatment for key, each in engine.assign_all("user-1").items()}
        assert here == {key: each["treatment"] for key, each in there["assignments"].items()}
        # It has its index, so that it can be changed as any catalog.
        renamed = apply(engine.catalog, [Rename("flag", flag, "Again")]).catalog
        assert renamed.revision == engine.catalog.revision + 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://allotment.example.com", "allotment.connect(URL)"),
        ("http://localhost:8080/v1/snapshot", "allotment.connect(URL)"),
        (b"", "the catalog is empty"),
        (b"\xff", "not UTF-8"),
        ('{"catalog": 5}', "$.catalog"),
        ('{"catalog": {"is": "Catalog", "flags": {"f": 5}}}', "$.catalog.flags.f"),
        ('{"allotment": 2}', "`allotment: 1`"),
        (5, "not from int"),
        (None, "not from NoneType"),
    ],
    ids=str,
)
def test_what_is_no_catalog_is_refused_with_what_to_do(source: object, message: str) -> None:
    with pytest.raises(allotment.InvalidInput, match=re.escape(message)):
        allotment.load(source)  # type: ignore[arg-type]


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert allotment.__version__ == version("allotment")


LAID = nouns.catalog(nouns.experiment()).experiments["checkout"].current


def broken(**fields: object) -> Catalog:
    catalog = nouns.catalog(nouns.experiment())
    (found,) = catalog.experiments.values()
    wrong = replace(found, **fields)
    return replace(catalog, experiments=catalog.experiments.change({"checkout": wrong}))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"holdout": "gone"}, "it names 'gone', which is not there"),
        ({"layer": "gone"}, "it names 'gone', which is not there"),
        ({"iterations": (nouns.iteration(audience="gone"),)}, "it names 'gone', which is not"),
        ({"iterations": (replace(LAID, treatments=()),)}, "it names 'control', which is not there"),
    ],
)
def test_an_experiment_that_failed_says_why(fields: dict[str, object], why: str) -> None:
    """A catalog changed by `dataclasses.replace` may be nonsense; nothing has checked it."""
    engine = allotment.load(broken(**fields))
    assert engine.assign("checkout", "user-1").reason is Reason.FAILED
    assert why in engine.snapshot.failures()["checkout"]
    assert f"FAILED: {why}" in str(engine.explain("checkout", "user-1"))


@pytest.mark.parametrize("fields", [{"iterations": ()}, {"unit": 5}])
def test_what_cannot_even_fail_as_an_experiment_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(allotment.InvalidInput, match=r"\$\.experiments\.checkout"):
        allotment.load(broken(**fields))
    catalog = broken()
    nothing = replace(catalog, experiments=catalog.experiments.change({"checkout": 3}))
    with pytest.raises(allotment.InvalidInput, match="not int"):
        allotment.load(nothing)
