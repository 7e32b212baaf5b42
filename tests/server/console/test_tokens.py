"""The page of tokens: made and shown once, revoked, and nothing without the scope."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from allotment.server.console.nodes import node_view
from allotment.server.console.tokens import token_lines
from allotment.store import Scope, Token
from server.console.visiting import Elements, Visiting, form_of

pytestmark = pytest.mark.anyio

PAGE = "/console/tokens"


def test_tokens_that_hold_come_first_then_the_newest() -> None:
    old = Token("old", "d", Scope.READ, "*/*", "", 1_000)
    several = [
        old,
        replace(old, id="new", created_at=2_000),
        replace(old, id="gone", created_at=3_000, expires_at=4_000),
        replace(old, id="ended", created_at=5_000, revoked_at=6_000),
        replace(old, id="soon", created_at=500, expires_at=90_000),
    ]
    lines = token_lines(several, 4_000)
    assert [(each.token.id, each.holds) for each in lines] == [
        ("new", True),
        ("old", True),
        ("soon", True),
        ("ended", False),
        ("gone", False),
    ]
    assert [each.until.split(" 1970")[0] for each in lines] == [
        "for ever",
        "for ever",
        "until",
        "revoked",
        "expired",
    ]


async def test_a_token_is_made_and_shown_once_and_opens_what_it_says(visiting: Visiting) -> None:
    browser = await visiting.signed_in("admin")
    held = form_of((await browser.get(PAGE)).text)
    fields = {"form": held, "scope": "read", "space": "default/*", "name": "cy <b>", "days": "3"}
    answer = await browser.post(PAGE, data=fields)
    assert answer.status_code == 200
    found = re.search(r"<pre>(allot_[\w-]{43})</pre>", answer.text)
    assert found is not None
    assert answer.headers["cache-control"] == "no-store"
    page = await browser.get(PAGE)
    assert found[1] not in page.text
    assert "cy &lt;b&gt;" in page.text
    (made,) = [each for each in visiting.node.store.tokens() if each.name == "cy <b>"]
    assert (made.scope, made.space) == (Scope.READ, "default/*")
    assert made.expires_at == made.created_at + 3 * 86_400_000
    # By name, also where it was made: who made it is the token of the session.
    (own,) = [each for each in visiting.node.store.tokens() if each.name == "ada"]
    assert made.created_by == own.id
    header = {"authorization": f"Bearer {found[1]}"}
    browser.cookies.clear()
    assert (await browser.get("/v1/snapshot", headers=header)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"scope": "all"}, 400),
        ({"space": "here"}, 400),
        ({"days": "x"}, 400),
        ({"days": "0"}, 400),
        ({"more": "x"}, 400),
        ({"space": "other/*"}, 403),
    ],
)
async def test_a_token_that_may_not_be_is_refused_on_the_page(
    visiting: Visiting, fields: dict[str, str], status: int
) -> None:
    browser = await visiting.signed_in("admin", space="default/*")
    held = form_of((await browser.get(PAGE)).text)
    answer = await browser.post(PAGE, data={"form": held, "scope": "read", **fields})
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert len(visiting.node.store.tokens()) == 1


async def test_a_token_is_revoked_after_a_question(visiting: Visiting) -> None:
    other = await visiting.token("read", name="other")
    browser = await visiting.signed_in("admin")
    (known,) = [each for each in visiting.node.store.tokens() if each.name == "other"]
    path = f"{PAGE}/{known.id}/revoke"
    page = await browser.get(path)
    assert "other" in Elements(page.text).words
    assert (await browser.post(path, data={"form": "x"})).status_code == 403
    answer = await browser.post(path, data={"form": form_of(page.text)})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    browser.cookies.clear()
    gone = {"authorization": f"Bearer {other}"}
    assert (await browser.get("/v1/snapshot", headers=gone)).status_code == 401


async def test_tokens_of_other_spaces_are_neither_shown_nor_revoked(visiting: Visiting) -> None:
    await visiting.token("read", space="secret/production", name="unseen")
    (known,) = visiting.node.store.tokens()
    browser = await visiting.signed_in("admin", space="default/*")
    page = await browser.get(PAGE)
    assert "unseen" not in page.text
    path = f"{PAGE}/{known.id}/revoke"
    assert (await browser.get(path)).status_code == 404
    answer = await browser.post(path, data={"form": form_of(page.text)})
    assert answer.status_code == 404
    assert known.id in [t.id for t in visiting.node.store.tokens() if t.revoked_at is None]


@pytest.mark.parametrize("scope", ["read", "write"])
async def test_without_the_scope_the_page_is_neither_offered_nor_given(
    visiting: Visiting, scope: str
) -> None:
    browser = await visiting.signed_in(scope)
    page = await browser.get("/console", follow_redirects=True)
    assert "/console/tokens" not in page.text
    held = form_of(page.text)
    assert (await browser.get(PAGE)).status_code == 403
    answer = await browser.post(PAGE, data={"form": held, "scope": "admin"})
    assert answer.status_code == 403
    assert len(visiting.node.store.tokens()) == 1


async def test_the_page_of_a_node_says_what_it_serves(visiting: Visiting) -> None:
    browser = await visiting.signed_in(space="default/*")
    page = Elements((await browser.get("/console/node")).text)
    assert "State ready" in page.words
    assert "default/production 1" in page.words
    view = node_view(visiting.node, "other/*", 0.0)
    assert view.spaces == ()
