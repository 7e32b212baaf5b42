"""What is read: a file, all files of a folder or of a pattern, or standard input."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote

from allotment.errors import InvalidInput
from allotment.frames.form import Form, form_at
from allotment.frames.rows import reading

# Hive's word for a key that is null.
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"

# How names begin that writers give to what is no data, such as _SUCCESS.
_NO_DATA: Final = ("_", ".")


class InputFile(NamedTuple):
    """A file, None for standard input, and what the folders that it lies in say of its rows."""

    path: Path | None
    keys: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Files of one form that are read together.

    name     what errors call them
    form     the form of each
    files    in the order in which they are read; their folders have the same keys
    pattern  the folder that was given, or the pattern, whole and without links; None for one file
    """

    name: str
    form: Form
    files: tuple[InputFile, ...]
    pattern: tuple[str, ...] | None = None

    def check_target(self, target: str) -> None:
        """Raise InvalidInput for a result that would stand in the place of one, or among them."""
        if target == "-":
            return
        path = Path(target).resolve()
        for file in self.files:
            if file.path is not None and file.path.resolve() == path:
                raise InvalidInput(f"the result would overwrite {file.path}, which it is read from")
        if self.pattern is not None and any(
            _matches(each.parts, self.pattern) for each in (path, *path.parents)
        ):
            raise InvalidInput(
                f"the result {target} would lie among {self.name}, which it is read from, and be "
                "read with them the next time: write it elsewhere"
            )


def inputs_of(given: str, form: Form | None = None) -> Inputs:
    """The files that a text names, of the form that their names tell where none is given.

    given  a file; a folder, of which all files are read, those of its folders too; a pattern with
           `*`, `?` and `[...]` in names and `**` for any folders; or "-", standard input, which is
           NDJSON where no form is given

    Folders below the given one, or below what stands before the first wildcard, may be named as
    Hive names partitions, `country=SE`: these are keys of their files. Names that begin with "_"
    or "." are passed over. Raises InvalidInput where there is no file, and for files of different
    forms or keys.
    """
    if given == "-":
        if form is Form.PARQUET:
            raise InvalidInput("Parquet cannot be read from standard input: give a file")
        return Inputs("standard input", form or Form.NDJSON, (InputFile(None, {}),))
    path = Path(given)
    with reading(path):
        if path.is_dir():
            base, found, pattern = path, [*_within(path)], _literal(path)
            none = f"there is no file in {given}"
        elif not path.exists() and _is_wild(given):
            base = Path(*takewhile(lambda part: not _is_wild(part), path.parts))
            behind = path.parts[len(base.parts) :]
            found = sorted({*_matching(base, behind)}) if base.is_dir() else []
            pattern = _literal(base) + behind
            none = f"no file matches {given}"
        else:
            one = InputFile(_checked(path), {})
            return Inputs(given, form or form_at(path), (one,))
    if not found:
        raise InvalidInput(none)
    files = tuple(InputFile(each, _keys(each, base)) for each in found)
    _check_alike(files)
    return Inputs(given, form or _form_of(given, found), files, pattern)


def _is_wild(name: str) -> bool:
    return any(each in name for each in "*?[")


def _matching(folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
    """The files in a folder that a pattern names; unlike `glob`, it passes over no unreadable one.

    A file may come twice: a pattern may name a folder and what is in it.
    """
    head, rest = parts[0], parts[1:]
    if head == "**":
        yield from _matching(folder, rest) if rest else _within(folder)
    for each in _named(folder):
        if head == "**":
            yield from _matching(_unlinked(each), parts) if each.is_dir() else ()
        elif not fnmatchcase(each.name, head):
            continue
        elif each.is_dir():
            yield from _matching(each, rest) if rest else _within(each)
        elif not rest:
            yield _checked(each)


def _literal(folder: Path) -> tuple[str, ...]:
    """The parts of a pattern that names this folder."""
    return tuple(map(glob.escape, folder.resolve().parts))


def _within(folder: Path) -> Iterator[Path]:
    for each in _named(folder):
        if each.is_dir():
            yield from _within(_unlinked(each))
        else:
            yield _checked(each)


def _named(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if not each.name.startswith(_NO_DATA))


def _unlinked(folder: Path) -> Path:
    if folder.is_symlink():
        raise InvalidInput(f"{folder} is a link to a folder: name the folder that is meant")
    return folder


def _checked(path: Path) -> Path:
    if not path.exists():
        raise InvalidInput(f"there is no file {path}")
    if not path.is_file():
        raise InvalidInput(f"{path} is no regular file: pipe it, and read standard input with -")
    return path


def _form_of(given: str, files: list[Path]) -> Form:
    forms: dict[Form, Path] = {}
    for file in files:
        forms.setdefault(form_at(file), file)
    if len(forms) > 1:
        one, other, *_ = forms.values()
        raise InvalidInput(
            f"{given} has files of several forms, as {one} and {other}: name those of one form by "
            "a pattern in quotes, as 'folder/*.csv'"
        )
    return next(iter(forms))


def _keys(file: Path, base: Path) -> Mapping[str, str | None]:
    keys: dict[str, str | None] = {}
    for part in file.relative_to(base).parts[:-1]:
        with reading(file):
            name, equals, text = (unquote(each, errors="strict") for each in part.partition("="))
            part.encode()  # a name that is not UTF-8 is no text
        if not equals or not name:
            continue
        if name in keys:
            raise InvalidInput(f"{file} lies in two folders that say what {name!r} is")
        keys[name] = None if text == _NULL else text
    return keys


def _check_alike(files: tuple[InputFile, ...]) -> None:
    first = files[0]
    for file in files:
        if file.keys.keys() != first.keys.keys():
            has, had = (", ".join(each.keys) or "none" for each in (file, first))
            raise InvalidInput(
                f"the folders of all files have the same keys; those of {file.path} have {has}, "
                f"and those of {first.path} {had}"
            )


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path is one of those that a pattern names."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[at:], pattern[1:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
