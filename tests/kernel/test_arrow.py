"""Arrow arrays that lie: built by hand, each is refused and none is read out of bounds."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from allotment.errors import InvalidInput
from kernel.batching import SWEDES, batched, plan_of, segment_where


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


SchemaRelease = ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))
ArrayRelease = ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))
StreamRelease = ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))
GetSchema = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))
GetNext = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))
GetError = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.POINTER(Stream))

Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", SchemaRelease),
    ("private_data", ctypes.c_void_p),
]
Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(Array))),
    ("dictionary", ctypes.POINTER(Array)),
    ("release", ArrayRelease),
    ("private_data", ctypes.c_void_p),
]
Stream._fields_ = [
    ("get_schema", GetSchema),
    ("get_next", GetNext),
    ("get_last_error", GetError),
    ("release", StreamRelease),
    ("private_data", ctypes.c_void_p),
]

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


@SchemaRelease
def release_schema(schema: ctypes._Pointer[Schema]) -> None:
    schema.contents.release = SchemaRelease()


@ArrayRelease
def release_array(array: ctypes._Pointer[Array]) -> None:
    array.contents.release = ArrayRelease()


class Made:
    """An Arrow array of the buffers it is given, whatever they say, and whatever is changed."""

    def __init__(self, form: str, buffers: list[np.ndarray | None], rows: int) -> None:
        self.buffers = buffers
        self.pointers = (ctypes.c_void_p * (len(buffers) or 1))(
            *[None if buffer is None else buffer.ctypes.data for buffer in buffers]
        )
        self.schema = Schema(format=form.encode(), name=b"", release=release_schema)
        self.array = Array(
            length=rows, n_buffers=len(buffers), buffers=self.pointers, release=release_array
        )
        self.kept: list[object] = []

    def with_children(self, *children: Made, schemas: int = -1) -> Made:
        self.kept += children
        arrays = [ctypes.pointer(child.array) for child in children]
        types = [ctypes.pointer(child.schema) for child in children]
        self.array.children = (ctypes.POINTER(Array) * (len(arrays) or 1))(*arrays)
        self.schema.children = (ctypes.POINTER(Schema) * (len(types) or 1))(*types)
        self.array.n_children = len(children)
        self.schema.n_children = len(children) if schemas < 0 else schemas
        return self

    def with_dictionary(self, words: Made) -> Made:
        self.kept.append(words)
        self.array.dictionary = ctypes.pointer(words.array)
        self.schema.dictionary = ctypes.pointer(words.schema)
        return self

    def changed(self, **fields: object) -> Made:
        for name, value in fields.items():
            setattr(self.array, name, value)
        return self

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return (
            new_capsule(ctypes.addressof(self.schema), b"arrow_schema", None),
            new_capsule(ctypes.addressof(self.array), b"arrow_array", None),
        )


def ints(*numbers: int, kind: str = "i4") -> np.ndarray:
    return np.array(numbers, dtype=kind)


def utf8(offsets: np.ndarray, text: bytes = b"abcdef", form: str = "u") -> Made:
    return Made(form, [None, offsets, np.frombuffer(text, "u1")], len(offsets) - 1)


def view(size: int, block: int, start: int, blocks: int = 1) -> Made:
    views = np.frombuffer(np.array([size, 0, block, start], "i4").tobytes(), "u1")
    text = [np.frombuffer(b"0123456789abcdef", "u1")] * blocks
    return Made("vu", [None, views, *text, np.array([16] * blocks, "i8")], 1)


def struct(*children: Made, rows: int = 2, schemas: int = -1) -> Made:
    return Made("+s", [None], rows).with_children(*children, schemas=schemas)


def words(*positions: int, of: Made | None = None, kind: str = "i1", form: str = "c") -> Made:
    dictionary = of or utf8(ints(0, 1, 2))
    return Made(form, [None, ints(*positions, kind=kind)], len(positions)).with_dictionary(
        dictionary
    )


GOOD: dict[str, Callable[[], Made]] = {
    "utf8": lambda: utf8(ints(0, 1, 3)),
    "utf8 of no bytes": lambda: Made("u", [None, ints(0, 0, 0), None], 2),
    "large": lambda: utf8(ints(0, 1, 3, kind="i8"), form="U"),
    "offset": lambda: utf8(ints(9, 0, 1, 3)).changed(length=2, offset=1),
    "view inline": lambda: view(12, 0, 0, 0),
    "view in a block": lambda: view(13, 0, 3),
    "nothing at all": lambda: Made("u", [None, None, None], 0),
    "dictionary": lambda: words(0, 1),
    "struct": lambda: struct(utf8(ints(0, 1, 3))),
    "unknown count of nulls": lambda: utf8(ints(0, 1, 3)).changed(null_count=-1),
    "null": lambda: Made("n", [], 2).changed(null_count=2),
}

BAD: dict[str, Callable[[], Made]] = {
    "negative offset": lambda: utf8(ints(-1, 1, 2)),
    "decreasing offsets": lambda: utf8(ints(0, 3, 1)),
    "least offset": lambda: utf8(ints(0, -(2**31), 1)),
    "negative large offset": lambda: utf8(ints(-(2**62), 1, 2, kind="i8"), form="U"),
    "decreasing large offsets": lambda: utf8(ints(5, 1, 2, kind="i8"), form="U"),
    "negative length": lambda: utf8(ints(0, 1, 2)).changed(length=-1),
    "enormous length": lambda: utf8(ints(0, 1, 2)).changed(length=2**62),
    "negative row offset": lambda: utf8(ints(0, 1, 2)).changed(offset=-1),
    "enormous row offset": lambda: utf8(ints(0, 1, 2)).changed(offset=2**63 - 1),
    "more nulls than rows": lambda: utf8(ints(0, 1, 2)).changed(null_count=3),
    "nulls without a bitmap": lambda: utf8(ints(0, 1, 2)).changed(null_count=1),
    "impossible count of nulls": lambda: utf8(ints(0, 1, 2)).changed(null_count=-2),
    "no buffers": lambda: utf8(ints(0, 1, 2)).changed(buffers=None),
    "too few buffers": lambda: Made("u", [None, ints(0, 1, 2)], 2),
    "too many buffers": lambda: Made("l", [None, ints(1, 2, kind="i8"), ints(1)], 2),
    "no offsets": lambda: Made("u", [None, None, ints(1)], 2),
    "no text": lambda: Made("u", [None, ints(0, 1, 2), None], 2),
    "no numbers": lambda: Made("l", [None, None], 2),
    "released": lambda: utf8(ints(0, 1, 2)).changed(release=ArrayRelease()),
    "view of negative size": lambda: view(-1, 0, 0),
    "view outside its block": lambda: view(13, 0, 4),
    "view before its block": lambda: view(13, 0, -1),
    "view in a block that is not there": lambda: view(13, 1, 0),
    "view in a negative block": lambda: view(13, -1, 0),
    "view without sizes": lambda: Made("vu", [None, ints(0, 0, 0, 0), ints(1), None], 1),
    "view without blocks": lambda: Made(
        "vu", [None, ints(13, 0, 0, 0), None, ints(99, kind="i8")], 1
    ),
    "view of two buffers": lambda: Made("vu", [None, ints(0, 0, 0, 0)], 1),
    "word past the end": lambda: words(0, 2),
    "negative word": lambda: words(-1),
    "words under text": lambda: utf8(ints(0, 1, 2)).with_dictionary(utf8(ints(0, 1, 2))),
    "words under words": lambda: words(0, of=words(0)),
    "words without data": lambda: words(0).changed(dictionary=None),
    "words of lists": lambda: words(
        0, of=Made("+l", [None, ints(0, 1)], 1).with_children(utf8(ints(0, 1)))
    ),
    "child for text": lambda: utf8(ints(0, 1, 2)).with_children(utf8(ints(0, 1, 2))),
    "fewer children than the schema": lambda: struct(utf8(ints(0, 1, 3)), schemas=2),
    "negative count of children": lambda: struct(utf8(ints(0, 1, 3))).changed(n_children=-1),
    "no children": lambda: struct(utf8(ints(0, 1, 3))).changed(children=None),
    "child with fewer rows": lambda: struct(utf8(ints(0, 1, 3)), rows=3),
    "child too short for the offset": lambda: struct(utf8(ints(0, 1, 3))).changed(offset=1),
    "child that is released": lambda: struct(
        utf8(ints(0, 1, 3)).changed(release=ArrayRelease())
    ),
    "unknown type": lambda: Made("tDs", [None, ints(1, 2)], 2),
    "no type": lambda: Made("", [None, ints(1, 2)], 2),
    "fixed binary": lambda: Made("w:16", [None, np.zeros(32, "u1")], 2),
}  # fmt: skip


@pytest.mark.parametrize("made", GOOD)
def test_an_array_made_by_hand_is_read(made: str) -> None:
    array = GOOD[made]()
    rows = array.array.length
    assert len(batched(plan_of(), array)) == rows


@pytest.mark.parametrize("made", BAD)
def test_a_malformed_array_of_units_is_refused(made: str) -> None:
    with pytest.raises(InvalidInput):
        batched(plan_of(), BAD[made]())


@pytest.mark.parametrize("made", BAD)
def test_a_malformed_array_of_attributes_is_refused(made: str) -> None:
    array = BAD[made]()
    plan = plan_of(segments=(SWEDES,), audience=0)
    rows = max(array.array.length, 0) if array.array.length < 2**40 else 0
    wrapped = {"country": array} if array.schema.format != b"+s" else array
    if array.schema.format == b"+s":
        for child in array.kept:
            child.schema.name = b"country"
    with pytest.raises(InvalidInput):
        batched(plan, [f"user-{i}" for i in range(rows)], wrapped)


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("schemas", [-(2**62), 0, 2, 2**62])
def test_a_struct_whose_type_has_another_count_of_children_is_refused(
    depth: int, schemas: int
) -> None:
    """No child has the name that is looked for, so that a search believes the count to its end."""
    plan = plan_of(segments=(segment_where(("x", "country"), lambda _: True),), audience=0)
    made = struct(utf8(ints(0, 1, 3)))
    made.schema.n_children = schemas
    if depth:
        made.schema.name = b"x"
        made = struct(made)
    with pytest.raises(InvalidInput, match="another number of children than its type"):
        batched(plan, ["user-1", "user-2"], made if depth else {"x": made})


@pytest.mark.parametrize(
    "lists",
    [
        lambda child: Made("+l", [None, ints(0, 2, 1)], 2).with_children(child),
        lambda child: Made("+l", [None, ints(-1, 1, 2)], 2).with_children(child),
        lambda child: Made("+l", [None, ints(0, 1, 3)], 2).with_children(child),
        lambda child: Made("+L", [None, ints(0, 1, 2**40, kind="i8")], 2).with_children(child),
        lambda child: Made("+l", [None, ints(0, 1, 2)], 2),
        lambda child: Made("+l", [None, ints(0, 1, 2)], 2).with_children(child, child),
    ],
    ids=["backwards", "negative", "past the end", "far past the end", "no child", "two children"],
)
def test_a_malformed_list_is_refused(lists: Callable[[Made], Made]) -> None:
    plan = plan_of(segments=(SWEDES,), audience=0)
    with pytest.raises(InvalidInput):
        batched(plan, ["a", "b"], {"country": lists(utf8(ints(0, 1, 2)))})


class Streamed:
    """A stream that fails where it is told to; its callbacks live as long as it does."""

    def __init__(self, fails_at: int, message: bytes | None) -> None:
        self.message = None if message is None else ctypes.create_string_buffer(message)
        self.fails_at = fails_at
        self.served = 0
        self.released = 0
        self.array = utf8(ints(0, 1, 2))
        self.stream = Stream(
            get_schema=GetSchema(self.give_schema),
            get_next=GetNext(self.give_next),
            get_last_error=GetError(lambda stream: self.message and ctypes.addressof(self.message)),
            release=StreamRelease(self.end),
        )

    def give_schema(self, stream: object, schema: ctypes._Pointer[Schema]) -> int:
        if self.fails_at == 0:
            return 5
        schema[0] = self.array.schema
        return 0

    def give_next(self, stream: object, array: ctypes._Pointer[Array]) -> int:
        self.served += 1
        if self.served == self.fails_at:
            return 5
        array[0] = self.array.array if self.served <= 3 else Array()
        return 0

    def end(self, stream: ctypes._Pointer[Stream]) -> None:
        self.released += 1
        stream.contents.release = StreamRelease()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return new_capsule(ctypes.addressof(self.stream), b"arrow_array_stream", None)


def test_a_stream_made_by_hand_is_read_to_its_end() -> None:
    assert len(batched(plan_of(), Streamed(-1, None))) == 6


@pytest.mark.parametrize("fails_at", [0, 1, 3])
@pytest.mark.parametrize(
    ("message", "told"), [(b"disk on fire", "disk on fire"), (None, "error 5")]
)
def test_a_stream_that_fails_is_refused_with_its_own_words(
    fails_at: int, message: bytes | None, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        batched(plan_of(), Streamed(fails_at, message))


def test_data_is_taken_over_and_cannot_be_read_twice() -> None:
    made = utf8(ints(0, 1, 2))
    assert len(batched(plan_of(), made)) == 2
    with pytest.raises(InvalidInput, match="released"):
        batched(plan_of(), made)


@pytest.mark.parametrize("capsules", [(1, 2), (None, None), (new_capsule(1, b"other", None),) * 2])
def test_what_is_no_capsule_is_refused(capsules: tuple[object, object]) -> None:
    class Wrong:
        def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
            return capsules

    with pytest.raises(InvalidInput, match="capsule"):
        batched(plan_of(), Wrong())


def test_memory_of_a_producer_is_released_when_the_call_is_over() -> None:
    before = pa.total_allocated_bytes()
    batched(plan_of(), pa.array([f"user-{i}" for i in range(100_000)]))
    assert pa.total_allocated_bytes() == before
