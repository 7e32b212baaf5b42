"""Changes of an experiment in a real browser: a ramp and its undoing, a race, and every form."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from allotment.server.console.forms import FORMS
from server.console.browsing import HERE, Window, browsing, window
from serving import SHOP, Server, serving

CHECKOUT = f"{HERE}/experiments/checkout"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("shop")
    with serving(folder, catalog=SHOP, insecure_local=False) as server:
        yield server


def given(server: Server, token: str) -> list[str | None]:
    """What units of the Nordics get in `checkout`."""
    body = {"units": [f"user-{number}" for number in range(300)], "experiments": ["checkout"],
            "attributes": [{"country": "SE"}] * 300}  # fmt: skip
    with server.client(token=token) as client:
        units = client.post("/v1/assign/batch", json=body).json()["units"]
    return [each["assignments"]["checkout"]["treatment"] for each in units]


def ramp(opened: Window, share: str) -> Page:
    """The preview of a ramp, as one gets there from the list."""
    page = opened.open(f"{HERE}/experiments")
    page.get_by_role("link", name="checkout").click()
    page.get_by_role("group", name="Change it").get_by_role("link", name="Ramp").click()
    page.get_by_label("Enrolment").fill(share)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("what would happen")
    return page


@pytest.mark.parametrize("scripts", [True, False])
def test_one_ramps_down_and_undoes_it(browser: Browser, shop: Server, scripts: bool) -> None:
    token = shop.token("write")
    with window(browser, shop, java_script_enabled=scripts) as opened:
        opened.sign_in(token)
        before = given(shop, token)
        page = ramp(opened, "20")
        expect(page.locator("main")).to_contain_text("enrolment 100% -> 20%")
        expect(page.locator("main")).to_contain_text("80% lose their treatment and get none.")
        assert given(shop, token) == before
        page.get_by_label("Comment").fill("too much at once")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("checkout")
        less = given(shop, token)
        assert 30 < sum(each is not None for each in less) < 100
        assert all(now in (None, was) for was, now in zip(before, less, strict=True))
        page.get_by_role("navigation", name="Pages").get_by_role("link", name="History").click()
        expect(page.locator("main")).to_contain_text("too much at once")
        opened.open(f"{HERE}/history/2")
        page.get_by_role("link", name="Undo this change").click()
        expect(page.locator("main")).to_contain_text("enrolment 20% -> 100%")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("History")
        assert given(shop, token) == before
        assert opened.faults == []


def test_of_two_who_save_at_once_one_is_told_of_the_other(browser: Browser, shop: Server) -> None:
    with window(browser, shop) as one, window(browser, shop) as other:
        one.sign_in(shop.token("write"))
        other.sign_in(shop.token("write"))
        mine, theirs = ramp(one, "20"), ramp(other, "30")
        theirs.get_by_label("Comment").fill("a third is enough")
        theirs.get_by_role("button", name="Save").click()
        expect(theirs.get_by_role("heading", level=1)).to_contain_text("checkout")
        mine.get_by_role("button", name="Save").click()
        expect(mine.get_by_role("alert")).to_contain_text("a third is enough")
        expect(mine.locator("main")).to_contain_text("enrolment 30% -> 20%")
        mine.get_by_role("button", name="Save").click()
        expect(mine.locator("main")).to_contain_text("20%")
        assert one.faults == other.faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_a_form_or_a_preview(
    browser: Browser, shop: Server, scheme: str
) -> None:
    width = {"light": 1200, "dark": 375}[scheme]
    with window(browser, shop, color_scheme=scheme, width=width) as opened:
        opened.sign_in(shop.token("write"))
        found = {}
        for what in FORMS:
            page = opened.open(f"{CHECKOUT}/change/{what}")
            found[what] = [*opened.serious(), *(["too wide"] if opened.overflow else [])]
            if what == "start":
                page.get_by_label("Why").fill("a draft is there")
            page.get_by_role("button", name="Preview").click()
            told = re.compile("The change in words|It would be refused")
            expect(page.locator("main"), what).to_contain_text(told)
            found[f"{what} preview"] = [
                *opened.serious(), *(["too wide"] if opened.overflow else [])
            ]  # fmt: skip
        page = opened.open(f"{CHECKOUT}/change/weights")
        page.get_by_label("control").fill("10")
        page.get_by_label("green").fill("85")
        page.get_by_text("Units to try").first.click()
        page.get_by_label("Units, one a line").fill("user-1\nuser-2")
        page.get_by_role("button", name="Preview").click()
        expect(page.locator("main")).to_contain_text("of the units move")
        found["weights"] = [*opened.serious(), *(["too wide"] if opened.overflow else [])]
        assert {path: each for path, each in found.items() if each} == {}
        assert opened.faults == []
