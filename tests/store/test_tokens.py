"""Tokens are kept by their digest; whoever watches sees that they changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from allotment.errors import Conflict, InvalidInput, NotFound
from allotment.store import Scope, Store, Token
from store.examples import NOON, NOON_MS


def token(number: int = 1, **fields: object) -> Token:
    digest = sha256(f"secret {number}".encode()).hexdigest()
    plain = Token(f"tok-{number}", digest, Scope.WRITE, "default/*", "Ann's", NOON_MS + number)
    return replace(plain, **fields)


def test_tokens_are_kept_as_they_are_given(store: Store, database: str) -> None:
    one = token()
    other = token(2, scope=Scope.ASSIGN, expires_at=NOON_MS + 5, name="\N{SNOWMAN}")
    for new in (other, one):
        store.add_token(new)
    with Store.open(database) as again:
        assert again.tokens() == store.tokens() == (one, other)
        assert all(isinstance(kept.scope, Scope) for kept in again.tokens())


def test_a_token_is_revoked_for_good(store: Store) -> None:
    store.add_token(token())
    store.add_token(token(2))
    store.revoke_token("tok-1", NOON)
    store.revoke_token("tok-1", NOON + timedelta(days=1))
    assert store.tokens() == (token(revoked_at=NOON_MS), token(2))
    with pytest.raises(NotFound, match="no token"):
        store.revoke_token("tok-3", NOON)


def test_who_made_and_who_revoked_a_token_is_kept(store: Store, database: str) -> None:
    store.add_token(token(created_by="ann"))
    store.revoke_token("tok-1", NOON, who="bo")
    store.revoke_token("tok-1", NOON + timedelta(days=1), who="cy")  # it is revoked already
    with Store.open(database) as again:
        (kept,) = again.tokens()
    assert (kept.created_by, kept.revoked_by) == ("ann", "bo")


def test_every_change_of_tokens_is_in_the_pulse(store: Store, database: str) -> None:
    counts = [store.pulse().tokens]
    with Store.open(database) as elsewhere:
        for change in (
            lambda: store.add_token(token()),
            lambda: elsewhere.add_token(token(2)),
            lambda: elsewhere.revoke_token("tok-1", NOON),
        ):
            change()
            counts.append(store.pulse().tokens)
    assert counts == sorted(set(counts))


def test_of_many_that_make_the_first_token_at_once_one_does(database: str) -> None:
    Store.open(database).close()

    def make(number: int) -> bool:
        with Store.open(database) as store:
            return store.add_first_token(token(number))

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(make, range(8)))
    with Store.open(database) as store:
        assert made.count(True) == len(store.tokens()) == 1
        assert store.tokens() == (token(made.index(True)),)
        store.revoke_token(store.tokens()[0].id, NOON)
        assert not store.add_first_token(token(9))  # there has been one


@pytest.mark.parametrize("field", ["id", "digest"])
def test_two_tokens_share_neither_id_nor_digest(store: Store, field: str) -> None:
    store.add_token(token())
    counted = store.pulse().tokens
    with pytest.raises(Conflict, match="already"):
        store.add_token(replace(token(2), **{field: getattr(token(), field)}))
    assert store.tokens() == (token(),)
    assert store.pulse().tokens == counted


@pytest.mark.parametrize(
    "fields", [{"id": "a b"}, {"id": ""}, {"name": "a\0b"}, {"created_by": "a\0b"}]
)
def test_a_token_whose_text_cannot_be_kept_is_refused(store: Store, fields: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        store.add_token(token(**fields))
    assert store.tokens() == ()


def test_each_scope_covers_those_before_it() -> None:
    order = [Scope.ASSIGN, Scope.READ, Scope.WRITE, Scope.ADMIN]
    for place, scope in enumerate(order):
        assert [scope.covers(other) for other in order] == [n <= place for n in range(4)]
