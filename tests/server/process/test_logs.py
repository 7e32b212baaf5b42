"""Log lines: one an event, whatever it holds."""

import json
import logging
from typing import Any

import pytest

from allotment.server.process.logs import Lines

HOSTILE = [
    "two\nlines",
    "a\r\nforged: line",
    "\x1b[31mred\x1b[0m",
    "a\0b",
    "a\u2028b",
    "\x9b31m",
    'quote " and = sign',
    "\ud800",
]


def line(event: str, as_json: bool, error: Exception | None = None, **fields: Any) -> str:
    found = (type(error), error, None) if error else None
    record = logging.LogRecord("allotment.test", logging.INFO, "", 0, event, None, found)
    record.fields = fields
    return Lines(as_json).format(record)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("as_json", [True, False])
def test_an_event_is_one_line_of_printable_characters(text: str, as_json: bool) -> None:
    for said in (line(text, as_json), line("event", as_json, field=text)):
        assert said.isprintable()
        said.encode()


@pytest.mark.parametrize("text", HOSTILE)
def test_as_json_nothing_is_lost(text: str) -> None:
    read = json.loads(line(text, True, field=text))
    assert (read["event"], read["field"], read["level"]) == (text, text, "info")


def test_an_error_stands_in_the_line_with_its_trace() -> None:
    read = json.loads(line("failed", True, ValueError("two\nlines")))
    assert "two" in read["error"]
    assert "ValueError" in read["trace"]
    assert line("failed", False, ValueError("two\nlines")).isprintable()


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "secret",
    [
        "Authorization: Bearer hunter2hunter2",
        "the token allot_hunter2hunter2 is not known",
        "cannot reach postgresql+psycopg://user:hunter2@host/name",
    ],
)
def test_no_secret_is_logged(secret: str, as_json: bool) -> None:
    error = ValueError(secret)
    assert "hunter2" not in line(secret, as_json, error, field=secret)


def test_a_line_on_a_terminal_is_read_from_left_to_right() -> None:
    said = line("serving", False, url="http://127.0.0.1:8080", revision=17, database="my store.db")
    assert said.endswith(
        'info    serving url=http://127.0.0.1:8080 revision=17 database="my store.db"'
    )
