"""One operation of a vendor's API, as data: what it takes, what it changes and what it answers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar, get_args, get_type_hints

from allotment.change.commands import Command, Create, SetVariations
from allotment.change.kinds import kind_of
from allotment.dialects.wire.model import Body, Model, Update
from allotment.model.catalog import Catalog

B = TypeVar("B")

_ID: Final = re.compile(r"\{(\w+)\}")
_KEY: Final = re.compile(r"(\w+)(Id|Key)")


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """A request as a reader sees it.

    ids      the parts of its path that name nouns
    body     its body as a model; None where the operation has none
    now      when it came, in milliseconds since 1970, UTC
    fresh    text of so many bytes of entropy as hex digits
    account  the account at the API's own vendor whose SDKs are to deal as we do, "" where all
             accounts deal alike; None where new experiments deal by our own profile
    """

    ids: Mapping[str, str]
    body: B
    now: int
    fresh: Callable[[int], str]
    account: str | None = None


class Noun(NamedTuple):
    """What an operation is about; `part` is the key of a part of it, such as a flag's variation."""

    kind: str
    key: str
    part: str = ""

    @property
    def name(self) -> str:
        """The name under which versions are kept."""
        return f"{self.kind}:{self.key}"


class ReadVersion(Protocol):
    """When a document was made and last changed, in milliseconds since 1970, UTC, and by whom.

    The catalog's `revision` that brought this version in grows from each to the next.
    """

    @property
    def revision(self) -> int: ...  # noqa: D102
    @property
    def created_at(self) -> int: ...  # noqa: D102
    @property
    def updated_at(self) -> int: ...  # noqa: D102
    @property
    def created_by(self) -> str: ...  # noqa: D102
    @property
    def updated_by(self) -> str: ...  # noqa: D102


class ReadState(Protocol):
    """A catalog, and by "kind:key" the version of each noun in it."""

    @property
    def catalog(self) -> Catalog: ...  # noqa: D102
    @property
    def versions(self) -> Mapping[str, ReadVersion]: ...  # noqa: D102


Ids = Mapping[str, str]

# The noun that a path names; raises the vendor's 404.
Find = Callable[[Ids, Catalog], Noun]

# A noun as the API shows it, of a state of the API. A view may also name `query`, the model of the
# query, and `done`, the commands that were done, none for a plain GET.
View = Callable[..., Model]

# The commands of a call. A reader of an operation with a query names its model, `query`.
Read = Callable[..., Sequence[Command]]

# What an operation is about that is about no noun.
NOTHING: Final = Noun("", "")


def created(commands: Sequence[Command]) -> Noun:
    """The noun that the commands create, after those that it needs."""
    *_, noun = (command.noun for command in commands if isinstance(command, Create))
    return Noun(kind_of(noun), noun.key)


def added(commands: Sequence[Command]) -> Noun:
    """The variation that the commands add to a flag."""
    (change,) = (command for command in commands if isinstance(command, SetVariations))
    return Noun("flag", change.flag, change.variations[-1].key)


@dataclass(frozen=True, slots=True)
class Operation:
    """What all operations say. Their models are the annotations of their functions."""

    method: str
    path: str

    @property
    def functions(self) -> tuple[Callable[..., Any], View | None]:
        """The function that says what the operation does, and the one that shows the answer."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.functions[0].__name__

    @property
    def description(self) -> str:
        """What its function says of itself."""
        return inspect.getdoc(self.functions[0]) or ""

    @property
    def answer(self) -> type[Model] | None:
        """The model of the answer; None where it has no body."""
        return _model(self.functions[1], "return")

    @property
    def query(self) -> type[Body] | None:
        """The model of the query; None where there is none."""
        return _model(self.functions[1], "query")

    @property
    def ids(self) -> dict[str, str]:
        """The ids and keys in the path, each with what it is."""
        words = self.path.split("/")
        return {
            name: _said(name, words[at - 1])
            for at, word in enumerate(words)
            for name in _ID.findall(word)
        }


@dataclass(frozen=True, slots=True)
class Listing(Operation):
    """Answers with a list: `show` takes a query and a state."""

    show: Callable[[Any, Any], Model]

    @property
    def functions(self) -> tuple[View, View]:  # noqa: D102
        return self.show, self.show


@dataclass(frozen=True, slots=True)
class Getting(Operation):
    """Answers with one noun; `tagged` says whether the answer has an ETag.

    find    None where the answer is about the whole catalog
    """

    view: View
    find: Find | None
    tagged: bool = True

    @property
    def functions(self) -> tuple[View, View]:  # noqa: D102
        return self.view, self.view


@dataclass(frozen=True, slots=True)
class Changing(Operation):
    """Makes a change and answers with the noun as it is then.

    find    the noun that conditions are about; None for the whole catalog
    view    None where the answer has no body; then the request has none either
    made    the noun that the commands make, where it is another one
    """

    read: Read
    find: Find | None
    view: View | None
    made: Callable[[Sequence[Command]], Noun] | None = None

    @property
    def status(self) -> int:
        """The status of the answer."""
        return 204 if self.view is None else 201 if self.made else 200

    @property
    def functions(self) -> tuple[Read, View | None]:  # noqa: D102
        return self.read, self.view

    @property
    def body(self) -> type[Body] | None:
        """The model of the body."""
        (body,) = get_args(_hints(self.read)["call"])
        return body if isinstance(body, type) and issubclass(body, Body) else None

    @property
    def query(self) -> type[Body] | None:
        """The model of the query: the reader's, that of an update, or the view's."""
        own = self.body.query if self.body is not None and issubclass(self.body, Update) else None
        return _model(self.read, "query") or own or _model(self.view, "query")


def taken(function: Callable[..., Any], **offered: Any) -> dict[str, Any]:
    """What a reader or a view takes of what it may name."""
    return {name: value for name, value in offered.items() if name in _hints(function)}


def _said(name: str, above: str) -> str:
    """What a part of a path is: `experimentKey`, or `id` below `experiments`."""
    found = _KEY.fullmatch(name)
    if found is None:
        return f"The id of the {above.replace('-', ' ').removesuffix('s')}."
    words = re.sub("[A-Z]", lambda one: f" {one[0].lower()}", found[1])
    return f"The {found[2].lower()} of the {words}."


def _model(function: Callable[..., Any] | None, name: str) -> type[Any] | None:
    """What the annotation of this name says; None where there is none."""
    return None if function is None else _hints(function).get(name)


@cache
def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    return get_type_hints(function)
