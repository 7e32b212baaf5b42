"""Why?: what a unit gets, with every check, its bucket and its bound; now and before."""

from __future__ import annotations

from typing import Any

import pytest

import allotment
import nouns
from allotment.change.commands import PauseIteration, Reserve
from allotment.compile import compile_catalog
from allotment.engine import Engine
from allotment.errors import InvalidInput
from allotment.model.assignment import REASONS
from allotment.model.experiment import Allocation
from allotment.model.layer import Holdout, Layer
from allotment.server.console.question import WhyQuery, read_question
from allotment.server.console.reasons import REASON_WORDS
from allotment.server.console.why import why_answer
from server.console.visiting import HERE, Elements, Visiting
from serving import SHOP

PAGE = f"{HERE}/why"
SWEDE = {"a1": "country", "v1": "SE"}


def test_attributes_are_pairs_beside_json() -> None:
    query = WhyQuery(
        unit="u",
        attributes='{"age": 18, "app": {"name": "x"}}',
        a1="country",
        v1="SE",
        a2="app.version",
        v2='"2"',
        a4="beta",
        v4="true",
    )
    assert read_question(query).attributes == {
        "age": 18,
        "app": {"name": "x", "version": "2"},
        "country": "SE",
        "beta": True,
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"experiment": "a", "flag": "b"}, "query.flag"),
        ({"revision": "x"}, "query.revision"),
        ({"revision": "0"}, "query.revision"),
        ({"attributes": "[1]"}, "query.attributes"),
        ({"attributes": "{"}, "query.attributes"),
        ({"attributes": '{"a": 1}', "a2": "a", "v2": "2"}, "query.a2"),
        ({"attributes": '{"a": 1}', "a1": "a.b", "v1": "2"}, "query.a1"),
        ({"v3": "alone"}, "query.v3"),
    ],
)
def test_a_question_that_is_none_is_refused_at_its_field(fields: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_question(WhyQuery(unit="u", **fields))
    assert refused.value.path == path


def test_every_reason_has_words() -> None:
    assert set(REASON_WORDS) == set(REASONS)


def test_what_is_drawn_is_what_was_compared() -> None:
    """In every stage that draws the mark lies in the stretch that decided."""
    thirds = Allocation("everyone", (("green", 1), ("control", 1)), 3)
    catalog = nouns.catalog(
        Layer("page", ""),
        Holdout("few", "", 100_000),
        nouns.experiment(
            "checkout",
            nouns.iteration(allocations=(thirds,), enrolment_ppm=500_000),
            holdout="few",
        ),
        nouns.experiment("other"),
    )
    catalog = nouns.changed(
        catalog, Reserve("page", "other", 300_000), Reserve("page", "checkout", 600_000)
    )
    engine = Engine(compile_catalog(catalog))
    drawn, got = set(), set()
    for number in range(300):
        found = engine.explain("checkout", f"user-{number}")
        answer = why_answer(engine, found)
        assert answer.assignment == engine.assign("checkout", f"user-{number}")
        for line in answer.checks:
            if not line.mark:
                assert line.stretches == ()
                continue
            (mark,) = line.mark
            drawn.add(line.check.name)
            inside = [each for each in line.stretches if each.start <= mark.at < each.stop]
            assert len(inside) == 1
            assert line.stretches[0].start == 0
            assert line.stretches[-1].stop == line.check.buckets
            if not line.check.applies:
                continue  # an earlier check decided
            if line.check.name == "treatment":
                colour = {"control": 0, "green": 1, None: None}[answer.assignment.treatment]
                assert inside[0].colour == colour
                got.add(colour)
            else:
                assert (inside[0].colour == 0) is not line.check.decided
    assert drawn == {"holdout", "layer", "enrolment", "treatment"}
    assert got == {0, 1, None}


async def asked(visiting: Visiting, status: int = 200, **query: str) -> Elements:
    answer = await visiting.browser.get(PAGE, params=query)
    assert answer.status_code == status, answer.text
    return Elements(answer.text)


@pytest.fixture
async def reader(visiting: Visiting) -> Visiting:
    await visiting.signed_in("read")
    return visiting


pytestmark = pytest.mark.anyio


async def test_the_answer_is_that_of_the_engine(reader: Visiting) -> None:
    engine = allotment.load(SHOP)
    for number in range(5):
        unit = f"user-{number}"
        given: Any = engine.explain("checkout", unit, {"country": "SE"})
        page = await asked(reader, unit=unit, experiment="checkout", **SWEDE)
        assert f"{unit} gets {given.assignment.treatment}" in page.words
        assert f"{given.checks[-1].draw:016x}" in page.words
        assert f"Bucket {given.checks[-1].bucket:,}" in page.words
    page = await asked(reader, unit="user-1", experiment="checkout")
    assert "user-1 gets no treatment of checkout: the unit is not in the audience" in page.words
    assert "country" in page.words


async def test_a_flag_has_its_value_and_the_explanation_of_each_experiment(
    reader: Visiting,
) -> None:
    page = await asked(reader, unit="the-boss", flag="button")
    assert "the-boss gets the variation green of the flag, by experiment checkout" in page.words
    assert '{"colour": "#0f0", "sizes": [1, 2.5]}' in page.words
    assert "the unit is among the overrides" in page.words
    page = await asked(reader, unit="u", flag="lonely")
    assert "gets the variation none of the flag, its own" in page.words


async def test_a_unit_is_shown_in_all_experiments(reader: Visiting) -> None:
    page = await asked(reader, unit="user-1", **SWEDE)
    assert "In all 4 experiments" in page.words
    assert "the experiment is paused" in page.words
    links = [value for tag, name, value in page.attributes if value.startswith("?unit=user-1")]
    assert "?unit=user-1&a1=country&v1=SE&experiment=checkout" in links


async def test_an_earlier_revision_answers_as_it_did(reader: Visiting) -> None:
    node = reader.node
    await node.write(
        "default/production",
        lambda _: [PauseIteration("checkout")],
        dialect="native",
        who="test",
    )
    now = await asked(reader, unit="the-man", experiment="checkout", **SWEDE)
    assert "at revision 2" in now.words
    assert "the experiment is paused" in now.words
    then = await asked(reader, unit="the-man", experiment="checkout", revision="1", **SWEDE)
    assert "at revision 1" in then.words
    assert "an allocation dealt it" in then.words
    flag = await asked(reader, unit="the-man", flag="button", revision="1", **SWEDE)
    assert "at revision 1" in flag.words
    await asked(reader, 404, unit="u", experiment="checkout", revision="3")
    refused = await asked(reader, 400, unit="u", revision="1")
    assert "name it" in refused.words


@pytest.mark.parametrize(
    "query", [{"experiment": "nothing"}, {"flag": "nothing"}, {"experiment": "x" * 300}]
)
async def test_what_is_not_there_is_said_on_the_page(
    reader: Visiting, query: dict[str, str]
) -> None:
    page = await asked(reader, 404, unit="u", **query)
    assert ("input", "value", next(iter(query.values()))) in page.attributes
    assert "there is no such" in page.words


async def test_a_unit_of_no_use_has_its_reason(reader: Visiting) -> None:
    page = await asked(reader, unit="x" * 2000, experiment="plain")
    assert "NO_UNIT" in page.words
