"""The console in a real browser: what people do, with and without JavaScript, and what may break.

These tests are few, as a browser is slow; what one page shows is tested without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from allotment.store import Store
from server.console import hostile, screenshots
from server.console.browsing import HERE, browsing, window
from server.console.test_pages import pages
from serving import SHOP, Server, serving

HOUSE = Path(__file__).parents[3]
SHOP_PAGES = (
    *(f"{HERE}/{each}" for each in ("experiments", "experiments/checkout", "why", "layers")),
    *(f"{HERE}/{each}" for each in ("holdouts", "segments", "segments/nordics", "flags")),
    *(f"{HERE}/{each}" for each in ("flags/button", "history", "history/1", "history/compare")),
    f"{HERE}/why?unit=user-42&flag=button&a1=country&v1=SE",
    f"{HERE}/why?unit=user-42",
    f"{HERE}/history/compare?since=0&until=1",
    f"{HERE}/segments/nordics?unit=u&a1=country&v1=SE",
    f"{HERE}/experiments/unknown",
    *("/console/tokens", "/console/node", "/console/sign-in"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("shop")
    with serving(folder, catalog=SHOP, insecure_local=False) as server:
        yield server


@pytest.fixture(scope="module")
def admin(shop: Server) -> str:
    return shop.token("admin", space="*/*")


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    """A server without a token whose catalog is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    with Store.open(folder / "allotment.db") as store:
        store.commit(
            hostile.commands(),
            who=hostile.MARKUP,
            when=datetime.now(UTC),
            dialect="native",
            comment=hostile.MARKUP + hostile.TURNED,
        )
    with serving(folder) as server:
        yield server


@pytest.mark.parametrize("scripts", [True, False])
def test_one_signs_in_searches_and_learns_why_a_unit_has_its_treatment(
    browser: Browser, shop: Server, admin: str, scripts: bool
) -> None:
    with window(browser, shop, java_script_enabled=scripts) as opened:
        page = opened.sign_in(admin, f"{HERE}/experiments")
        page.get_by_label("Search").fill("check")
        if not scripts:
            page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("status")).to_contain_text("1 of 4")
        page.get_by_role("link", name="checkout").click()
        page.get_by_label("Why does a unit get what it gets?").fill("user-42")
        page.get_by_role("button", name="Explain").click()
        expect(page.get_by_role("status")).to_contain_text("not in the audience")
        page.get_by_label("Attribute 1").fill("country")
        page.get_by_label("Value 1").fill("SE")
        page.get_by_role("button", name="Explain").click()
        given = shop.engine().assign("checkout", "user-42", {"country": "SE"})
        expect(page.locator("main")).to_contain_text(f"user-42 gets {given.treatment}")
        # The address is the question: another window is answered the same.
        with window(browser, shop, java_script_enabled=scripts) as other:
            other.sign_in(admin)
            other.page.goto(page.url)
            expect(other.page.locator("main")).to_contain_text(f"user-42 gets {given.treatment}")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        opened.open(f"{HERE}/experiments")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert opened.faults == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_token_is_made_used_and_revoked(
    browser: Browser, shop: Server, admin: str, scripts: bool
) -> None:
    with window(browser, shop, java_script_enabled=scripts) as opened:
        page = opened.sign_in(admin)
        page.get_by_role("link", name="Tokens").click()
        page.get_by_label("Scope").select_option("assign")
        page.get_by_label("Who or what has it").fill(f"shop {scripts}")
        page.get_by_role("button", name="Make it").click()
        text = page.locator("pre").inner_text()
        asked = {"experiment": "plain", "unit": "user-1"}
        with shop.client(token=text) as client:
            assert client.post("/v1/assign", json=asked).status_code == 200
            page.get_by_role("row", name=f"shop {scripts}").get_by_role("link").click()
            page.get_by_role("button", name="Revoke it").click()
            expect(page.get_by_role("row", name=f"shop {scripts}")).to_contain_text("revoked")
            assert client.post("/v1/assign", json=asked).status_code == 401
        assert opened.faults == []


def test_the_keyboard_reaches_what_a_number_means(
    browser: Browser, shop: Server, admin: str
) -> None:
    with window(browser, shop) as opened:
        opened.sign_in(admin)
        page = opened.open(f"{HERE}/experiments/checkout")
        page.keyboard.press("Tab")
        expect(page.get_by_text("Skip to the page")).to_be_focused()
        page.keyboard.press("Enter")
        reached = []
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.append(
                page.evaluate(
                    "getComputedStyle(document.activeElement, '::after').content + ' '"
                    " + document.activeElement.title"
                )
            )
        assert any(re.search(r'"The ramp: .*" The ramp', each) for each in reached), reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_is_cut_off_on_a_phone(
    browser: Browser, shop: Server, admin: str, scheme: str
) -> None:
    width = {"light": 1200, "dark": 375}[scheme]
    with window(browser, shop, color_scheme=scheme, width=width) as opened:
        opened.sign_in(admin)
        found = {}
        for path in SHOP_PAGES:
            opened.open(path)
            found[path] = [*opened.serious(), *(["too wide"] if opened.overflow else [])]
        assert {path: each for path, each in found.items() if each} == {}
        assert opened.faults == []


def test_the_pictures_can_be_taken_again(browser: Browser, tmp_path: Path) -> None:
    screenshots.take(browser, tmp_path)
    taken = {each.name for each in tmp_path.glob("*.png")}
    assert taken == {each.name for each in (HOUSE / "docs/images").iterdir()}


@pytest.mark.parametrize("width", [1200, 375])
def test_a_hostile_catalog_runs_nothing_and_breaks_no_page(
    browser: Browser, attacked: Server, width: int
) -> None:
    with window(browser, attacked, width=width) as opened:
        for path in pages():
            page = opened.open(path)
            assert page.get_by_role("heading", level=1).count() == 1
            assert opened.overflow == 0, path
        assert opened.faults == []
