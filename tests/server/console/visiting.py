"""Visits of the console: signing in, and sending its forms as a browser does."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

import httpx

from allotment.server.auth.new_token import minted
from allotment.server.sync.node import Node
from allotment.store import Scope

HERE = "/console/default/production"
_FORM = re.compile(r'name="form" value="([0-9a-f]{64})"')


@dataclass
class Visiting:
    """A browser before a console that asks for a token."""

    node: Node
    browser: httpx.AsyncClient

    async def token(self, scope: str = "read", space: str = "*/*", name: str = "ada") -> str:
        """The text of a new token."""
        now = round(time.time() * 1000)
        made, text = minted(
            Scope(scope), space, name, secret=secrets.token_urlsafe(32), now=now, who="test"
        )
        await self.node.change_tokens(lambda: self.node.store.add_token(made))
        return text

    async def sign_in(self, token: str, wanted: str = "/console") -> httpx.Response:
        """What the form to sign in is answered."""
        page = await self.browser.get("/console/sign-in")
        fields = {"form": form_of(page.text), "token": token, "next": wanted}
        return await self.browser.post("/console/sign-in", data=fields)

    async def signed_in(self, scope: str = "read", **more: str) -> httpx.AsyncClient:
        """The browser, once it is signed in with a token of this scope."""
        answer = await self.sign_in(await self.token(scope, **more))
        assert answer.status_code == 303, answer.text
        return self.browser


def form_of(page: str) -> str:
    """What the forms of a page hold."""
    found = _FORM.search(page)
    assert found is not None, page
    return found[1]


class Elements(HTMLParser):
    """What a page consists of: how many elements of each name, their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.count: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.attributes += [(tag, name, unescape(value or "")) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "li", "p", "dd", "dt"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


def check_harmless(page: str) -> Elements:
    """Check that a page runs nothing but htmx, and loads nothing from elsewhere."""
    found = Elements(page)
    assert found.count["script"] == found.count["link"] - 1 == 1
    assert not {"style", "iframe", "object", "embed", "base", "img"} & set(found.count)
    for tag, name, value in found.attributes:
        assert not name.startswith("on"), (tag, name, value)
        assert name != "style", (tag, value)
        if name in ("href", "src", "action", "hx-get"):
            assert value.startswith(("/console", "?", "#")), (tag, name, value)
    return found
