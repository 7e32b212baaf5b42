"""All flags over OFREP: `POST /ofrep/v1/evaluate/flags`, its entity tag, and 304."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

FLAGS = "/ofrep/v1/evaluate/flags"
UNITS = [f"unit-{number}" for number in range(20)]


def ask(client: httpx.Client, tag: str = "", query: str = "", **context: Any) -> httpx.Response:
    headers = {"if-none-match": tag} if tag else {}
    return client.post(f"{FLAGS}{query}", json={"context": context}, headers=headers)


def flags_of(answer: httpx.Response) -> dict[str, dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return {flag["key"]: flag for flag in answer.json()["flags"]}


def test_all_flags_evaluate_as_each_does_by_itself(client: httpx.Client) -> None:
    for unit in UNITS:
        for context in ({"targetingKey": unit}, {"targetingKey": unit, "country": "SE"}):
            found = flags_of(ask(client, **context))
            assert list(found) == sorted(found)
            assert len(found) == 11
            for key, flag in found.items():
                assert client.post(f"{FLAGS}/{key}", json={"context": context}).json() == flag


def test_a_flag_that_lacks_its_unit_fails_alone(client: httpx.Client) -> None:
    found = flags_of(ask(client, targetingKeys={"user": "a"}))
    assert {key for key, flag in found.items() if "errorCode" in flag} == {"by-device", "of-two"}
    assert found["by-device"].keys() == {"key", "errorCode", "errorDetails"}
    assert found["banner"]["reason"] == "SPLIT"
    alone = client.post(f"{FLAGS}/by-device", json={"context": {"targetingKeys": {"user": "a"}}})
    assert alone.json() == found["by-device"]


def test_the_revision_stands_beside_the_flags(client: httpx.Client) -> None:
    answer = ask(client, targetingKey="a")
    assert answer.json()["metadata"] == {"revision": 1}
    assert answer.headers["allotment-revision"] == "1"


def test_what_a_client_has_is_not_sent_again(client: httpx.Client) -> None:
    first = ask(client, targetingKey="a", country="SE", app={"version": "2", "beta": True})
    tag = first.headers["etag"]
    assert (tag[0], tag[-1]) == ('"', '"')
    for context in (
        '{"targetingKey":"a","country":"SE","app":{"version":"2","beta":true}}',
        '{"app":{"beta":true,"version":"2"},"country":"SE","targetingKey":"a"}',
        '{ "app": {"beta": true, "version": "\\u0032"}, "country": "SE", "targetingKey": "a" }',
    ):
        for sent in (tag, f"W/{tag}", f'"other", {tag}'):
            again = client.post(
                FLAGS, content=f'{{"context":{context}}}', headers={"if-none-match": sent}
            )
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert "content-type" not in again.headers


CONTEXTS: list[str] = [
    '{"targetingKey":"a"}',
    '{"targetingKey":"b"}',
    '{"targetingKeys":{"user":"a"}}',
    '{"targetingKeys":{"device":"a"}}',
    '{"targetingKey":"a","n":1}',
    '{"targetingKey":"a","n":1.0}',
    '{"targetingKey":"a","n":true}',
    '{"targetingKey":"a","n":"1"}',
    '{"targetingKey":"a","n":null}',
    '{"targetingKey":"a","n":[1,2]}',
    '{"targetingKey":"a","n":[2,1]}',
    '{"targetingKey":"a","n":{"m":1}}',
    '{"targetingKey":"a","n":{}}',
    '{"targetingKey":"a","n.m":1}',
    '{"targetingKey":"a","n":"\\u00e9"}',
    '{"targetingKey":"a","n":"e\\u0301"}',
    "{}",
]


def test_no_two_contexts_share_an_entity_tag(client: httpx.Client) -> None:
    """A tag of the revision alone answers 304 to another unit: it goes on with a stranger's."""
    tags = {}
    for context in CONTEXTS:
        answer = client.post(FLAGS, content=f'{{"context":{context}}}')
        tags[context] = answer.headers["etag"]
    assert len(set(tags.values())) == len(CONTEXTS)
    for context in CONTEXTS:
        others = ", ".join(tag for other, tag in tags.items() if other != context)
        answer = client.post(
            FLAGS, content=f'{{"context":{context}}}', headers={"if-none-match": others}
        )
        assert answer.status_code == 200, context


def test_any_tag_at_all_is_no_tag_of_this_context(client: httpx.Client) -> None:
    assert ask(client, "*", targetingKey="a").status_code == 200


@pytest.mark.parametrize("tag", ["17", '"open', "a, b"])
def test_what_is_no_entity_tag_is_refused(client: httpx.Client, tag: str) -> None:
    answer = ask(client, tag, targetingKey="a")
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GENERAL")


@pytest.mark.parametrize(
    "query",
    [
        "?flagConfigEtag=%221-0123%22",
        '?flagConfigEtag="9999999-0123456789abcdef0123456789abcdef"',
        "?flagConfigEtag=1",
        "?flagConfigLastModified=1771622898",
        "?flagConfigEtag=x&flagConfigLastModified=2026-02-20T21:28:18Z",
    ],
)
def test_a_request_that_an_event_caused_is_answered_whole(client: httpx.Client, query: str) -> None:
    tag = ask(client, targetingKey="a").headers["etag"]
    answer = ask(client, tag, query, targetingKey="a")
    assert (answer.status_code, answer.headers["etag"]) == (200, tag)
    assert answer.json() == ask(client, targetingKey="a").json()


def test_many_flags_and_long_contexts_are_answered_alike(client: httpx.Client) -> None:
    """What may take long is answered in a thread."""
    short = flags_of(ask(client, targetingKey="a", country="SE"))
    long = flags_of(ask(client, targetingKey="a", country="SE", more=["x" * 50] * 500))
    assert long == short
    alone = client.post(
        f"{FLAGS}/title",
        content=json.dumps(
            {"context": {"targetingKey": "a", "country": "SE", "more": ["x" * 50] * 500}}
        ),
    )
    assert alone.json() == short["title"]
