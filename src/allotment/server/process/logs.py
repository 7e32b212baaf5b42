"""What the process says, on standard error: one line an event, whatever the event holds.

An event is a few words, and fields beside them: `log.info("serving", extra={"fields": {...}})`.
On a terminal a line is read by people, elsewhere by machines, as JSON.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal

from allotment.server.masked import SecretUrl

# What must not be in a log, wherever it comes from: a password in an address, a token.
_ADDRESS: Final = re.compile(r"\w+://[^\s\"']*@[^\s\"']*")
_TOKEN: Final = re.compile(r"(?i)\b(bearer\s+|allot_)[\w.~+/=-]{8,}")


class Lines(logging.Formatter):
    """Gives each event as one line: no character of it can begin another, or steer a terminal."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line of an event."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        when = when.replace("+00:00", "Z")
        event = _clean(record.getMessage())
        fields = {name: _clean(value) for name, value in _fields(record).items()}
        if self._as_json:
            head = {"time": when, "level": record.levelname.lower(), "event": event}
            return json.dumps({**head, **fields}, default=str)
        parts = [f"{name}={_quoted(value)}" for name, value in fields.items()]
        return " ".join([when, f"{record.levelname.lower():7}", _escaped(event), *parts])


def set_up(level: str, form: Literal["auto", "text", "json"]) -> None:
    """Have everything that is logged from `level` on go to standard error."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(Lines(as_json))
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(logging.WARNING)
    set_level(level)
    logging.captureWarnings(True)


def set_level(level: str) -> None:
    """Log from `level` on."""
    logging.getLogger("allotment").setLevel(level.upper())


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    fields = dict(getattr(record, "fields", {}))
    if record.name != "allotment" and not record.name.startswith("allotment."):
        fields["logger"] = record.name
    if record.exc_info and record.exc_info[1] is not None:
        fields["error"] = repr(record.exc_info[1])
        fields["trace"] = "".join(traceback.format_exception(record.exc_info[1]))
    return fields


def _clean(value: Any) -> Any:
    """The value without what must not be logged; numbers and the like as they are."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _ADDRESS.sub(lambda found: SecretUrl(found[0]).masked, str(value))
    return _TOKEN.sub(r"\1***", text)


def _quoted(value: Any) -> str:
    text = str(value)
    plain = text and text.isprintable() and not set(text) & {" ", '"', "="}
    return text if plain else json.dumps(text)


def _escaped(text: str) -> str:
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
