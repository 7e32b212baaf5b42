"""A catalog as it is sent, whole or by what changed, leads to the same catalog and index."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from allotment.change import commands as c
from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.change.references import with_users
from allotment.change.sent import LIST_BYTES_MAX, digest_of, long_lists, read, write
from allotment.compile import compile_catalog, recompile
from allotment.errors import InvalidInput
from allotment.model.catalog import EMPTY, Catalog
from allotment.model.experiment import State
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import IdList, InSegment, Segment
from nouns import FLAG, catalog, changed, experiment, iteration

LONG = IdList.of(f"unit-{number}" for number in range(1_000))
OTHER = IdList.of(f"unit-{number}" for number in range(2_000))


def wired(sent: object) -> Any:
    """What comes out at the other end."""
    return json.loads(json.dumps(sent))


def no_lists(digest: str) -> bytes:
    raise AssertionError(f"a list that is known was asked for: {digest}")


def lists_of(*catalogs: Catalog) -> Any:
    return {digest_of(ids): ids.text for one in catalogs for ids in long_lists(one)}.__getitem__


def differing(old: Catalog, new: Catalog) -> Iterable[tuple[str, str]]:
    for kind in KINDS:
        for key, _, _ in nouns_of(old, kind).differing(nouns_of(new, kind)):
            yield kind, key
    if old.kept != new.kept:
        yield CATALOG, CATALOG


@pytest.fixture(scope="module")
def base() -> Catalog:
    return catalog(
        Segment("beta", include=LONG, exclude=IdList.of(["nobody"])),
        Segment("inner"),
        Holdout("q4", "", 1),
        Layer("pages", ""),
        experiment("a", iteration(audience="beta")),
        experiment("b", iteration(State.STOPPED)),
    )


def test_a_whole_catalog_comes_back_with_its_index(base: Catalog) -> None:
    back, touched = read(None, wired(write(base)), lists_of(base))
    assert (back, touched, back.revision) == (base, None, base.revision)
    assert back.users == with_users(base).users


@pytest.mark.parametrize(
    "commands",
    [
        (),
        (c.Create(experiment("new")),),
        (c.Delete("experiment", "b"),),
        (c.Rename("segment", "beta", "Beta"),),
        (c.SetRules("beta", (InSegment("inner"),)),),
        (c.SetWeights("a", "everyone", (("control", 30), ("green", 70)), 100),),
        (c.Rename("flag", "button", "A button"), c.Delete("layer", "pages")),
        (c.Keep(CATALOG, CATALOG, "some/path", "1"),),
    ],
)
def test_what_changed_leads_to_the_same_catalog(
    base: Catalog, commands: tuple[c.Command, ...]
) -> None:
    new = changed(base, *commands)
    sent = wired(write(new, base.revision, list(differing(base, new))))
    back, touched = read(base, sent, no_lists)
    assert (back, back.revision, back.kept) == (new, new.revision, new.kept)
    assert back.users == with_users(new).users
    assert touched is not None
    known = compile_catalog(base)
    followed = recompile(known, back, *touched)
    assert followed.fingerprint == compile_catalog(new).fingerprint


def test_what_is_named_without_having_changed_does_no_harm(base: Catalog) -> None:
    """So are a noun that came and went again, and one that changed and changed back."""
    new = changed(base, c.Rename("flag", "button", "A button"))
    names = [("experiment", "came-and-went"), ("experiment", "b"), ("flag", "button")]
    back, touched = read(base, wired(write(new, base.revision, names)), no_lists)
    assert (back, back.users) == (new, with_users(new).users)
    assert touched == (frozenset(), frozenset())


def test_of_ten_thousand_experiments_one_change_is_a_few_kilobytes(seed: int) -> None:
    many = [experiment(f"experiment-{number}") for number in range(10_000)]
    base = changed(EMPTY, c.Create(FLAG), *map(c.Create, many))
    key = f"experiment-{random.Random(seed).randrange(10_000)}"
    weights = (("control", 30), ("green", 70))
    new = changed(base, c.SetWeights(key, "everyone", weights, 100))
    sent = write(new, base.revision, list(differing(base, new)))
    assert len(json.dumps(sent)) < 4_000
    assert read(base, wired(sent), no_lists)[0].experiments[key] == new.experiments[key]


def test_a_long_list_travels_once_and_by_itself(base: Catalog) -> None:
    sent = wired(write(base))
    assert sent["catalog"]["segments"]["beta"]["include"] == {
        "list": digest_of(LONG),
        "count": 1_000,
    }
    assert sent["catalog"]["segments"]["beta"]["exclude"] == ["nobody"]
    renamed = changed(base, c.Rename("segment", "beta", "Beta"))
    for since in (None, base.revision):  # whole once more, too
        sent = wired(write(renamed, since, [("segment", "beta")]))
        assert read(base, sent, no_lists)[0] == renamed
    other = changed(base, c.SetMembers("beta", "user", OTHER, IdList()))
    asked: list[str] = []

    def fetch(digest: str) -> bytes:
        asked.append(digest)
        return OTHER.text

    sent = wired(write(other, base.revision, [("segment", "beta")]))
    assert read(base, sent, fetch)[0] == other
    assert asked == [digest_of(OTHER)]


def test_a_list_is_long_from_4097_bytes_on() -> None:
    for size in (LIST_BYTES_MAX, LIST_BYTES_MAX + 1):
        keys = [f"{number:07}" for number in range(512)]  # 4,095 bytes
        keys[-1] += "x" * (size - 4_095)
        ids = IdList.of(keys)
        assert len(ids.text) == size
        one = changed(EMPTY, c.Create(Segment("beta", include=ids)))
        assert len(list(long_lists(one))) == size - LIST_BYTES_MAX
        assert read(None, wired(write(one)), lists_of(one))[0] == one


def test_what_has_not_this_form_is_refused(base: Catalog) -> None:
    good = wired(write(base))
    beta = good["catalog"]["segments"]["beta"]

    def refused(sent: Any, path: str, known: Catalog | None = base, text: bytes = b"") -> None:
        with pytest.raises(InvalidInput) as error:
            read(known, sent, lambda _digest: text)
        assert error.value.path == path, error.value

    def with_catalog(**more: object) -> Any:
        return {**good, "catalog": {**good["catalog"], **more}}

    refused([], "$")
    refused({"revision": 1, "since": None}, "$")
    refused({**good, "revision": -1}, "$.revision")
    refused({**good, "revision": True}, "$.revision")
    refused({**good, "since": base.revision + 1}, "$.since")
    refused({**good, "since": base.revision}, "$.since", None)
    refused({**good, "since": "1"}, "$.since")
    refused({**good, "catalog": []}, "$.catalog")
    refused({**good, "catalog": {"flags": {}}}, "$.catalog")
    refused(with_catalog(more={}), "$.catalog")
    refused(with_catalog(flags=[]), "$.catalog.flags")
    refused(with_catalog(flags={"button": 1}), "$.catalog.flags.button")
    refused(with_catalog(flags={"other": good["catalog"]["flags"]["button"]}),
            "$.catalog.flags.other")  # fmt: skip
    refused(with_catalog(kept=1), "$.catalog.kept")
    for wrong in ({"list": 1, "count": 1}, {"list": "x"}, {"list": "x", "count": "1"}):
        segments = {"beta": {**beta, "include": wrong}}
        refused(with_catalog(segments=segments), "$.catalog.segments.beta.include")
    refused(good, "$.catalog.segments.beta.include", None, b"another\nlist")
    unsorted = IdList(b"b\na", 2)
    named = {"list": digest_of(unsorted), "count": 2}
    segments = {"beta": {**beta, "include": named}}
    refused(with_catalog(segments=segments), "$.catalog.segments.beta.include", None, b"b\na")
