"""A real browser before a real server: the distribution's Chromium, which Playwright drives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from clients import node_with
from serving import Server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = "/console/default/production"
_AXE = "axe-core@4.14.1"


@dataclass
class Window:
    """A window of the browser; `faults` are what it complained of, such as a script it refused."""

    page: Page
    server: Server
    faults: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(self.server.url + path)
        return self.page

    def sign_in(self, token: str, path: str = "/console") -> Page:
        page = self.open(path)
        page.get_by_label("Token", exact=True).fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Experiments").wait_for()
        return page

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        width: int = self.page.evaluate(wide)
        return width

    def serious(self) -> list[str]:
        """What axe finds that is serious or worse, each with where it is."""
        self.page.evaluate(_axe())
        found: dict[str, Any] = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{each['id']}: {each['help']}: {json.dumps(each['nodes'][0]['target'])}"
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]


@cache
def _axe() -> str:
    return (node_with(_AXE) / "node_modules" / "axe-core" / "axe.min.js").read_text()


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser, which a test is skipped without."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(
    browser: Browser, server: Server, *, width: int = 1200, **options: Any
) -> Iterator[Window]:
    """A new window with a session of its own."""
    context = browser.new_context(viewport={"width": width, "height": 800}, **options)
    page = context.new_page()
    opened = Window(page, server)
    page.on("console", lambda said: opened.faults.append(said.text) if _is_bad(said) else None)
    page.on("pageerror", lambda error: opened.faults.append(str(error)))
    page.on("dialog", lambda dialog: (opened.faults.append(dialog.message), dialog.dismiss()))
    try:
        yield opened
    finally:
        context.close()


def _is_bad(said: Any) -> bool:
    # A page that answers 401 or 404 is a line of the console too, and is what was asked for.
    return said.type in ("error", "warning") and "the server responded with" not in said.text
