"""The last good file is whole or not there, whatever happens to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from errno import EIO, ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import strategies
from allotment.change.commands import Create, Delete, Rename
from allotment.change.kinds import CATALOG, KINDS, nouns_of
from allotment.change.references import with_users
from allotment.errors import StoreError, StoreFull
from allotment.model.catalog import Catalog
from allotment.model.keyed import Keyed
from allotment.store import LastGood, Scope, Store, Stored, Token, Version, lastgood
from allotment.store.lastgood import load, renew, save
from nouns import FLAG
from nouns import experiment as flagged
from store.examples import NOON, NOON_MS, NORDICS, commit

TOKEN = Token("tok-1", "ab" * 32, Scope.ADMIN, "*/*", "Ann's \N{SNOWMAN}", 17, expires_at=18)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "allotment.db") as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept" / "allotment.lastgood"


def seen(store: Store) -> LastGood:
    spaces = {name: store.at(name).read() for name in store.spaces()}
    return LastGood("allotment.db", spaces, (TOKEN,), adopted=3)


def test_what_was_saved_is_loaded_with_its_spaces_versions_and_tokens(
    store: Store, path: Path
) -> None:
    commit(store, Create(FLAG), Create(NORDICS), Create(flagged()))
    store.create_space("default/staging", who="", when=NOON)
    commit(store, Rename("segment", "nordics", "North"))
    save(path, seen(store))
    loaded = load(path)
    assert loaded == seen(store)
    assert repr(loaded.spaces["default/production"].catalog.segments) == repr(
        store.catalog().segments
    )
    for stored in loaded.spaces.values():
        assert stored.catalog.users == with_users(stored.catalog).users


def test_saving_again_spells_what_changed_and_loses_nothing(store: Store, path: Path) -> None:
    commit(store, Create(FLAG), Create(NORDICS), Create(flagged()))
    for change in (
        Rename("segment", "nordics", "N"),
        Delete("segment", "nordics"),
        Create(NORDICS),
    ):
        save(path, seen(store))
        commit(store, change)
        save(path, seen(store))
        assert load(path) == seen(store)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(catalog=strategies.catalogs())
def test_any_catalog_comes_back_as_it_was(path: Path, catalog: Catalog) -> None:
    versions = Keyed(
        (f"{kind}:{key}", Version(1, NOON_MS, NOON_MS + number, "ann", f"bob-{number}"))
        for kind in KINDS
        for number, key in enumerate(nouns_of(catalog, kind))
    )
    versions = versions.change({f"{CATALOG}:{CATALOG}": Version(1, NOON_MS, NOON_MS, "ann", "ann")})
    stored = Stored("default/production", catalog, versions, "5f" * 16)
    save(path, LastGood("allotment.db", {stored.space: stored}, ()))
    (loaded,) = load(path).spaces.values()
    assert loaded == stored
    assert strategies.plain(loaded.catalog) == strategies.plain(catalog)


def test_a_file_that_is_cut_anywhere_is_never_half_loaded(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS))
    save(path, seen(store))
    earlier = load(path)
    commit(store, Rename("segment", "nordics", "North"))
    save(path, seen(store))
    whole, before = path.read_bytes(), path.with_name(path.name + ".1")
    for size in reversed(range(len(whole))):
        os.truncate(path, size)
        assert load(path) == earlier
    # And where there is none before it, there is none.
    previous = before.read_bytes()
    before.unlink()
    path.write_bytes(whole)
    for size in reversed(range(len(whole))):
        os.truncate(path, size)
        with pytest.raises(StoreError):
            load(path)
    path.write_bytes(previous)
    assert load(path) == earlier


def test_a_file_with_one_bit_flipped_is_never_loaded(store: Store, path: Path) -> None:
    commit(store, Create(NORDICS))
    save(path, seen(store))
    whole = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for place, byte in enumerate(whole):
            for bit in range(8):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << bit]), place)
                with pytest.raises(StoreError, match="torn"):
                    load(path)
            os.pwrite(file.fileno(), bytes([byte]), place)
    assert load(path) == seen(store)


@pytest.mark.parametrize(
    "damage", [lambda _: b"", lambda w: w + b"\n", lambda w: w + w, bytes.upper]
)
def test_a_file_that_is_something_else_is_never_loaded(
    store: Store, path: Path, damage: Callable[[bytes], bytes]
) -> None:
    save(path, seen(store))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(StoreError, match="torn"):
        load(path)


def forge(path: Path, lines: list[bytes]) -> None:
    """Put these lines in place of a file's, under a sum that is right."""
    body = b"\n".join(lines) + b"\n"
    path.write_bytes(lastgood._MAGIC + sha256(body).hexdigest().encode() + b"\n" + body)


def leaves(tree: object, place: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The places of all values in a JSON tree."""
    yield place
    inner = enumerate(tree) if isinstance(tree, list) else getattr(tree, "items", tuple)()
    for key, value in inner:
        yield from leaves(value, (*place, key))


def put(tree: Any, place: tuple[Any, ...], value: object) -> Any:
    if not place:
        return value
    tree[place[0]] = put(tree[place[0]], place[1:], value)
    return tree


NESTED = b"[" * 200_000 + b"]" * 200_000


def test_a_forged_file_with_the_right_sum_is_refused_by_name_or_served(
    store: Store, path: Path
) -> None:
    """Every value of a file is replaced by values of other types, and deep ones, in turn."""
    commit(store, Create(FLAG), Create(NORDICS), Create(flagged()))
    save(path, seen(store))
    _, *lines = path.read_bytes().splitlines()
    refused = 0
    for number, line in enumerate(lines):
        for place in leaves(json.loads(line)):
            for value in (None, -1, 2**70, 1.5, "", "x", [], {}, [[]], {"a": {}}, True):
                changed = json.dumps(put(json.loads(line), place, value)).encode()
                forge(path, [*lines[:number], changed, *lines[number + 1 :]])
                is_whole, refusal = True, ""
                try:
                    loaded = load(path)
                    is_whole = all(isinstance(each, Token) for each in loaded.tokens)
                except StoreError as error:
                    refusal = str(error)
                refused += bool(refusal)
                assert is_whole
                assert not refusal or str(path) in refusal
        forge(path, [*lines[:number], NESTED, *lines[number + 1 :]])
        with pytest.raises(StoreError, match=f"{path} is of another release, or was changed"):
            load(path)
    assert refused > 300


def test_a_missing_file_is_a_store_error_that_names_it(path: Path) -> None:
    with pytest.raises(StoreError, match=f"no last good file {path}"):
        load(path)


def test_a_save_that_was_cut_short_between_its_moves_leaves_the_one_before(
    store: Store, path: Path
) -> None:
    save(path, seen(store))
    path.rename(path.with_name(path.name + ".1"))
    assert load(path) == seen(store)


def test_a_save_syncs_the_file_before_it_is_moved_and_the_folder_after(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, move = os.fsync, os.replace

    def synced(opened: int) -> None:
        done.append(f"sync {Path(os.readlink(f'/proc/self/fd/{opened}')).name}")
        fsync(opened)

    def moved(source: Path, target: Path) -> None:
        done.append(f"move to {target.name}")
        move(source, target)

    save(path, seen(store))
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", moved)
    save(path, seen(store))
    first, *rest = done
    assert first.endswith(".new")
    assert rest == [
        "move to allotment.lastgood.1",
        "move to allotment.lastgood",
        "sync kept",
    ]


def test_a_file_that_holds_the_same_is_as_if_written_now(store: Store, path: Path) -> None:
    commit(store, Create(FLAG), Create(NORDICS))
    assert not renew(path, seen(store))
    save(path, seen(store))
    there = path.read_bytes()
    os.utime(path, (0, 0))
    assert renew(path, seen(store))
    assert path.read_bytes() == there
    assert load(path).written > 1e9


def test_a_file_that_holds_anything_else_is_not_renewed(store: Store, path: Path) -> None:
    commit(store, Create(FLAG), Create(NORDICS))
    good = seen(store)
    save(path, good)
    other = replace(TOKEN, revoked_at=19)
    for changed in (
        replace(good, store="other.db"),
        replace(good, adopted=4),
        replace(good, tokens=()),
        replace(good, tokens=(other,)),
        replace(good, spaces={}),
        replace(good, spaces={**good.spaces, "default/staging": Stored("default/staging")}),
    ):
        assert not renew(path, changed)
    commit(store, Rename("segment", "nordics", "North"))
    assert not renew(path, seen(store))
    there = path.read_bytes()
    for torn in (there[:-1], there + b"[]\n", there.replace(b"nordics", b"nordicz"), b""):
        path.write_bytes(torn)
        assert not renew(path, good), torn[-40:]


def test_only_its_owner_can_read_the_file(store: Store, path: Path) -> None:
    save(path, seen(store))
    save(path, seen(store))
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


def test_a_file_that_cannot_be_saved_leaves_the_one_there_was(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(path, seen(store))
    there = path.read_bytes()
    commit(store, Create(NORDICS))
    for number, kind in ((EIO, StoreError), (ENOSPC, StoreFull)):

        def fail(_: int, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            with pytest.raises(StoreError, match=os.strerror(number)) as caught:
                save(path, seen(store))
        assert type(caught.value) is kind
        assert path.read_bytes() == there
        assert [file.name for file in path.parent.iterdir()] == [path.name]
    save(path, seen(store))
    assert load(path) == seen(store)


SAVER = """
import sys
from pathlib import Path
from allotment.change.commands import Rename
from allotment.store import LastGood, Store
from allotment.store.lastgood import save
from store.examples import commit

with Store.open(sys.argv[1]) as store:
    for number in range(100_000):
        commit(store, Rename("segment", "nordics", "N" * (1 + number % 900)))
        save(Path(sys.argv[2]), LastGood("s", {store.space: store.read()}, ()))
        if number == 3:
            print("saving", flush=True)
"""


def test_a_process_killed_while_it_saves_leaves_a_whole_file(
    store: Store, path: Path, tmp_path: Path
) -> None:
    commit(store, Create(NORDICS))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for _ in range(3):
        saver = subprocess.Popen(
            [sys.executable, "-c", SAVER, str(tmp_path / "allotment.db"), str(path)],
            env=environment,
            stdout=subprocess.PIPE,
        )
        with saver:
            assert saver.stdout is not None
            assert saver.stdout.readline() == b"saving\n"
            saver.kill()
        (loaded,) = load(path).spaces.values()
        latest = store.read().catalog.revision
        assert latest - 1 <= loaded.catalog.revision <= latest
        assert loaded == store.read(loaded.catalog.revision)
