"""Layers, holdouts, segments and flags: lists, a segment in words, and a unit tested."""

from __future__ import annotations

import pytest

import nouns
from allotment.change.commands import OrderExperiments, Reserve
from allotment.errors import NotFound
from allotment.model.flag import Flag, FlagExperiment, Miss, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import (
    AllOf,
    AnyOf,
    Clause,
    IdList,
    InSegment,
    Not,
    Operator,
    Segment,
)
from allotment.server.console.flags import flag_view
from allotment.server.console.layers import holdout_page, layer_page
from allotment.server.console.paging import NounsQuery, noun_page
from allotment.server.console.question import AttributesQuery, read_question
from allotment.server.console.rules import rule_words
from allotment.server.console.segments import membership, segment_view
from allotment.server.sync.spaces import serve_stored
from allotment.store import Stored
from server.console.visiting import HERE, Elements, Visiting

ALL = NounsQuery()
SEGMENTS = (
    Segment("base", rules=(Clause(("beta",), Operator.IN, (True,)),)),
    Segment(
        "some",
        include=IdList.of(["vip", "boss"]),
        exclude=IdList.of(["bot"]),
        rules=(
            Clause(("age",), Operator.AT_LEAST, (18,)),
            AllOf((InSegment("base"), Not(Clause(("country",), Operator.IN, ("SE", "NO"))))),
        ),
    ),
)


def test_a_list_is_searched_and_paged() -> None:
    catalog = nouns.catalog(*(Holdout(f"h{n:03}", "", n, name=f"Number {n}") for n in range(120)))
    pages = [noun_page(catalog.holdouts, NounsQuery(page=str(n))) for n in (1, 2, 3)]
    keys = [each.key for page in pages for each in page.lines]
    assert keys == list(catalog.holdouts)
    found = noun_page(catalog.holdouts, NounsQuery(q="number 11"))
    assert [each.key for each in found.lines] == ["h011", *(f"h{n}" for n in range(110, 120))]
    assert (found.found, found.total) == (11, 120)


def test_layers_and_holdouts_say_who_is_in_them() -> None:
    catalog = nouns.catalog(
        Layer("page", ""), Holdout("few", "", 50_000), nouns.experiment(holdout="few")
    )
    catalog = nouns.changed(catalog, Reserve("page", "checkout", 400_000))
    (line,) = layer_page(catalog, ALL).lines
    assert [each.key for each in line.map.holders] == ["checkout"]
    assert line.map.free.share == "60%"
    (held,) = holdout_page(catalog, ALL).lines
    assert held.experiments == ("checkout",)
    assert [(each.start, each.stop) for each in held.stretches] == [(0, 50_000)]


def test_rules_are_told_in_words() -> None:
    view = segment_view(nouns.catalog(*SEGMENTS), "some")
    assert view.included == ("boss", "vip")
    assert view.excluded == ("bot",)
    first, second = view.rules
    assert first.text == "age is at least 18"
    base, other = second.parts
    assert (base.text, base.segment) == ("the unit is in segment", "base")
    assert other.parts[0].text == "country is “SE” or “NO”"


@pytest.mark.parametrize("operator", list(Operator))
def test_every_operator_has_words(operator: Operator) -> None:
    values = () if operator is Operator.EXISTS else ("1",)
    said = rule_words(Clause(("app", "version"), operator, values)).text
    assert said.startswith("app.version ")
    assert "_" not in said


def test_other_conditions_have_words_too() -> None:
    exists = Clause(("a",), Operator.EXISTS)
    assert rule_words(Not(exists)).text == "a is not there"
    assert rule_words(AnyOf((exists,))).text == "at least one of these holds:"
    many = Clause(("a",), Operator.IN, tuple(range(25)))
    assert rule_words(many).text.endswith("or 19 or one of 5 more")


@pytest.mark.parametrize(
    ("unit", "attributes", "is_member", "why"),
    [
        ("vip", "{}", True, ""),
        ("bot", '{"age": 50}', False, "segment some excludes the unit"),
        ("u", '{"age": 18}', True, ""),
        ("u", '{"age": 17}', False, "age at_least 18: it is 17"),
        ("u", '{"beta": true, "country": "DE"}', True, ""),
        ("u", '{"beta": true, "country": "SE"}', False, "which a `not` refuses"),
    ],
)
def test_a_unit_is_tested_as_the_kernel_decides(
    unit: str, attributes: str, is_member: bool, why: str
) -> None:
    served = serve_stored(Stored("default/production", nouns.catalog(*SEGMENTS)))
    asked = read_question(AttributesQuery(unit=unit, attributes=attributes))
    found = membership(served, "some", asked)
    assert found.is_member is is_member
    assert why in found.why_not


def test_a_flag_says_whom_it_asks_and_what_a_miss_means() -> None:
    catalog = nouns.catalog(nouns.experiment("a"), nouns.experiment("b"), nouns.experiment("c"))
    order = (FlagExperiment("b"), FlagExperiment("a", Miss.STOP, "green"))
    view = flag_view(nouns.changed(catalog, OrderExperiments("button", order)), "button")
    assert [(each.experiment, each.miss) for each in view.places] == [
        ("b", "the next is asked"),
        ("a", "it ends with green"),
    ]
    assert view.setting == ("c",)
    with pytest.raises(NotFound):
        flag_view(catalog, "other")


def test_a_flag_without_experiments_is_shown() -> None:
    view = flag_view(nouns.catalog(Flag("f", (Variation("x", "1"),), "x")), "f")
    assert (view.places, view.setting) == ((), ())


pytestmark = pytest.mark.anyio


async def test_the_pages_lead_to_each_other(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    seen, todo = set(), [f"{HERE}/experiments"]
    while todo:
        path = todo.pop()
        if path in seen or len(seen) > 60:
            continue
        seen.add(path)
        answer = await browser.get(path, follow_redirects=True)
        assert answer.status_code == 200, path
        page = Elements(answer.text)
        base = answer.url.path
        links = [v for tag, name, v in page.attributes if tag == "a" and name == "href"]
        todo += [base + each if each.startswith("?") else each for each in links if each[0] != "#"]
    wanted = ("layers", "holdouts", "segments/nordics", "flags/button", "history/1", "why")
    assert {f"{HERE}/{each}" for each in wanted} <= seen
    assert "/console/node" in seen
    assert "/console/tokens" not in seen, "a reader is not offered what it may not do"


async def test_a_unit_is_tested_on_the_page(visiting: Visiting) -> None:
    browser = await visiting.signed_in()
    path = f"{HERE}/segments/nordics"
    query = {"unit": "u", "a1": "country", "v1": "SE"}
    assert "u is a member" in Elements((await browser.get(path, params=query)).text).words
    query["v1"] = "DE"
    page = Elements((await browser.get(path, params=query)).text)
    assert "u is no member: country in 'SE'" in page.words
    refused = await browser.get(path, params={"unit": "u", "attributes": "{"})
    assert refused.status_code == 400
    assert "JSON" in refused.text
    assert (await browser.get(f"{HERE}/segments/none")).status_code == 404
    assert (await browser.get(f"{HERE}/flags/none")).status_code == 404
