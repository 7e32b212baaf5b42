"""The corpus on every string, number, query and header field: no 5xx, no crash, no echo."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from hostile.corpus import HEADERS, MALFORMED, MARK, NAMES, TEXTS, VALUES
from hostile.operations import Operation, answer_of, leaves, put

JSON = {"content-type": "application/json"}

# A batch, sticky assignments, and the lists of a segment have 64 MiB.
TAKE_MORE = {
    "/v1/assign/batch",
    "/v1/commands",
    "/v1/preview",
    "/v1/kept",
    "/v1/kept/read",
    "/v1/catalog/segments/{key}",
}

# So that two workers may divide the operations; and bodies of more places than this take turns.
SHARES = 2
PLACES = 10

# Where errors have a vendor's own body.
VENDORS = ("/api/", "/v1/workflows", "/v1/segments", "/v1/flags", "/ofrep/", "/projects/")

# A value that stands for another until the whole body is text.
_HERE = "a place that no other text is like"


def check(answer: httpx.Response, what: str) -> None:
    """An answer or a refusal; a refusal is in the form of its path, and gives nothing back raw.

    It may quote the word that is wrong: printable, and not at any length that somebody chose.
    """
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code < 400:
        return
    kind = answer.headers["content-type"]
    vendor = answer.request.url.path.startswith(VENDORS)
    assert kind.startswith("application/json" if vendor else "application/problem+json"), what
    said = "".join(map(str, answer.json().values()))
    assert said.isprintable(), f"{what} is given back raw: {answer.text[:300]}"
    assert said.count(MARK) < 200, f"{what} is given back at length"
    back = {name: value for name, value in answer.headers.items() if MARK in value}
    assert back.keys() <= {"x-request-id"}, what  # what a caller names its request by
    assert "Traceback" not in said


def with_bodies(known: list[Operation]) -> list[Operation]:
    found = [operation for operation in known if operation.body is not None]
    assert len(found) > 15
    return found


def test_what_is_no_json_is_refused_everywhere(
    client: httpx.Client, known: list[Operation]
) -> None:
    for operation in with_bodies(known):
        for name, body in MALFORMED.items():
            answer = client.request(operation.method, operation.url(), content=body, headers=JSON)
            check(answer, f"{operation}, {name}")
            assert 400 <= answer.status_code < 500, f"{operation}, {name}"


@pytest.mark.parametrize("share", range(SHARES))
def test_a_hostile_value_in_the_place_of_any_other_does_no_harm(
    client: httpx.Client, known: list[Operation], share: int
) -> None:
    """In bodies of many places each takes a part of the values, in turns; all, in the soak."""
    assert _replace(client, known, share, all_of_them=False) > 2_000 // SHARES


@pytest.mark.soak
@pytest.mark.parametrize("share", range(SHARES))
def test_nor_does_any_value_in_any_place(
    client: httpx.Client, known: list[Operation], share: int
) -> None:
    _replace(client, known, share, all_of_them=True)


def _replace(client: httpx.Client, known: list[Operation], share: int, all_of_them: bool) -> int:
    """Put hostile values into a share of the operations' bodies; how many were asked."""
    asked = 0
    for operation in with_bodies(known)[share::SHARES]:
        example = operation.example()
        places = [*leaves(example)]
        step = 1 if all_of_them else 1 + len(places) // PLACES
        for number, place in enumerate(places):
            text = msgspec.json.encode(put(example, place, _HERE)).decode()
            for name, value in list(VALUES.items())[number % step :: step]:
                body = text.replace(f'"{_HERE}"', value).encode()
                answer = client.request(
                    operation.method, operation.url(), content=body, headers=JSON
                )
                check(answer, f"{operation}, {place}, {name}")
                asked += 1
    return asked


def test_hostile_text_in_paths_and_queries_does_no_harm(
    client: httpx.Client, known: list[Operation]
) -> None:
    for operation in known:
        places = [each["name"] for each in operation.parameters("path")]
        queries = [each["name"] for each in operation.parameters("query")]
        for name, text in TEXTS.items():
            urls = [operation.url(**{place: text}) for place in places]
            urls += [f"{operation.url()}?{query}={text}" for query in [*queries, "h0st1le"]]
            urls.append(f"{operation.url()}?{text}&{text}")
            for url in urls:
                target = httpx.URL(f"{client.base_url}").copy_with(raw_path=url.encode())
                answer = answer_of(client, operation.method, target)
                check(answer, f"{operation}, {name}")


def test_hostile_headers_do_no_harm(client: httpx.Client, known: list[Operation]) -> None:
    # A header is read in the same place for all operations of a kind.
    kinds = {(each.method, each.scope, each.path[:4], each.body is None): each for each in known}
    for operation in kinds.values():
        for header in NAMES:
            for name, value in HEADERS.items():
                raw = [(header.encode(), value), (b"content-type", b"application/json")]
                sent = {"content": b"{}"} if operation.body is not None else {}
                target = operation.url()
                answer = answer_of(client, operation.method, target, headers=raw, **sent)
                check(answer, f"{operation}, {header}: {name}")


@pytest.mark.parametrize("size", [1 << 20, 1 << 22])
def test_a_body_above_a_mebibyte_is_refused_before_it_is_read(
    client: httpx.Client, known: list[Operation], size: int
) -> None:
    body = b'{"h0st1le": "' + b"h0st1le" * (size // 7) + b'"}'
    for operation in with_bodies(known):
        if operation.path in TAKE_MORE:
            continue
        answer = client.request(operation.method, operation.url(), content=body, headers=JSON)
        check(answer, str(operation))
        assert answer.status_code == 413, f"{operation}: {answer.status_code}"


def test_the_same_process_still_answers(client: httpx.Client, attacked: object) -> None:
    assert attacked.process.poll() is None  # type: ignore[attr-defined]
    assert "Traceback" not in attacked.log  # type: ignore[attr-defined]
    assert client.get("/v1/snapshot").status_code == 200
