"""Resolving: what a client is told, for whom, with which secret; and what it says it has shown."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from allotment.change.commands import (
    Create,
    OrderExperiments,
    SetAllocations,
    SetOverrides,
    StartIteration,
)
from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Variation
from resolving import FLAG, SWEDEN, UNITS, flag, refusal, resolved, run, variants
from serving import FLAG_CATALOG, Server, serving
from tenant import SPACE, Vendor, vendor

MATCH, MISS, WRONG = "MATCH", "NO_SEGMENT_MATCH", "TARGETING_KEY_ERROR"
NOW = "2026-01-02T03:04:05.678Z"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Vendor]:
    with vendor(tmp_path) as made:
        flag(made)
        yield made


def test_a_treatment_is_a_variant_and_its_value_in_full(api: Vendor) -> None:
    run(api, None)
    api.apply(SetOverrides("login-box", (("someone", "new"),)))
    answer = api.post("/v1/flags:resolve", {"evaluationContext": {"targeting_key": "someone"}})
    (found,) = answer["resolvedFlags"]
    assert found == {
        "flag": FLAG,
        "variant": f"{FLAG}/variants/new",
        # What other variants have, and this one lacks, is null.
        "value": {"shown": True, "text": None, "box": None},
        "flagSchema": api.get(f"/v1/{FLAG}")["schema"],
        "reason": "RESOLVE_REASON_MATCH",
        "shouldApply": True,
        "assignmentOrigin": api.get(f"/v1/{FLAG}")["rules"][0]["name"],
    }
    assert answer["resolveToken"]
    assert len(answer["resolveId"]) == 32


def test_every_unit_gets_what_other_apis_give_it(api: Vendor) -> None:
    run(api, None)
    for unit, variant in variants(api).items():
        assert variant == f"{FLAG}/variants/{api.engine.resolve('login-box', unit).variation}"


def test_whoever_gets_no_treatment_gets_no_variant(api: Vendor) -> None:
    api.post("/v1/segments?segmentId=sweden", {"targeting": SWEDEN})
    run(api, "sweden")
    assert resolved(api, {"targeting_key": "someone", "country": "SE"})["variant"]
    assert resolved(api, {"targeting_key": "someone", "country": "NO"}) == {
        "flag": FLAG,
        "variant": "",
        "value": None,
        "flagSchema": None,
        "reason": "RESOLVE_REASON_NO_SEGMENT_MATCH",
        "shouldApply": False,
        "assignmentOrigin": "",
    }


def test_a_treatment_may_leave_the_value_to_the_client(api: Vendor) -> None:
    arms = ("client-default", "new")
    treatments = tuple(Treatment(each, sets=(("login-box", each),)) for each in arms)
    api.apply(
        Create(Experiment("bare", (Iteration(1, treatments, ()),))),
        SetAllocations("bare", (Allocation("all", (("client-default", 1), ("new", 0)), 1),)),
        OrderExperiments("login-box", (FlagExperiment("bare"),)),
        StartIteration("bare"),
    )
    found = resolved(api, {"targeting_key": "someone"})
    assert (found["variant"], found["value"]) == ("", None)
    assert found["reason"] == f"RESOLVE_REASON_{MATCH}"
    assert found["shouldApply"] is True


def test_flags_that_are_not_there_are_left_out(api: Vendor) -> None:
    flag(api, "archived")
    api.post("/v1/flags/archived:archive")
    names = ["flags/nothing", "flags/archived", FLAG, FLAG]
    found = api.post("/v1/flags:resolve", {"flags": names})["resolvedFlags"]
    assert [each["flag"] for each in found] == [FLAG]
    answer = api.post("/v1/flags:resolve", {"flags": names[:2]})
    assert answer["resolvedFlags"] == []
    assert "resolveToken" in answer


def test_a_thousand_flags_are_resolved_at_once_and_no_more(api: Vendor) -> None:
    one = (Variation("a", "1"),)
    api.apply(*(Create(Flag(f"flag-{n}", one, "a")) for n in range(999)))
    assert len(api.post("/v1/flags:resolve", {})["resolvedFlags"]) == 1_000
    off = Flag("off", one, "a", state=FlagState.OFF)
    api.apply(Create(off))
    status, code, message = refusal(api, "POST", "/v1/flags:resolve", {})
    assert (status, code) == (400, 3)
    assert "max 1000 flags allowed in a single resolve request" in message


@pytest.mark.parametrize(
    ("key", "reason", "unit"),
    [
        ("someone", MATCH, "someone"),
        (17, MATCH, "17"),
        (17.0, MATCH, "17"),
        (2.0**53 - 1, MATCH, "9007199254740991"),
        (9007199254740993, MATCH, "9007199254740993"),
        (9007199254740993.0, WRONG, None),
        (1e21, WRONG, None),
        (-3, MATCH, "-3"),
        (None, MISS, None),
        (1.5, WRONG, None),
        (True, WRONG, None),
        (["someone"], WRONG, None),
        ({"a": "someone"}, WRONG, None),
        ("x" * 1_025, WRONG, None),
        ("é" * 513, WRONG, None),
    ],
)
def test_a_targeting_key_is_text_or_a_whole_number(
    api: Vendor, key: Any, reason: str, unit: str | None
) -> None:
    run(api, None)
    found = resolved(api, {"targeting_key": key})
    assert found["reason"] == f"RESOLVE_REASON_{reason}"
    if unit is not None:
        expected = api.engine.resolve("login-box", unit).variation
        assert found["variant"] == f"{FLAG}/variants/{expected}"


def test_without_a_targeting_key_there_is_no_variant(api: Vendor) -> None:
    run(api, None)
    assert resolved(api, {})["reason"] == f"RESOLVE_REASON_{MISS}"
    body = {"flags": [FLAG]}  # nor without a context
    (found,) = api.post("/v1/flags:resolve", body)["resolvedFlags"]
    assert found["variant"] == ""


def test_another_kind_of_unit_stands_where_its_name_says(api: Vendor) -> None:
    run(api, None, unit="company.id")
    for unit in UNITS[:20]:
        context = {"targeting_key": "someone", "company": {"id": unit}}
        expected = api.engine.resolve("login-box", {"company.id": unit}).variation
        assert resolved(api, context)["variant"] == f"{FLAG}/variants/{expected}"
    assert not resolved(api, {"targeting_key": "someone"})["variant"]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"flags": "flags/x"},
        {"flags": ["login-box"]},
        {"flags": ["flags/"]},
        {"flags": [1]},
        {"apply": "yes"},
        {"evaluationContext": []},
        {"clientSecret": 1},
        {"nonsense": 1},
    ],
)
def test_a_malformed_request_is_refused(api: Vendor, body: Any) -> None:
    assert refusal(api, "POST", "/v1/flags:resolve", body)[:2] == (400, 3)


def test_a_context_is_no_larger_than_attributes_are_elsewhere(api: Vendor) -> None:
    fits, larger = ({"targeting_key": "x" * size} for size in (65_000, 65_600))
    assert resolved(api, fits)["flag"] == FLAG
    body = {"evaluationContext": larger}
    status, code, message = refusal(api, "POST", "/v1/flags:resolve", body)
    assert (status, code) == (400, 3)
    assert "$.evaluationContext" in message


def test_bytes_that_are_no_json_are_refused(api: Vendor) -> None:
    answer = api.send("POST", "/v1/flags:resolve", b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


# The token.


def told(api: Vendor, unit: str = "someone") -> str:
    run(api, None)
    body = {"evaluationContext": {"targeting_key": unit}}
    return str(api.post("/v1/flags:resolve", body)["resolveToken"])


def shown(token: str, **more: Any) -> Any:
    flags = [{"flag": FLAG, "applyTime": NOW}]
    return {"resolveToken": token, "sendTime": NOW, "flags": flags, **more}


def test_a_token_that_was_given_is_taken(api: Vendor) -> None:
    assert api.post("/v1/flags:apply", shown(told(api))) == {}


def test_what_is_applied_at_once_needs_no_token(api: Vendor) -> None:
    assert api.post("/v1/flags:resolve", {"apply": True})["resolveToken"] == ""
    assert refusal(api, "POST", "/v1/flags:apply", shown(""))[:2] == (400, 3)


def test_a_token_is_base64_and_is_taken_back_as_any_client_spells_that(api: Vendor) -> None:
    run(api, None)
    for length in range(60):  # so that each padding, and each digit that differs, is among them
        context = {"targeting_key": "ÿ?>" * length}
        token = api.post("/v1/flags:resolve", {"evaluationContext": context})["resolveToken"]
        raw = base64.b64decode(token, validate=True)
        safe = base64.urlsafe_b64encode(raw).decode()
        for spelled in (token, safe, token.rstrip("="), safe.rstrip("=")):
            assert api.post("/v1/flags:apply", shown(spelled)) == {}


def test_plain_text_is_taken_where_a_secret_authenticates_and_nowhere_else(api: Vendor) -> None:
    said = {"content_type": "text/plain;charset=UTF-8"}
    assert api.send("POST", "/v1/flags:resolve", b"{}", **said).status_code == 200
    body = json.dumps(shown(told(api))).encode()
    assert api.send("POST", "/v1/flags:apply", body, **said).status_code == 200
    assert api.send("POST", "/v1/segments", b"{}", **said).status_code == 415
    said = {"content_type": "text/plain;charset=latin-1"}
    assert api.send("POST", "/v1/flags:resolve", b"{}", **said).status_code == 415


def _flip(token: str, at: int) -> str:
    raw = bytearray(base64.b64decode(token))
    raw[at] ^= 1
    return base64.b64encode(raw).decode()


TAMPERED: dict[str, Callable[[str], str]] = {
    "signature": lambda token: _flip(token, 0),
    "content": lambda token: _flip(token, -1),
    "cut": lambda token: token[:-4],
    "longer": lambda token: token + "AAAA",
    "spelled otherwise": lambda token: token[:8] + "\n" + token[8:],
    "no base64": lambda _token: "é",
    "short": lambda _token: "AAAA",
    "padded too far": lambda token: token + "=",
    "alone a pad": lambda _token: "=",
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_token_that_was_tampered_with_is_refused(api: Vendor, how: str) -> None:
    body = shown(TAMPERED[how](told(api)))
    status, code, message = refusal(api, "POST", "/v1/flags:apply", body)
    assert (status, code) == (400, 3)
    assert "$.resolveToken" in message


@pytest.mark.parametrize(
    "wrong",
    [
        {"sendTime": None},
        {"sendTime": "yesterday"},
        {"flags": [{"flag": FLAG}]},
        {"flags": [{"flag": FLAG, "applyTime": "now"}]},
        {"flags": [{"flag": "flags/other", "applyTime": NOW}]},
        {"flags": [{"applyTime": NOW}]},
        {"nonsense": 1},
    ],
)
def test_a_malformed_apply_is_refused(api: Vendor, wrong: Any) -> None:
    assert refusal(api, "POST", "/v1/flags:apply", shown(told(api), **wrong))[:2] == (400, 3)


# A server, with tokens and a log.


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"ALLOTMENT_EXPOSURES": "ndjson", "ALLOTMENT_EXPOSURES_ROTATE_SECONDS": "1"}
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, env=env, catalog=CATALOG, insecure_local=False) as started:
        yield started


CATALOG = FLAG_CATALOG


@pytest.fixture(scope="module")
def secret(server: Server) -> str:
    """The text of a token that is good for resolving."""
    return server.token("assign")


def ask(server: Server, method: str = "resolve", **body: Any) -> httpx.Response:
    with server.client() as client:
        return client.post(f"/v1/flags:{method}", json=body)


def logged(server: Server, unit: str, wait: float = 5.0) -> list[dict[str, Any]]:
    """What was logged of a unit, once there is anything, or time is up."""
    deadline = time.monotonic() + wait
    while True:
        lines = [
            json.loads(line)
            for file in (server.folder / "exposures").glob("*.ndjson*")
            for line in file.read_text().splitlines()
        ]
        found = [line for line in lines if line["unit"] == unit]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def context(unit: str) -> Any:
    return {"targeting_key": unit}


def test_only_the_secret_of_a_client_resolves(server: Server, secret: str) -> None:
    assert ask(server, clientSecret=secret).status_code == 200
    wrong: list[dict[str, Any]] = [
        {},
        {"clientSecret": ""},
        {"clientSecret": None},
        {"clientSecret": secret[:-1]},
        {"clientSecret": f"Bearer {secret}"},
        {"clientSecret": "sécret"},
        {"clientSecret": server.token("assign", ttl=-1)},
    ]
    for body in wrong:
        for method in ("resolve", "apply"):
            answer = ask(server, method, **body)
            assert answer.status_code == 401, body
            assert answer.json()["code"] == 16
            assert "$.clientSecret" in answer.json()["message"]
    with server.client(token=secret) as client:  # a header is no place for it
        assert client.post("/v1/flags:resolve", json={}).status_code == 401


def test_a_secret_good_for_assigning_is_good_for_nothing_else(server: Server, secret: str) -> None:
    with server.client(token=secret) as client:
        for path in ("/v1/flags", "/v1/segments", "/v1/flags/login-box"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, 7)


def test_a_secret_is_neither_answered_nor_logged(server: Server, secret: str) -> None:
    for body in (
        {"clientSecret": secret, "flags": [secret]},
        {"clientSecret": secret, secret: 1},
        {"clientSecret": f"{secret}x"},
        {"clientSecret": secret, "evaluationContext": secret},
    ):
        answer = ask(server, **body)
        assert answer.status_code >= 400
        assert secret not in answer.text
    kept = b"".join(file.read_bytes() for file in server.folder.rglob("*") if file.is_file())
    assert secret.encode() not in kept


def test_resolving_logs_what_is_applied(server: Server, secret: str) -> None:
    body = {"evaluationContext": context("at once"), "apply": True, "flags": [FLAG]}
    answer = ask(server, clientSecret=secret, **body)
    variant = answer.json()["resolvedFlags"][0]["variant"].rpartition("/")[2]
    (line,) = logged(server, "at once")
    assert line == {
        **line,
        "space": SPACE,
        "experiment": "login-box",
        "unit_kind": "user",
        "treatment": variant,
        "variations": json.dumps({"login-box": variant}, separators=(",", ":")),
    }


def test_what_is_resolved_is_logged_once_it_is_applied_and_only_once(
    server: Server, secret: str
) -> None:
    told = ask(server, clientSecret=secret, evaluationContext=context("later")).json()
    assert logged(server, "later", wait=0.5) == []
    body = {
        "clientSecret": secret,
        "resolveToken": told["resolveToken"],
        # Its clock is wrong by years; it was shown two seconds before it was said.
        "sendTime": "2001-01-01T00:00:05.123456789Z",
        "flags": [{"flag": FLAG, "applyTime": "2001-01-01T01:00:03.123+01:00"}],
    }
    before = time.time()
    for _ in range(2):
        assert ask(server, "apply", **body).json() == {}
    after = time.time()
    (line,) = logged(server, "later")
    at = time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S")
    assert before - 3 <= calendar(at) <= after - 2 + 1
    ask(server, clientSecret=secret, evaluationContext=context("later"), apply=True)
    time.sleep(0.5)
    assert len(logged(server, "later")) == 1


@pytest.mark.parametrize(
    ("sent", "applied", "ago"),
    [
        ("9999-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", 7 * 86_400),
        ("1970-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", 0),
        ("2026-01-09T00:00:00Z", "2026-01-01T00:00:00Z", 7 * 86_400),
        ("2026-01-07T00:00:00Z", "2026-01-01T00:00:00Z", 6 * 86_400),
    ],
)
def test_whatever_times_a_client_says_its_exposure_is_logged_within_a_week(
    server: Server, secret: str, sent: str, applied: str, ago: int
) -> None:
    unit = f"clock {sent} {applied}"
    told = ask(server, clientSecret=secret, evaluationContext=context(unit)).json()
    flags = [{"flag": FLAG, "applyTime": applied}]
    body = {"clientSecret": secret, "resolveToken": told["resolveToken"], "sendTime": sent}
    before = time.time()
    assert ask(server, "apply", **body, flags=flags).json() == {}
    (line,) = logged(server, unit)
    at = calendar(time.strptime(line["time"][:19], "%Y-%m-%dT%H:%M:%S"))
    assert before - ago - 2 <= at <= time.time() - ago + 1
    # And whoever comes after is logged too.
    assert ask(server, clientSecret=secret, evaluationContext=context(f"after {unit}"), apply=True)
    assert logged(server, f"after {unit}")


def calendar(at: time.struct_time) -> float:
    return time.mktime(at) - time.timezone


def test_the_token_of_another_client_is_refused(server: Server, secret: str) -> None:
    other = server.token("assign")
    told = ask(server, clientSecret=other, evaluationContext=context("foreign")).json()
    body = {"resolveToken": told["resolveToken"], "sendTime": NOW}
    body["flags"] = [{"flag": FLAG, "applyTime": NOW}]
    answer = ask(server, "apply", clientSecret=secret, **body)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)
    assert ask(server, "apply", clientSecret=other, **body).status_code == 200
    assert len(logged(server, "foreign")) == 1


def test_nobody_is_logged_who_was_given_nothing(server: Server, secret: str) -> None:
    told = ask(server, clientSecret=secret, flags=[FLAG]).json()
    assert told["resolvedFlags"][0]["shouldApply"] is False
    flags = [{"flag": FLAG, "applyTime": NOW}]
    body = {"resolveToken": told["resolveToken"], "sendTime": NOW, "flags": flags}
    assert ask(server, "apply", clientSecret=secret, **body).status_code == 200
