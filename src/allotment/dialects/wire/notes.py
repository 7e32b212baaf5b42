"""What a vendor's API has and the model lacks: it is kept with the noun, and steers nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from allotment.change.commands import Keep, Noun
from allotment.dialects.wire.source import Tree
from allotment.model.catalog import Catalog

T = TypeVar("T")
U = TypeVar("U")
M = TypeVar("M", bound=BaseModel)

# What something may be kept with.
Keeping: TypeAlias = Noun | Catalog


@dataclass(frozen=True, slots=True)
class Notes:
    """What one dialect keeps with nouns; its name is the first step of every path."""

    dialect: str

    def kept(self, noun: Keeping, path: str) -> Tree:
        """What is kept with the noun at `path`; None where nothing is."""
        wanted = self._at(path)
        for where, text in noun.kept:
            if where == wanted:
                tree: Tree = json.loads(text)
                return tree
        return None

    def below(self, noun: Keeping, path: str) -> dict[str, Tree]:
        """All that is kept with the noun below `path`, by the rest of each path."""
        start = self._at(f"{path}/")
        return {
            where.removeprefix(start): json.loads(text)
            for where, text in noun.kept
            if where.startswith(start)
        }

    def read_fields(self, noun: Keeping, model: type[M]) -> M:
        """What is kept with the noun of a model's fields, each at its own name.

        A field is left out where what is kept does not have its form: another API may keep
        anything.
        """
        paths = {self._at(name): name for name in model.model_fields}
        tree = {paths[at]: json.loads(text) for at, text in noun.kept if at in paths}
        return without_wrong(model, tree)

    def keep(self, kind: str, key: str, path: str, value: Tree) -> Keep:
        """The command that keeps `value` with a noun, or with None nothing any more."""
        return Keep(kind, key, self._at(path), None if value is None else json_text(value))

    def on_new(self, values: Mapping[str, Tree]) -> tuple[tuple[str, str], ...]:
        """What a new noun keeps: each value that is not None, by path."""
        given = {path: value for path, value in values.items() if value is not None}
        return tuple(sorted((self._at(path), json_text(value)) for path, value in given.items()))

    def _at(self, path: str) -> str:
        return f"{self.dialect}/{path}"


def without_wrong(model: type[M], tree: Mapping[str, Tree]) -> M:
    """The model of the fields of a kept object, without those that do not have the field's form."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        wrong = {each["loc"][0] for each in error.errors(include_url=False)}
        return model.model_validate({n: one for n, one in tree.items() if n not in wrong})


def json_text(value: Tree) -> str:
    """The shortest JSON text of a value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def shown_as(form: TypeAdapter[T], value: Tree, usual: U) -> T | U:
    """What is kept, where it has this form; else what is usual: another API may keep anything."""
    try:
        return usual if value is None else form.validate_python(value)
    except ValidationError:
        return usual
