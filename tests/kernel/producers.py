"""Arrow data as a producer hands it over, built field by field, so that any of it can be wrong.

Buffers come from the C library's malloc at the size they need and no more, so that under a
sanitizer a read behind one is seen. What no reader can see is not told wrong: how large a buffer
is, is nowhere said.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from random import Random
from typing import Any, Final

_LIBC: Final = ctypes.CDLL(None)
_LIBC.malloc.restype = ctypes.c_void_p
_LIBC.malloc.argtypes = [ctypes.c_size_t]
_LIBC.free.argtypes = [ctypes.c_void_p]
_capsule: Final = ctypes.pythonapi.PyCapsule_New
_capsule.restype = ctypes.py_object
_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

_RELEASE: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_GET: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_WHY: Final = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)


class Schema(ctypes.Structure):
    """struct ArrowSchema."""


class Array(ctypes.Structure):
    """struct ArrowArray."""


class Stream(ctypes.Structure):
    """struct ArrowArrayStream."""


Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(Schema))),
    ("dictionary", ctypes.POINTER(Schema)),
    ("release", _RELEASE),
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
    ("release", _RELEASE),
    ("private_data", ctypes.c_void_p),
]
Stream._fields_ = [
    ("get_schema", _GET),
    ("get_next", _GET),
    ("get_last_error", _WHY),
    ("release", _RELEASE),
    ("private_data", ctypes.c_void_p),
]

INTEGERS: Final = {b"c": 1, b"C": 1, b"s": 2, b"S": 2, b"i": 4, b"I": 4, b"l": 8, b"L": 8}
FLAT: Final = (*INTEGERS, b"n", b"b", b"f", b"g", b"u", b"U", b"z", b"Z", b"vu", b"vz")
_BUFFERS_MAX: Final = 8


class Producer:
    """One column of `rows` rows; everything is freed when it goes.

    released  how often each of its structs was released
    pairs     each (schema, array): of children and dictionaries, and last its own
    """

    def __init__(
        self,
        dice: Random,
        rows: int,
        form: bytes,
        depth: int = 0,
        words: tuple[bytes, ...] | None = None,
    ) -> None:
        self.dice = dice
        self.words = words or FLAT  # the types a dictionary may have
        self.memory: list[int] = []
        self.kept: list[object] = []
        self.released: list[int] = []
        self.pairs: list[tuple[Schema, Array]] = []
        self.schema, self.array = self._made(rows, form, depth)

    def __del__(self) -> None:
        for address in self.memory:
            _LIBC.free(address)

    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]:
        return (
            _capsule(ctypes.addressof(self.schema), b"arrow_schema", None),
            _capsule(ctypes.addressof(self.array), b"arrow_array", None),
        )

    # Wholly in order.

    def _bytes(self, content: bytes) -> int:
        address = _LIBC.malloc(max(1, len(content)))
        ctypes.memmove(address, content, len(content))
        self.memory.append(address)
        return int(address)

    def _count(self, struct: Any, place: int, kind: type[Any]) -> None:
        def release(address: int) -> None:
            self.released[place] += 1
            ctypes.cast(address, ctypes.POINTER(kind)).contents.release = _RELEASE()

        callback = _RELEASE(release)
        struct.release = callback
        self.kept.append(callback)

    def _made(self, rows: int, form: bytes, depth: int) -> tuple[Schema, Array]:
        dice = self.dice
        schema, array = Schema(format=form, name=b"x"), Array(length=rows, null_count=-1)
        self.kept += [schema, array]
        for struct, kind in ((schema, Schema), (array, Array)):
            self.released.append(0)
            self._count(struct, len(self.released) - 1, kind)
        array.offset = dice.choice([0, 0, 1, 7, 8])
        size = rows + array.offset
        buffers = self._contents(form, size)
        if buffers and dice.random() < 0.4:
            buffers[0] = None
        places = (ctypes.c_void_p * _BUFFERS_MAX)()
        for i, content in enumerate(buffers):
            places[i] = None if content is None else self._bytes(content)
        self.kept.append(places)
        array.buffers = ctypes.cast(places, ctypes.POINTER(ctypes.c_void_p))
        array.n_buffers = len(buffers)
        if form[:1] == b"+":
            children = [self._made(size if form == b"+s" else 24, dice.choice(FLAT), 0)]
            if depth and form == b"+s":
                children.append(self._made(size, b"+s", depth - 1))
                children[-1][0].name = b"y"
            self._adopt(schema, array, children)
        elif form in INTEGERS and dice.random() < 0.4:
            words = self._made(dice.randrange(9), dice.choice(self.words), 0)
            schema.dictionary = ctypes.pointer(words[0])  # type: ignore[assignment]
            array.dictionary = ctypes.pointer(words[1])  # type: ignore[assignment]
        self.pairs.append((schema, array))
        return schema, array

    def _adopt(self, schema: Schema, array: Array, made: list[tuple[Schema, Array]]) -> None:
        schemas = (ctypes.POINTER(Schema) * len(made))(*[ctypes.pointer(one) for one, _ in made])
        arrays = (ctypes.POINTER(Array) * len(made))(*[ctypes.pointer(one) for _, one in made])
        self.kept += [schemas, arrays]
        schema.n_children = array.n_children = len(made)
        schema.children = ctypes.cast(schemas, ctypes.POINTER(ctypes.POINTER(Schema)))
        array.children = ctypes.cast(arrays, ctypes.POINTER(ctypes.POINTER(Array)))

    def _contents(self, form: bytes, size: int) -> list[bytes | None]:
        """The buffers of `size` rows; what they hold is mostly, but not always, in order."""
        dice = self.dice
        bits = dice.randbytes((size + 7) // 8)
        if form == b"n":
            return []
        if form == b"+s":
            return [bits]
        if form == b"b":
            return [bits, dice.randbytes((size + 7) // 8)]
        if form in INTEGERS:
            width = INTEGERS[form]
            small = [dice.choice([0, 1, 2, 5]) for _ in range(size)]
            return [bits, b"".join(n.to_bytes(width, "little") for n in small)]
        if form in (b"f", b"g"):
            return [bits, dice.randbytes(size * (4 if form == b"f" else 8))]
        if form in (b"vu", b"vz"):
            blocks: list[bytes | None] = [b"SE" * 8, "é".encode() * 16]
            sizes = b"".join(n.to_bytes(8, "little") for n in (16, 32))
            return [bits, b"".join(self._view() for _ in range(size)), *blocks, sizes]
        wide = form in (b"U", b"Z", b"+L")
        ends = sorted(dice.randrange(25) for _ in range(size + 1))
        if dice.random() < 0.2:
            ends[dice.randrange(len(ends))] = dice.choice([-1, -(2**31), 0])
        offsets = b"".join(n.to_bytes(8 if wide else 4, "little", signed=True) for n in ends)
        text = dice.choice([b"SE" * 12, "é".encode() * 12, dice.randbytes(24)])
        return [bits, offsets] if form[:1] == b"+" else [bits, offsets, text]

    def _view(self) -> bytes:
        dice = self.dice
        size = dice.choice([0, 2, 12, 13, 16, 32, -1, 2**31 - 1])
        if 0 <= size <= 12:
            return size.to_bytes(4, "little") + b"SE" * 6
        rest = (0, dice.choice([0, 1, 2, -1]), dice.choice([0, 4, -1, 2**31 - 1]))
        return b"".join(n.to_bytes(4, "little", signed=True) for n in (size, *rest))


def _released(struct: Any) -> None:
    struct.release = _RELEASE()


_HUGE: Final = (-1, -(2**63), 2**48 + 1, 2**62, 2**63 - 1)

# What may be wrong with one schema and array, each so that a reader can see it.
WRONGS: Final[tuple[Callable[[Random, Schema, Array], None], ...]] = (
    lambda dice, _, array: setattr(array, "length", dice.choice(_HUGE)),
    lambda _, __, array: setattr(array, "length", array.length - 1),
    lambda dice, _, array: setattr(array, "offset", dice.choice(_HUGE)),
    lambda dice, _, array: setattr(array, "null_count", dice.choice([-2, 2**62, -(2**63)])),
    lambda dice, _, array: setattr(array, "n_buffers", dice.choice([-1, 0, 6, -(2**63)])),
    lambda dice, _, array: setattr(array, "n_children", dice.choice([-1, 1, 3, 2**62])),
    lambda dice, schema, _: setattr(schema, "n_children", dice.choice([-1, 3, 2**62])),
    lambda _, __, array: setattr(array, "buffers", None),
    lambda dice, _, array: array.buffers.__setitem__(dice.randrange(6), None),
    lambda _, __, array: setattr(array, "null_count", 1) or array.buffers.__setitem__(0, None),
    lambda _, __, array: setattr(array, "children", None),
    lambda _, schema, __: setattr(schema, "children", None),
    lambda _, schema, __: setattr(schema, "dictionary", None),
    lambda _, __, array: setattr(array, "dictionary", None),
    lambda _, schema, __: setattr(schema, "name", None),
    lambda dice, schema, _: setattr(
        schema, "format", dice.choice([None, b"", b"+", b"w:3", b"\xff", b"u" * 9999])
    ),
    lambda _, schema, __: _released(schema),
    lambda _, __, array: _released(array),
)


class Streaming:
    """A producer of chunks, with the schema of the first."""

    def __init__(self, chunks: list[Producer], fails: int = -1) -> None:
        self.chunks = chunks
        self.fails = (
            fails  # before which chunk it does; -1 before the schema, over their number not
        )
        self.next = 0
        self.why = ctypes.create_string_buffer(b"no \xff more")
        self.stream = Stream(
            get_schema=_GET(self._schema),
            get_next=_GET(self._next),
            get_last_error=_WHY(lambda _: ctypes.addressof(self.why)),
            release=_RELEASE(lambda _: None),
        )

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return _capsule(ctypes.addressof(self.stream), b"arrow_array_stream", None)

    def _schema(self, _: int, out: int) -> int:
        if self.fails < 0 or not self.chunks:
            return 5
        self._move(self.chunks[0].schema, out)
        return 0

    def _next(self, _: int, out: int) -> int:
        if self.next == self.fails:
            return 5
        if self.next < len(self.chunks):
            self._move(self.chunks[self.next].array, out)
        else:
            ctypes.memset(out, 0, ctypes.sizeof(Array))
        self.next += 1
        return 0

    @staticmethod
    def _move(struct: Any, out: int) -> None:
        ctypes.memmove(out, ctypes.addressof(struct), ctypes.sizeof(struct))
        struct.release = _RELEASE()
