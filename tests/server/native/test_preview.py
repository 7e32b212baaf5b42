"""`POST /v1/preview` tells what `/v1/commands` would do, and does nothing; revisions compared."""

from typing import Any

import httpx
import pytest

from allotment.change.commands import (
    Command,
    Create,
    Delete,
    Rename,
    SetEnrolment,
    SetKeeping,
    SetOverrides,
    SetRules,
    SetWeights,
    StartIteration,
)
from allotment.model.layer import Layer
from allotment.model.plain import to_plain
from allotment.model.segment import Clause, Operator, Segment
from allotment.server.sync.node import Node
from allotment.server.writes.preview import LINES_MAX, UNITS_MAX
from nouns import EVERYONE, FLAG, experiment
from server.nodes import SPACE

pytestmark = pytest.mark.anyio

UNITS = [f"user-{number}" for number in range(2_000)]
GREENER = SetWeights("checkout", "everyone", (("control", 30), ("green", 70)), 100)


async def commit(client: httpx.AsyncClient, *commands: Command) -> Any:
    done = await client.post("/v1/commands", json={"commands": to_plain(commands)})
    assert done.status_code == 200, done.text
    return done.json()


async def ask(client: httpx.AsyncClient, *commands: Command, **more: Any) -> httpx.Response:
    headers = more.pop("headers", {})
    body = {"commands": to_plain(commands), **more}
    return await client.post("/v1/preview", json=body, headers=headers)


async def told(client: httpx.AsyncClient, *commands: Command, **more: Any) -> Any:
    found = await ask(client, *commands, **more)
    assert found.status_code == 200, found.text
    return found.json()


@pytest.fixture
async def shop(client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A server with an experiment that runs."""
    await commit(client, Create(FLAG), Create(experiment()))
    return client


async def given(client: httpx.AsyncClient, experiment: str = "checkout") -> list[str | None]:
    body = {"units": UNITS, "experiments": [experiment]}
    answer = (await client.post("/v1/assign/batch", json=body)).json()
    return [each["assignments"][experiment]["treatment"] for each in answer["units"]]


async def test_what_is_told_is_what_is_done_then(shop: httpx.AsyncClient, node: Node) -> None:
    foretold = await told(shop, GREENER, units=UNITS, comment="more green", dialect="test")
    assert node.served(SPACE).revision == 1
    before = await given(shop)
    done = await commit(shop, GREENER)
    after = await given(shop)
    assert foretold["moves"] == done["moves"] != []
    assert foretold["refusal"] is None
    assert foretold["touched"] == ["checkout"]
    assert foretold["lines"] == [
        {"line": "~ experiment checkout / everyone: control 30, green 70 of 100", "details": []}
    ]
    pairs = list(zip(before, after, strict=True))
    cells = foretold["units"]["checkout"].pop("cells")
    assert {(one["before"], one["after"]): one["units"] for one in cells} == {
        pair: pairs.count(pair) for pair in set(pairs)
    }
    moved = sum(then != now for then, now in pairs)
    assert foretold["units"] == {
        "checkout": {"units": len(UNITS), "moved": moved, "gained": 0, "lost": 0}
    }
    assert moved > 300


async def test_a_ramp_moves_no_unit_from_one_treatment_to_another(shop: httpx.AsyncClient) -> None:
    await commit(shop, SetEnrolment("checkout", 100_000))
    foretold = await told(shop, SetEnrolment("checkout", 300_000), units=UNITS)
    found = foretold["units"]["checkout"]
    assert (found["moved"], found["lost"], foretold["moves"]) == (0, 0, [])
    assert 300 < found["gained"] < 500


async def test_what_would_be_refused_is_told_as_it_would_be(shop: httpx.AsyncClient) -> None:
    commands = (Rename("flag", "button", "x"), StartIteration("checkout"))
    foretold = await told(shop, *commands, units=UNITS)
    refused = await shop.post("/v1/commands", json={"commands": to_plain(commands)})
    problem = refused.json()
    for name in ("instance", "request_id"):
        problem.pop(name, None)
    assert foretold["refusal"] == problem
    assert problem["command"] == 1
    assert [one["line"] for one in foretold["lines"]] == [
        "~ flag button: name 'x'",
        "> experiment checkout: starts",
    ]
    assert (foretold["touched"], foretold["moves"], foretold["units"]) == ([], [], {})


async def test_a_pattern_that_cannot_be_matched_is_refused_too(shop: httpx.AsyncClient) -> None:
    rules = (Clause(("country",), Operator.MATCHES, ("(",)),)
    await commit(shop, Create(Segment("some")))
    foretold = await told(shop, SetRules("some", rules))
    assert foretold["refusal"]["command"] == 0


async def test_it_says_what_a_command_replaces(shop: httpx.AsyncClient) -> None:
    await commit(shop, Create(Segment("some")))
    rules = (Clause(("country",), Operator.IN, ("SE",)),)
    (line,) = (await told(shop, SetRules("some", rules)))["lines"]
    assert line["line"] == "~ segment some: 1 rule"
    assert any("SE" in each for each in line["details"])


async def test_attributes_may_be_a_mapping_a_unit_or_a_column_each(
    shop: httpx.AsyncClient,
) -> None:
    nordic = Segment("nordic", rules=(Clause(("country",), Operator.IN, ("SE",)),))
    await commit(shop, Create(nordic))
    allocation = {**to_plain(EVERYONE), "segment": "nordic"}
    command = {"is": "SetAllocations", "experiment": "checkout", "allocations": [allocation]}
    countries = ["SE" if number % 4 else "DE" for number in range(len(UNITS))]
    answers = []
    for attributes in ([{"country": each} for each in countries], {"country": countries}):
        body = {"commands": [command], "units": UNITS, "attributes": attributes}
        answer = await shop.post("/v1/preview", json=body)
        assert answer.status_code == 200, answer.text
        answers.append(answer.json())
    assert answers[0] == answers[1]
    assert answers[0]["units"]["checkout"]["lost"] == 500


async def test_units_may_be_keys_by_kind_and_what_is_none_gets_nothing(
    shop: httpx.AsyncClient,
) -> None:
    odd: list[Any] = [7, "user-1", {"user": "user-2"}, {"device": "d"}, None, "", 1.5]
    found = (await told(shop, SetOverrides("checkout", (("7", "green"),)), units=odd))["units"]
    assert found["checkout"]["units"] == len(odd)
    nothing = [c for c in found["checkout"]["cells"] if c["before"] is None]
    assert nothing == [{"before": None, "after": None, "units": 4}]


async def test_what_is_kept_counts(shop: httpx.AsyncClient, node: Node) -> None:
    await commit(shop, SetKeeping("checkout", True, False))
    before = await given(shop)
    found = (await told(shop, GREENER, units=UNITS))["units"]["checkout"]
    assert (found["moved"], found["units"]) == (0, len(UNITS))
    await commit(shop, GREENER)
    assert await given(shop) == before
    assert node.served(SPACE).revision == 3


async def test_it_may_be_tied_to_the_snapshot_it_is_asked_of(shop: httpx.AsyncClient) -> None:
    tag = (await shop.get("/v1/snapshot")).headers["etag"]
    first = await ask(shop, GREENER, headers={"if-match": tag})
    assert (first.status_code, first.headers["etag"]) == (200, tag)
    assert first.headers["allotment-revision"] == "1"
    await commit(shop, Rename("flag", "button", "x"))
    assert (await ask(shop, GREENER, headers={"if-match": tag})).status_code == 412


async def test_an_experiment_that_comes_gives_and_one_that_goes_takes(
    shop: httpx.AsyncClient,
) -> None:
    new = experiment("new")
    found = (await told(shop, Create(new), units=UNITS))["units"]["new"]
    assert (found["gained"], found["moved"], found["lost"]) == (len(UNITS), 0, 0)
    await commit(shop, Create(new))
    stopped = [{"is": "EndIteration", "experiment": "new"}, to_plain(Delete("experiment", "new"))]
    answer = await shop.post("/v1/preview", json={"commands": stopped, "units": UNITS})
    assert answer.json()["units"]["new"]["lost"] == len(UNITS)


TOO_MUCH = [
    ({"units": ["u"] * (UNITS_MAX + 1)}, "$.units"),
    ({"units": "user-1"}, "$.units"),
    ({"units": ["u"], "attributes": [{}, {}]}, "$.attributes"),
    ({"units": ["u"], "attributes": "SE"}, "$.attributes"),
    ({"units": ["u"], "attributes": ["SE"]}, "$.attributes"),
    ({"units": ["u"], "attributes": {"country": "SE"}}, "$.attributes"),
    ({"units": ["u"], "attributes": {"country": []}}, "$.attributes"),
    ({"unit": ["u"]}, "$.unit"),
    ({"policy": "auth0"}, "$.policy"),
]


@pytest.mark.parametrize(("more", "path"), TOO_MUCH)
async def test_what_cannot_be_asked_is_refused_with_its_place(
    shop: httpx.AsyncClient, more: Any, path: str
) -> None:
    answer = await ask(shop, GREENER, **more)
    assert (answer.status_code, answer.json()["path"]) == (400, path)


async def test_a_change_of_much_is_asked_about_for_fewer_units(shop: httpx.AsyncClient) -> None:
    many = [experiment(f"of-many-{number}") for number in range(200)]
    answer = await ask(shop, *map(Create, many), units=UNITS * 5)
    assert answer.status_code == 400
    assert "5,000 units" in answer.json()["detail"]
    assert (await ask(shop, *map(Create, many), units=UNITS)).status_code == 200


async def test_attributes_that_take_long_to_compare_are_refused(shop: httpx.AsyncClient) -> None:
    patterns = tuple(f"q+{number}z" for number in range(20))
    rules = (Clause(("list",), Operator.MATCHES, patterns),)
    some = Segment("some", rules=rules)
    allocation = {**to_plain(EVERYONE), "segment": "some"}
    command = {"is": "SetAllocations", "experiment": "checkout", "allocations": [allocation]}
    await commit(shop, Create(some))
    known = [{"list": [f"{number}" * 20] * 50} for number in range(5_000)]
    body = {"commands": [command], "units": UNITS + UNITS + UNITS[:1_000], "attributes": known}
    answer = await shop.post("/v1/preview", json=body)
    assert (answer.status_code, answer.json()["path"]) == (413, "$.attributes")


async def test_so_many_commands_are_told_in_words(shop: httpx.AsyncClient) -> None:
    many = [Create(Layer(f"layer-{number}", "")) for number in range(LINES_MAX + 5)]
    foretold = await told(shop, *many)
    assert (len(foretold["lines"]), foretold["left_out"]) == (LINES_MAX, 5)


async def test_two_revisions_are_compared_in_words_and_as_commands(
    shop: httpx.AsyncClient,
) -> None:
    await commit(shop, GREENER)
    await commit(shop, Rename("experiment", "checkout", "New"))
    there = (await shop.get("/v1/compare?from=1&to=3")).json()
    assert (there["from"], there["to"], there["left_out"]) == (1, 3, 0)
    assert [one["line"] for one in there["lines"]] == [
        "~ experiment checkout: name 'New'",
        "~ experiment checkout / everyone: control 30, green 70 of 100",
    ]
    back = (await shop.get("/v1/compare?from=3&to=1")).json()
    before = (await shop.get("/v1/snapshot?revision=1")).json()["catalog"]
    done = await shop.post("/v1/commands", json={"commands": back["commands"]})
    assert done.status_code == 200, done.text
    after = (await shop.get("/v1/snapshot")).json()["catalog"]
    assert {**before, "revision": 0} == {**after, "revision": 0}


@pytest.mark.parametrize(
    ("query", "status"),
    [("from=1", 400), ("from=1&to=x", 400), ("from=1&to=9", 404), ("from=0&to=1", 200)],
)
async def test_what_is_no_revision_is_not_compared(
    shop: httpx.AsyncClient, query: str, status: int
) -> None:
    assert (await shop.get(f"/v1/compare?{query}")).status_code == status
