"""A list of plain ids is read where it lies, and answered as any other list of the same units."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allotment.errors import AllotmentError
from allotment.kernel.json_ids import Texts
from allotment.server.assign.batch import columns, json_reader
from allotment.server.assign.batch.options import BatchOptions
from allotment.server.assign.batch.pipeline import answers, read_ids
from allotment.server.sync.spaces import Served, serve_stored
from allotment.store import Stored
from nouns import catalog, experiment, iteration

FORMS = {
    "json": b"application/json",
    "ndjson": b"application/x-ndjson",
    "arrow": b"application/vnd.apache.arrow.stream",
}

blanks = st.text(st.sampled_from(" \n\r\t"), max_size=3)
letters = st.text(st.characters(codec="utf-8", exclude_characters='"\\'), max_size=40)
plain = (letters | st.text(st.sampled_from("abc"), min_size=10, max_size=80)).map(
    lambda text: json.dumps(text, ensure_ascii=False) if text.isprintable() else '"unit"'
)
odd = st.sampled_from(
    [
        "1",
        "null",
        "true",
        '"\\u00e4"',
        '"\\""',
        '"\\ud83d\\ude00"',
        '{"user":"a"}',
        "[]",
        '""',
        '"\\ud800"',
        "1e999",
        "01",
        "x",
        '"a',
        '"',
        "",
        "[",
        "}",
        '"\n"',
        '"\x7f"',
    ]
)
units = st.lists(plain, max_size=12) | st.lists(st.one_of(plain, plain, odd), max_size=6)
names = st.sampled_from(
    ['"units"', '"experiments"', '"attributes"', '"other"', '"\\u0075nits"', '"unit"', "units"]
)
values = st.sampled_from(
    [
        "null",
        "[]",
        "{}",
        '["e"]',
        '["e","gone","e"]',
        "[{}]",
        '{"a":["]"]}',
        '"]"',
        '"\\"',
        "7",
        "[",
    ]
)
wrong = st.sampled_from(b'"\\,[]{}:\x00\x1f\x80\xff ')


@pytest.fixture(scope="module")
def served() -> Served:
    nouns = [experiment(key, iteration()) for key in ("e", "f")]
    return serve_stored(Stored("default/production", catalog(*nouns)))


def outcome(served: Served, document: bytes, form: str, *, at_once: bool = False) -> object:
    """The answer to a document, or how it is refused; `at_once` as where it is read on the loop."""
    headers = [(b"content-type", FORMS["json"]), (b"accept", FORMS[form])]
    options = BatchOptions.of({"headers": headers, "query_string": b""})
    body = io.BytesIO(document)
    ids = read_ids(options, body) if at_once else None
    try:
        found = list(answers(served, options, body, lambda _: {}, ids))
    except AllotmentError as error:
        return type(error), error.message, error.path
    assert [is_last for _, is_last in found] == [False] * (len(found) - 1) + [True]
    answer = b"".join(piece for piece, _ in found)
    if form == "arrow":  # its record batches are the parts that the answer was made in
        table = pa.ipc.open_stream(answer).read_all()
        return table.schema.metadata, table.to_pydict()
    return answer


def same(served: Served, document: bytes, form: str) -> object:
    """What all ways say of a document, which is one thing."""
    quick = outcome(served, document, form)
    assert outcome(served, document, form, at_once=True) == quick
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "json_ids", lambda *_: None)
        assert outcome(served, document, form) == quick
    return quick


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Text that is nearly a request for a batch, and mostly is one."""

    def listed(items: list[str]) -> str:
        inner = ",".join(draw(blanks) + item + draw(blanks) for item in items)
        return f"[{inner}{draw(blanks)}]"

    members = [f'"units"{draw(blanks)}:{draw(blanks)}{listed(draw(units))}']
    if draw(st.booleans()):
        members.append('"experiments":["e"]')
    for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
        members.insert(draw(st.integers(0, len(members))), f"{draw(names)}:{draw(values)}")
    inner = ",".join(draw(blanks) + member + draw(blanks) for member in members)
    text = f"{draw(blanks)}{{{inner}}}{draw(blanks)}"
    body = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.sampled_from((0, 0, 0, 1)))):
        body[draw(st.integers(0, len(body) - 1))] = draw(
            st.sampled_from(b'"\\,[]{}:\x00\x1f\x80\xff ')
        )
    return bytes(body)


@pytest.mark.parametrize("whole", [1 << 20, 40])
@given(documents(), st.sampled_from(sorted(FORMS)))
@example(b'{"units":["a"],"units":["b"]}', "json")
@example(b'{"units":["a"],"\\u0075nits":["b"]}', "json")
@example(b'{"other":[{"units":["a"]}],"units":["b"]}', "json")
@example(b'{"units":["\xed\xa0\x80"]}', "json")
@example(b'{"units":["a",]}', "json")
@example(b'{"units":["a"]]}', "json")
@example(b'{"units":["a"]} x', "json")
@example(b'{"units":[]}', "arrow")
def test_a_document_is_answered_as_it_is_in_the_general_way(
    served: Served, whole: int, document: bytes, form: str
) -> None:
    """Also where it counts as large, and so is read some rows at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "_WHOLE_BYTES", whole)
        patch.setattr(json_reader, "_ROWS", 3 if whole == 40 else json_reader._ROWS)
        patch.setattr(columns, "CELLS", 4 if whole == 40 else columns.CELLS)
        same(served, document, form)


@given(st.lists(plain, max_size=30), st.sampled_from((None, [], ["e"], ["gone", "f"])))
def test_an_answer_is_what_an_encoder_makes_of_it(
    served: Served, texts: list[str], experiments: list[str] | None
) -> None:
    asked = {} if experiments is None else {"experiments": experiments}
    members = f'"units":[{", ".join(texts)}],' + json.dumps(asked)[1:]
    document = ("{" + members).replace(",}", "}").encode()
    found = same(served, document, "json")
    assert isinstance(found, bytes), found
    keys = ["e", "f"] if experiments is None else experiments
    given_ = [(text, answered(served, keys, text)) for text in map(json.loads, texts)]
    rows = [{"unit": text, "assignments": each} for text, each in given_]
    assert found.endswith(b',"units":' + msgspec.json.encode(rows) + b"}")
    assert same(served, document, "ndjson") == msgspec.json.Encoder().encode_lines(rows)


def answered(served: Served, keys: list[str], unit: str) -> Mapping[str, Any]:
    given_ = {key: served.engine.assign(key, unit) for key in keys}
    return {key: {"treatment": e.treatment, "reason": e.reason} for key, e in given_.items()}


def blocks_of(document: bytes) -> Iterator[Any]:
    return iter(json_reader.read_document(io.BytesIO(document))[1])


def test_a_list_of_plain_ids_is_read_without_an_object_for_each() -> None:
    texts = [f"unit-{number}" for number in range(100_000)]
    for indent in (None, 1):
        body = json.dumps({"experiments": ["e"], "units": texts}, indent=indent).encode()
        blocks = list(blocks_of(body))
        assert all(isinstance(block.keys, Texts) for block in blocks)
        assert [text for block in blocks for text in texts_of(block.keys)] == texts


def texts_of(texts: Texts) -> list[str]:
    """Each text of a column, read by its view."""
    found = []
    for row in range(texts.start, texts.start + texts.rows):
        view = texts.views[16 * row : 16 * row + 16]
        size = int.from_bytes(view[:4], "little")
        place = int.from_bytes(view[12:], "little")
        at = view[4 : 4 + size] if size <= 12 else texts.text[place : place + size]
        found.append(at.decode())
    return found


def test_a_part_of_texts_is_of_the_same_rows() -> None:
    (block,) = blocks_of(b'{"units":["a","bb","a text that is longer than twelve","","d"]}')
    assert texts_of(block.keys) == ["a", "bb", "a text that is longer than twelve", "", "d"]
    assert texts_of(block.part(1, 4).part(1, 3).keys) == ["a text that is longer than twelve", ""]
    assert len(block.keys[5:]) == 0
    with pytest.raises(IndexError):
        block.keys[::2]
