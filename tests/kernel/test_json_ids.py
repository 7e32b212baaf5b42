"""A list of plain texts in a document is a column of units like any other."""

import json

import pytest

from allotment.kernel.json_ids import JsonIds, Texts, json_ids
from allotment.kernel.units import texts_of, unit_keys

UNITS = ["a", "", "twelve bytes", "thirteen byte", "u" * 1025, "åäö och mer därtill", "b"]
DOCUMENT = json.dumps({"units": UNITS, "more": 1}, ensure_ascii=False).encode()


def found(document: bytes, rows: int = 1_000, size: int = 1_000_000) -> JsonIds:
    ids = json_ids(document, b"units", rows, size)
    assert ids is not None
    return ids


def texts(column: Texts) -> list[str | None]:
    return texts_of(column, "texts", "$")


@pytest.mark.parametrize(("rows", "size"), [(1_000, 10_000), (3, 10_000), (1, 1), (1_000, 1)])
def test_the_blocks_have_the_texts_in_their_order(rows: int, size: int) -> None:
    blocks = list(found(DOCUMENT, rows, size).blocks())
    assert all(1 <= block.rows <= rows for block in blocks)
    assert [text for block in blocks for text in texts(block)] == UNITS
    assert size > 1 or len(blocks) == len(UNITS)


def test_a_list_without_texts_is_one_empty_block() -> None:
    (block,) = found(b'{"units":[]}').blocks()
    assert (block.rows, texts(block)) == (0, [])


def test_the_rest_is_the_document_without_the_texts() -> None:
    assert found(DOCUMENT).rest == b'{"units": [], "more": 1}'
    assert found(DOCUMENT).beside == len(b'{"units": , "more": 1}')


def test_what_is_no_list_of_plain_texts_is_none() -> None:
    for document in (
        b"",
        b"{}",
        b"[]",
        b'{"units":[1]}',
        b'{"units":["\\u0061"]}',
        b'{"units":["a"',
    ):
        assert json_ids(document, b"units", 10, 10) is None


def test_a_part_has_its_rows() -> None:
    (block,) = found(DOCUMENT).blocks()
    for part, wanted in (
        (block[2:5], UNITS[2:5]),
        (block[1:][1:3], UNITS[2:4]),
        (block[:-1], UNITS[:-1]),
        (block[9:], []),
        (block[4:2], []),
    ):
        assert (len(part), texts(part)) == (len(wanted), wanted)
    with pytest.raises(IndexError):
        block[::-1]
    with pytest.raises(AttributeError):
        block[1]  # type: ignore[index]


def test_keys_are_those_of_a_list() -> None:
    (block,) = found(DOCUMENT).blocks()
    assert unit_keys(block[1:], "user") == unit_keys(UNITS[1:], "user")


def test_a_part_keeps_the_document() -> None:
    (block,) = found(bytes(bytearray(DOCUMENT))).blocks()
    part = block[3:4]
    del block
    assert texts(part) == UNITS[3:4]
