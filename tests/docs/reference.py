"""The reference pages, written from the code: `make docs` writes them, a test compares them.

Each page is a pure function from what the code says of itself to Markdown.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import typer

import allotment
from allotment import errors
from allotment.cli.root import app
from allotment.server.http import refusals
from docs.blocks import HOUSE
from docs.links import anchor
from server.nodes import calling, running

Tree = Mapping[str, Any]
Row = tuple[str, ...]

_WRITTEN: Final = "<!-- Written from the code by `make docs`. Change the code, not this page. -->"
_NAMED: Final = re.compile(r"(\w+) {2,}(\S.*)")  # a line of a docstring: `name   meaning`


def page(*parts: str) -> str:
    """The parts that say something, with an empty line between them."""
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def table(heads: Row, rows: Iterable[Row]) -> str:
    """A table without the columns that are empty in every row; without rows, nothing."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    wanted = [at for at in range(len(heads)) if any(row[at] for row in cells)]
    lines = [[line[at] for at in wanted] for line in (heads, ["---"] * len(heads), *cells)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if cells else ""


def _cell(text: str) -> str:
    """A cell of a table, in which GitHub and mkdocs read a "|" within code in different ways."""
    code = re.sub(r"`([^`]*\|[^`]*)`", lambda found: f"<code>{escape(found[1])}</code>", text)
    return " ".join(code.replace("|", "&#124;").split())


def prose(text: str, types: Mapping[str, str] | None = None) -> str:
    """A docstring, with a table where its lines are `name   meaning`; every type has a row."""
    parts: list[str] = []
    rows: dict[str, list[str]] = {}
    for paragraph in text.split("\n\n"):
        for line in paragraph.splitlines() if _NAMED.match(paragraph) else ():
            if named := _NAMED.match(line):
                rows[named[1]] = []
            rows[[*rows][-1]].append(named[2] if named else line)
        parts.append("" if _NAMED.match(paragraph) else paragraph)
    assert set(types or ()) <= set(rows), f"{set(types or ()) - set(rows)}: not told in {text!r}"
    held = ((f"`{n}`", _code((types or {}).get(n, "")), " ".join(rows[n])) for n in rows)
    at = parts.index("") if rows else len(parts)
    return page(*parts[:at], table(("name", "type", "meaning"), held), *parts[at:])


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _block(text: str) -> str:
    return f"```text\n{text}\n```"


# The Python API: every public name, as it is written in the source.

_KERNEL: Final = HOUSE / "src/allotment/kernel/assigner.pyi"
_PARTS: Final[dict[str, Row]] = {
    "From a catalog to an engine": ("load", "Engine", "Catalog"),
    "An engine that follows a server": ("connect", "ConnectedEngine", "EngineStatus"),
    "Answers for one unit": ("Assignment", "Resolution", "Reason"),
    "Answers for many units": ("Column", "Table", "NeverMatches"),
    "Explanations": ("Explanation", "Check"),
    "How platforms hash": ("profiles", "profile", "HashProfile"),
    "Errors": (
        *("AllotmentError", "InvalidInput", "InvalidChange", "NotFound", "Conflict"),
        *("StoreError", "MissingExtra"),
    ),
}
# What is in modules of its own: they need a library that the package does not.
_MODULES: Final[dict[str, Row]] = {
    "allotment.duckdb": ("register",),
    "allotment.polars": ("assign", "assign_detail"),
    "allotment.srm": ("check", "ObservedRatio", "Unchecked"),
    "allotment.sql": ("select", "lists", "Listed"),
}
_VALUES: Final = {
    "REASONS": "A tuple of every `Reason`: the numbers of `Column.reasons` are positions in it.",
    "__version__": "The version of the package, as text.",
}


def python_page() -> str:
    """All that `import allotment` offers."""
    told = {*_VALUES, *(name for names in _PARTS.values() for name in names)}
    assert told == set(allotment.__all__), f"{told ^ set(allotment.__all__)}: put it into a part"
    about = (
        "Every name is in the package itself, as in `allotment.load`, but those of "
        "[modules of their own](#in-modules-of-their-own)."
    )
    parts = [f"## {heading}\n\n{page(*map(_public, names))}" for heading, names in _PARTS.items()]
    others = [_public(name, module) for module, names in _MODULES.items() for name in names]
    values = table(("name", "meaning"), ((f"`{n}`", text) for n, text in _VALUES.items()))
    apart = page("## In modules of their own", *others)
    return page("# The Python API", _WRITTEN, about, *parts, apart, "## Values", values)


def _public(name: str, module: str = "allotment") -> str:
    found = getattr(import_module(module), name)
    node = _parsed(Path(inspect.getsourcefile(found) or ""), name)
    said = _class(node) if isinstance(node, ast.ClassDef) else _function(node)
    return page(f"### {name if module == 'allotment' else f'{module}.{name}'}", *said)


def _parsed(file: Path, name: str) -> Any:
    """A definition as it is written in a file."""
    body = ast.parse(file.read_text()).body
    return next(each for each in body if getattr(each, "name", "") == name)


def _class(node: ast.ClassDef) -> Iterator[str]:
    bases = [*map(ast.unparse, node.bases)]
    body = node.body
    if bases == ["Assigner[Assignment]"]:  # what an engine has from the kernel comes first
        shared = _parsed(_KERNEL, "Assigner").body
        body = [m for m in shared if getattr(m, "name", "").startswith("assign")] + body
        bases = []
    yield _block(f"class {node.name}({', '.join(bases)})".replace("()", ""))
    fields = [each for each in body if isinstance(each, ast.AnnAssign)]
    derived = [each for each in fields if each.value and "repr=False" in ast.unparse(each.value)]
    types = {ast.unparse(f.target): ast.unparse(f.annotation) for f in fields if f not in derived}
    yield prose(ast.get_docstring(node) or "", types)
    members = [ast.unparse(each.targets[0]) for each in body if isinstance(each, ast.Assign)]
    if "StrEnum" in bases:
        yield ", ".join(map(_code, members)) + "."
        yield "[When each is given](../glossary.md#reasons-in-the-order-of-the-checks)."
    for method in body:
        if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
            yield page(f"#### {node.name}.{method.name}", *_function(method))


def _function(node: ast.FunctionDef) -> Iterator[str]:
    """A function or a property: its signature, if long a line a parameter, and its docstring."""
    node.args.args = [each for each in node.args.args if each.arg != "self"]
    inside = re.sub(r"(?<=[\w\]])=", " = ", ast.unparse(node.args))
    if len(inside) > 70:
        inside = re.sub(r", (?=\*,|\w+:)", ",\n    ", f"\n    {inside},\n")
    if "property" not in map(ast.unparse, node.decorator_list):
        inside = f"({inside}) -> "
    answer = ast.unparse(node.returns) if node.returns else "None"
    # The kernel's stub says _A for the type of an engine's answers.
    said = re.sub(r"\b_A\b", "Assignment", f"{node.name}{inside or ': '}{answer}")
    yield _block(said)
    yield prose(ast.get_docstring(node) or "")


# The command line: every command as typer has it.

_OPTION_HEADS: Final = ("name", "value", "meaning", "default", "environment")
_SHARED_BY: Final = 5  # an option that so many commands have is told once


def cli_page() -> str:
    """Every command with its arguments, options and defaults."""
    root: Any = typer.main.get_command(app)
    commands = commands_of(root, "allotment")
    everywhere = [_option(each) for one in commands.values() for each in one.params]
    shared = [row for row in dict.fromkeys(everywhere) if everywhere.count(row) >= _SHARED_BY]
    links = ((f"[`{n}`](#{anchor(n)})", c.help.split("\n\n")[0]) for n, c in commands.items())
    return page(
        *("# The command line", _WRITTEN, root.help, root.epilog),
        "`allotment --version` shows the version, and `allotment COMMAND --help` the same text.",
        *(table(("command", "meaning"), links), "## Shared options"),
        table(_OPTION_HEADS, shared),
        *(_command(name, one, shared) for name, one in commands.items()),
    )


def commands_of(group: Any, name: str) -> dict[str, Any]:
    """Every command under a group by its whole name, such as `allotment token create`."""
    found: dict[str, Any] = {}
    for word in group.list_commands(None):
        each = group.get_command(None, word)
        whole = f"{name} {word}"
        found |= commands_of(each, whole) if hasattr(each, "commands") else {whole: each}
    return found


def _command(name: str, command: Any, shared: list[Row]) -> str:
    rows = [_option(each) for each in command.params]
    arguments = [row[0].strip("`") for row in rows if not row[0].startswith("`-")]
    also = ", ".join(row[0] for row in rows if row in shared)
    return page(
        f"## {name}",
        _block(" ".join([name, *arguments, "[OPTIONS]"])),
        command.help,
        table(_OPTION_HEADS, (row for row in rows if row not in shared)),
        f"It takes the [shared options](#shared-options) {also}." if also else "",
    )


def _option(one: Any) -> Row:
    """The row of an option or of an argument."""
    assert one.help, f"{one.name} has no help"
    is_option = one.opts[0].startswith("-")
    value = str(one.metavar or one.name.upper().strip("_"))
    names = [*one.opts, *one.secondary_opts] if is_option else [value]
    default = "required" if one.required and is_option else ""
    if one.default not in (None, False, (), "") and not callable(one.default):
        default = _code(names[0] if one.default is True else str(one.default))
    shown = _code(value) if is_option and not one.is_flag else ""
    variables = [one.envvar] if isinstance(one.envvar, str) else one.envvar or []
    return " ".join(map(_code, names)), shown, one.help, default, " ".join(map(_code, variables))


# The native HTTP API: the OpenAPI document that a server makes.

_GROUPS: Final = {
    "assignments": "Assignments",
    "ofrep": "Flags by OFREP",
    "native": "The catalog, its history, spaces and tokens",
    "sticky": "Sticky assignments",
    "process": "The server",
}
_FIRST: Final = """[Start here](../start-backend.md#ask-over-http) has calls to try. A server shows
all its APIs, those of vendors too, at `/docs`, and for programs at `/openapi.json`."""
_METHODS: Final = ("get", "put", "post", "patch", "delete")


def http_page(document: Tree) -> str:
    """Every operation of the native API, and the schemas that they lead to."""
    groups: dict[str, dict[str, Tree]] = {tag: {} for tag in _GROUPS}
    for path, item in document["paths"].items():
        for method in filter(item.__contains__, _METHODS):
            if (tag := item[method]["tags"][0]) in groups:
                groups[tag][f"{method.upper()} {path}"] = item[method]
    shared: Tree = document["components"]["parameters"]
    parts = ["# The native HTTP API", _WRITTEN, document["info"]["description"], _FIRST]
    for tag, held in groups.items():
        rows = (
            (f"`{line}`", f"[{said['summary']}](#{anchor(said['summary'])})", _scope(said))
            for line, said in held.items()
        )
        parts += [f"## {_GROUPS[tag]}", table(("operation", "meaning", "scope"), rows)]
        parts += [_operation(line, said, shared) for line, said in held.items()]
    rows = ((_code(each["name"]), *_type_and_meaning(each)) for each in shared.values())
    parts += ["## Headers", table(("header", "type", "meaning"), rows)]
    parts += [
        "## Refusals",
        "A refusal is a [Problem](#problem).",
        _refusals(document),
        "## Bodies",
    ]
    parts += [_schema(name, each) for name, each in _reached(document, groups).items()]
    return page(*parts)


def _scope(said: Tree) -> str:
    return _code(said["x-allotment-scope"]) if said["x-allotment-scope"] != "none" else "no token"


def _reached(document: Tree, inside: Any) -> dict[str, Tree]:
    """The schemas that something leads to, but those of the catalog file: it has its own page."""
    schemas = document["components"]["schemas"]
    text, reached = str(inside) + "'#/components/schemas/Problem'", dict[str, Tree]()
    while text:
        names = dict.fromkeys(re.findall(r"#/components/schemas/([\w.]+)'", text))
        new = {n: schemas[n] for n in names if n not in reached and not n.startswith("file.")}
        reached |= new
        text = "".join(map(str, new.values()))
    return reached


def _operation(line: str, said: Tree, shared: Tree) -> str:
    given = said.get("parameters", ())
    own = [(f"`{p['name']}`", p["in"], *_type_and_meaning(p)) for p in given if "name" in p]
    referred = [shared[each["$ref"].rpartition("/")[2]] for each in given if "$ref" in each]
    headers = ", ".join(_code(each["name"]) for each in referred)
    body = said.get("requestBody", {}).get("content", {})
    bodies = ((_code(media), *_type_and_meaning(held)) for media, held in body.items())
    done = {status: answer for status, answer in said["responses"].items() if "$ref" not in answer}
    answers = (
        (_code(status), _code(media), _type(held["schema"]) if held else "", answer["description"])
        for status, answer in done.items()
        for media, held in answer.get("content", {"": None}).items()
    )
    refused = ", ".join(sorted(set(said["responses"]) - set(done)))
    return page(
        f"### {said['summary']}",
        _block(line),
        said.get("description", ""),
        f"Scope: {_scope(said)}.",
        table(("parameter", "in", "type", "meaning"), own),
        table(("body", "type", "meaning"), bodies),
        table(("answer", "body", "type", "meaning"), answers),
        f"It takes the [headers](#headers) {headers}." if headers else "",
        f"It is [refused](#refusals) with {refused}." if refused else "",
    )


def _type_and_meaning(said: Tree) -> Row:
    """What a parameter, a body or a field is: its type; its description, bounds and default."""
    schema = said.get("content", {}).get("application/json", said).get("schema", said)
    forms = [said, schema, *schema.get("anyOf", ())]
    meaning = [next((each["description"] for each in forms if "description" in each), "")]
    if "minimum" in schema and "maximum" in schema:
        meaning.append(f"{schema['minimum']:,} to {schema['maximum']:,}.")
    if schema.get("default") not in (None, [], {}, ""):
        meaning.append(f"Default: `{schema['default']}`.")
    return _type(schema), " ".join(meaning)


def _type(schema: Any) -> str:
    """A schema in words, with links to those that have names."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        of_file = name.removeprefix("file.")
        return f"[{name}](#{anchor(name)})" if of_file == name else f"[{of_file}](../catalog.md)"
    if "const" in schema or "enum" in schema:
        return " or ".join(map(_code, map(json.dumps, schema.get("enum") or [schema["const"]])))
    for form in ("anyOf", "oneOf", "allOf"):
        if form in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[form])))
    kind = schema.get("type", "any JSON")
    if "prefixItems" in schema:
        return f"({', '.join(map(_type, schema['prefixItems']))})"
    if kind == "array" and schema.get("items"):
        inside = _type(schema["items"])
        return f"array of ({inside})" if " or " in inside else f"array of {inside}"
    if fields := schema.get("properties"):
        return "object: " + ", ".join(f"`{name}` {_type(each)}" for name, each in fields.items())
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _schema(name: str, schema: Tree) -> str:
    rows = (
        (f"`{field}`", *_type_and_meaning(each), "yes" if field in schema["required"] else "")
        for field, each in schema.get("properties", {}).items()
    )
    return page(
        f"### {name}",
        prose(schema.get("description", "")),
        "" if "properties" in schema else f"One of: {_type(schema)}.",
        table(("field", "type", "meaning", "required"), rows),
    )


def _refusals(document: Tree) -> str:
    """Every status that an operation may refuse with, in the words of the errors that have it."""
    kinds = [kind for module in (errors, refusals) for kind in vars(module).values()]
    ours = [kind for kind in kinds if inspect.isclass(kind) and "status_hint" in vars(kind)]
    named = set(re.findall(r"'(4\d\d|5\d\d)': \{'\$ref'", str(document["paths"])))
    assert named <= {str(kind.status_hint) for kind in ours}, "a status has no error"
    rows = {(_code(str(kind.status_hint)), inspect.getdoc(kind) or "") for kind in ours}
    return table(("status", "when"), sorted(row for row in rows if row[0].strip("`") in named))


async def _document() -> Tree:
    """What a server says at /openapi.json."""
    with tempfile.TemporaryDirectory() as folder:
        async with running(f"{folder}/allotment.db") as node, calling(node) as client:
            found: Tree = (await client.get("/openapi.json")).json()
            return found


def decisions_page() -> str:
    """A list of the decision records, which is the page of their folder."""
    files = sorted((HOUSE / "docs/decisions").glob("[0-9]*.md"))
    titles = [(file.name, file.read_text().splitlines()[0].removeprefix("# ")) for file in files]
    about = (
        "What was decided, why, and what follows from it. Numbers that are missing were not used."
    )
    return page("# Decisions", _WRITTEN, about, "\n".join(f"- [{t}]({n})" for n, t in titles))


def pages() -> dict[str, str]:
    """Every page, by its place in docs."""
    return {
        "reference/python.md": python_page(),
        "reference/http.md": http_page(asyncio.run(_document())),
        "reference/cli.md": cli_page(),
        "decisions/README.md": decisions_page(),
    }


if __name__ == "__main__":
    for place, text in pages().items():
        (HOUSE / "docs" / place).write_text(text)
