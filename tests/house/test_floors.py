"""The floors: imports only point down. The table is the one in ARCHITECTURE.md."""

import ast
import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PACKAGE = HOUSE / "src" / "allotment"

# Every floor may also use `errors`, and itself; a face may use everything.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "values": set(),
    "durable": set(),
    "model": set(),
    "change": {"model"},
    "matching": {"model", "values"},
    "dialects": {"model", "change"},
    "kernel": {"values"},
    "reference": {"model", "matching", "values"},
    "compile": {"model", "matching", "kernel"},
    "engine": {"model", "matching", "compile", "kernel", "values"},
    "sql": {"model", "matching", "compile", "engine", "kernel"},
    "frames": {"model", "matching", "engine", "kernel", "exposures"},
    "exposures": {"model", "engine", "durable"},
    "importers": {"model", "change", "matching"},
    "words": {"model", "change", "dialects"},
    "client": {"model", "change", "compile", "engine", "durable"},
    "store": {"model", "change", "durable"},
}
FACES = {
    "__init__", "load", "sources", "openfeature", "duckdb", "polars", "spark", "srm", "testing",
    "cli", "server",
}  # fmt: skip

# What the embedding user gets needs these and nothing else.
EMBEDDED = {
    "errors", "values", "model", "change", "matching", "dialects", "compile", "engine", "kernel"
}  # fmt: skip
EMBEDDED_LIBRARIES = {"numpy", "msgspec", "re2", "ruamel"}


def modules() -> list[Path]:
    return sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.pyx"), *PACKAGE.rglob("*.pyi")])


def floor_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].split(".")[0]


def imports_of(file: Path) -> set[str]:
    """The dotted names a file imports; Cython is read line by line, Python by its syntax tree."""
    text = file.read_text()
    if file.suffix == ".pyx":
        lines = (line.split() for line in text.splitlines())
        return {words[1] for words in lines if words[:1] in (["from"], ["import"], ["cimport"])}
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}: imports are written in full"
            module = node.module or ""
            names.update(f"{module}.{alias.name}" for alias in node.names)
    return names


def test_imports_only_point_down() -> None:
    wrong = []
    for file in modules():
        floor = floor_of(file)
        if floor in FACES:
            continue
        allowed = MAY_IMPORT[floor] | {floor, "errors"}
        for name in imports_of(file):
            parts = name.split(".")
            if parts[0] == "allotment" and (len(parts) < 2 or parts[1] not in allowed):
                wrong.append(f"{file.relative_to(HOUSE)}: {floor} may not import {name}")
    assert wrong == []


def test_sibling_dialects_never_import_each_other() -> None:
    """They share one room, `wire`, which knows none of them."""
    wrong = []
    for file in (PACKAGE / "dialects").rglob("*.py"):
        room = file.relative_to(PACKAGE / "dialects").parts[0]
        for name in imports_of(file):
            parts = name.split(".")
            is_dialect = parts[:2] == ["allotment", "dialects"] and len(parts) > 2
            if is_dialect and parts[2] not in (room, "wire"):
                wrong.append(f"{file.relative_to(HOUSE)} imports {name}")
    assert wrong == []


def test_the_model_needs_only_the_standard_library() -> None:
    import sys

    for file in (PACKAGE / "model").rglob("*.py"):
        for name in imports_of(file):
            top = name.split(".")[0]
            assert top == "allotment" or top in sys.stdlib_module_names, f"{file.name}: {name}"


def test_the_embedded_floors_need_only_four_libraries() -> None:
    import sys

    for file in modules():
        if floor_of(file) not in EMBEDDED or file.suffix != ".py" or _is_of_a_vendor(file):
            continue
        for name in imports_of(file):
            top = name.split(".")[0]
            known = {"allotment", *sys.stdlib_module_names, *EMBEDDED_LIBRARIES}
            assert top in known, f"{file.relative_to(HOUSE)}: {name}"


def _is_of_a_vendor(file: Path) -> bool:
    """Vendors' APIs are served, and what a server needs is installed there."""
    parts = file.relative_to(PACKAGE).parts
    return parts[0] == "dialects" and len(parts) > 2 and parts[1] != "catalogfile"


def test_only_the_kernel_knows_c() -> None:
    for file in modules():
        if floor_of(file) != "kernel":
            assert file.suffix != ".pyx", file
            assert not {"ctypes", "cffi"} & imports_of(file), file


def test_the_c_core_knows_no_python() -> None:
    for file in (HOUSE / "csrc").rglob("*.[ch]"):
        assert "Python.h" not in file.read_text(), file


@pytest.mark.parametrize("module", ["time", "random", "secrets", "uuid", "os"])
def test_nothing_below_the_faces_reads_a_clock_the_environment_or_entropy(module: str) -> None:
    pure = ["model", "change", "matching", "dialects", "reference", "compile", "engine", "kernel"]
    for file in modules():
        if floor_of(file) in pure:
            tops = {name.split(".")[0] for name in imports_of(file)}
            assert module not in tops, file.relative_to(HOUSE)


def test_nothing_below_the_faces_asks_datetime_what_time_it_is() -> None:
    """Importing `datetime` is not reading a clock; these are."""
    clock = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\b")
    below = [file for file in modules() if floor_of(file) not in FACES]
    assert [file.name for file in below if clock.search(file.read_text())] == []


# The server's packages and modules, the lowest first: each imports only those before it.
SERVER = (
    ("http", "auth", "counters", "masked", "settingsfile", "turns", "vendors"),
    ("settings", "sync"),
    ("connection", "exposure_log", "writes"),
    ("api",),
    ("auth0", "launchdarkly", "lazy_routes", "shared_metrics", "sticky", "streams"),
    ("metrics",),
    ("assign", "front", "native"),
    ("confidence", "console", "ofrep"),
    ("openapi",),
    ("app",),
    ("process",),
)


def test_the_servers_packages_import_only_those_below() -> None:
    level = {name: at for at, names in enumerate(SERVER) for name in names}
    here = PACKAGE / "server"
    assert {each.stem for each in here.iterdir() if each.stem[:2] != "__"} == set(level)
    wrong = []
    for file in here.rglob("*.py"):
        name = file.relative_to(here).parts[0].removesuffix(".py")
        for imported in imports_of(file):
            parts = imported.split(".")
            if parts[:2] != ["allotment", "server"] or len(parts) < 3 or parts[2] == name:
                continue
            if level[parts[2]] >= level[name]:
                wrong.append(f"{file.relative_to(HOUSE)} imports {imported}")
    assert wrong == []


def test_no_two_modules_of_the_server_import_each_other() -> None:
    """Nor three, nor more: taking away those that import nothing of the rest leaves none."""
    here = PACKAGE / "server"
    named = {
        ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts): file
        for file in here.rglob("*.py")
    }
    needs = {
        name: {each for each in _modules_in(imports_of(file), set(named)) if each != name}
        for name, file in named.items()
    }
    while free := {name for name, others in needs.items() if not others & set(needs)}:
        needs = {name: others for name, others in needs.items() if name not in free}
    assert needs == {}


def _modules_in(imported: set[str], known: set[str]) -> set[str]:
    """The modules that dotted names stand for, each a module or a name within one."""
    return {
        name
        for each in imported
        for name in (each, each.rpartition(".")[0], f"{each}.__init__")
        if name in known
    }
