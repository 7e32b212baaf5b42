"""Reading in bulk: nothing is collected meanwhile, and nothing that was read is looked at after."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from allotment.model.bulk import without_collecting


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_nothing_is_collected_in_the_block_and_again_after_it() -> None:
    with without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_block_within_a_block_ends_nothing() -> None:
    with without_collecting():
        with without_collecting():
            pass
        assert not gc.isenabled()


def test_what_was_made_in_the_block_is_old_at_its_end() -> None:
    with without_collecting():
        made: list[list[int]] = [[number] for number in range(100_000)]
    young = {id(each) for generation in (0, 1) for each in gc.get_objects(generation)}
    assert not young.intersection(map(id, made))


def test_what_others_froze_stays_frozen() -> None:
    gc.freeze()
    before = gc.get_freeze_count()
    with without_collecting():
        pass
    assert gc.get_freeze_count() == before > 0
