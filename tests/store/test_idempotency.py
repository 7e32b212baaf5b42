"""A request that comes again is answered again, and not done again."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from allotment.change.commands import Command, Create, Rename
from allotment.errors import IdempotencyMismatch, InvalidChange, PreconditionFailed
from allotment.model.segment import Segment
from allotment.store import Committed, Once, Origin, Store, Stored
from store.examples import NOON, NORDICS, commit, sql


def said(stored: Stored, commands: object) -> bytes:
    """An answer with bytes of every kind."""
    names = ",".join(stored.catalog.segments)
    said = f"{stored.catalog.revision} {names} {len(commands)}"  # type: ignore[arg-type]
    return said.encode() + bytes(range(256))


def once(
    store: Store, *commands: Command, key: str = "k", digest: str = "d", when: datetime = NOON
) -> Committed:
    return store.commit(commands, who="", when=when, dialect="test", once=Once(key, digest, said))


def test_a_request_that_comes_again_gets_its_first_answer_and_changes_nothing(
    store: Store, database: str
) -> None:
    first = once(store, Create(NORDICS))
    assert first.replay is None
    commit(store, Rename("segment", "nordics", "North"))
    with Store.open(database) as elsewhere:
        for node in (store, elsewhere):
            again = once(node, Create(NORDICS))
            assert again.replay == b"1 nordics 1" + bytes(range(256))
            assert again.stored == node.read()
            assert again.change.catalog is again.stored.catalog
            assert not again.change.touched
    assert store.catalog().revision == 2


def test_a_request_that_comes_again_is_answered_and_not_built_again(store: Store) -> None:
    built: list[int] = []

    def build(states: Mapping[str, Stored]) -> dict[str, list[Command]]:
        built.append(states[store.space].catalog.revision)
        if built[-1]:
            raise PreconditionFailed("it is there already")
        return {store.space: [Create(NORDICS)]}

    origin = Origin("", NOON, "test")
    for replay in (False, True):
        done = store.change(build, origin, once=Once("k", "d", said))[store.space]
        assert (done.replay is not None) is replay
        assert done.answer == b"1 nordics 1" + bytes(range(256))
    assert built == [0]


def test_one_key_for_two_requests_is_refused(store: Store) -> None:
    once(store, Create(NORDICS))
    with pytest.raises(IdempotencyMismatch) as caught:
        once(store, Rename("segment", "nordics", "North"), digest="other")
    assert caught.value.status_hint == 422
    assert store.catalog().revision == 1


def test_a_request_that_changes_nothing_is_recorded_too(store: Store) -> None:
    assert once(store).replay is None
    assert once(store).replay == b"0  0" + bytes(range(256))


def test_a_request_that_was_refused_may_be_made_again_under_its_key(store: Store) -> None:
    with pytest.raises(InvalidChange):
        once(store, Rename("segment", "nordics", "North"))
    commit(store, Create(NORDICS))
    assert once(store, Rename("segment", "nordics", "North")).replay is None
    assert store.catalog().segments["nordics"].name == "North"


def test_what_the_record_raises_undoes_the_change(store: Store) -> None:
    def fail(stored: Stored, _: object) -> bytes:
        assert "nordics" in stored.catalog.segments
        raise InvalidChange("the answer cannot be shown")

    with pytest.raises(InvalidChange, match="cannot be shown"):
        store.commit([Create(NORDICS)], who="", when=NOON, dialect="t", once=Once("k", "d", fail))
    assert store.catalog().revision == 0
    assert once(store, Create(NORDICS)).replay is None


def test_an_answer_is_kept_for_a_day(store: Store, database: str) -> None:
    once(store, Create(NORDICS))
    a_day = NOON + timedelta(hours=24)
    assert once(store, Create(NORDICS), when=a_day).replay is not None
    later = a_day + timedelta(milliseconds=1)
    assert once(store, Create(Segment("another")), digest="other", when=later).replay is None
    assert store.catalog().revision == 2
    assert sql(database, "SELECT count(*) FROM idempotency") == [(1,)]
    once(store, key="k2", when=later + timedelta(hours=25))
    assert sql(database, "SELECT count(*) FROM idempotency") == [(1,)]


def test_each_space_has_keys_of_its_own(store: Store) -> None:
    store.create_space("default/staging", who="", when=NOON)
    once(store, Create(NORDICS))
    assert once(store.at("default/staging"), Create(NORDICS)).replay is None


def test_any_text_is_a_key_of_its_own(store: Store) -> None:
    keys = [
        "",
        "a",
        "A",
        "a\0b",
        "a\0",
        "\ud800",
        "\udfff",
        "\N{GRINNING FACE}" * 2_000,
        "é",
        "e\u0301",
    ]
    for number, key in enumerate(keys):
        assert once(store, Create(Segment(f"s{number}")), key=key).replay is None
    for number, key in enumerate(keys, 1):
        answer = once(store, key=key).replay
        assert answer is not None
        assert answer.split()[0] == str(number).encode()


def test_of_a_request_that_comes_many_times_at_once_one_is_done(
    store: Store, database: str
) -> None:
    with Store.open(database) as elsewhere, ThreadPoolExecutor(6) as threads:
        for number in range(10):
            create = Create(Segment(f"s{number}"))
            asked = [
                threads.submit(once, node, create, key=f"k{number}")
                for node in (store, elsewhere) * 3
            ]
            replays = [future.result().replay for future in asked]
            assert replays.count(None) == 1
            assert len(set(replays)) == 2
    assert store.catalog().revision == 10
