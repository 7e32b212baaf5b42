"""A page: a template, what it shows, and the headers that keep it from running anything else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from allotment.errors import AllotmentError
from allotment.server.console import charts, words
from allotment.server.http.answer import Answer, Headers
from allotment.server.http.problems import presentable

# Nothing is loaded from elsewhere, no style or script stands in a page, no page stands in a frame.
# htmx asks this server only.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
# A form must say its origin, which it does not under "no-referrer": its Origin would be "null".
_SAFE: Final = (
    ("content-security-policy", POLICY),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("x-frame-options", "DENY"),
)
_HTML: Final = ("content-type", "text/html; charset=utf-8")
_NOT_KEPT: Final = ("cache-control", "no-store")
_FOR_EVER: Final = ("cache-control", "public, immutable, max-age=31536000")

_MEDIA: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_TITLES: Final = {
    401: "Sign in first",
    403: "Not with this token",
    404: "Nothing is here",
    503: "Not now",
}


@cache
def static() -> Mapping[str, tuple[str, bytes]]:
    """The files that pages load, by name, each with its digest."""
    folder = files("allotment.server.console") / "static"
    texts = {each.name: each.read_bytes() for each in folder.iterdir()}
    return {name: (sha256(text).hexdigest()[:16], text) for name, text in texts.items()}


def static_answer(digest: str, name: str) -> Answer | None:
    """A file under its digest, which may be kept for ever; None where there is no such file."""
    known, text = static().get(name, ("", b""))
    media = _MEDIA.get(name.rpartition(".")[2])
    if media is None or known != digest:
        return None
    return Answer(200, (("content-type", media), _FOR_EVER, *_SAFE), text)


@cache
def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("allotment.server.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = lambda name: f"{static()[name][0]}/{name}"
    made.globals["charts"] = charts
    made.filters |= {"ago": words.ago, "moment": words.moment, "percent": words.percent}
    return made


def html(template: str, status: int = 200, headers: Headers = (), **shown: Any) -> Answer:
    """The page that a template makes of what it shows."""
    text = _templates().get_template(template).render(**shown)
    return Answer(status, (_HTML, _NOT_KEPT, *_SAFE, *headers), text.encode())


def error_page(error: AllotmentError, at: str) -> Answer:
    """A page that says what went wrong; `at` is where the console begins."""
    status = error.status_hint
    said = presentable(error.message)
    title = _TITLES.get(status, "That did not work")
    place = presentable(error.path)
    return html("error.html", status, title=title, said=said, place=place, at=at, visitor=None)
