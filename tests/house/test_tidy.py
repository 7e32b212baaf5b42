"""What a linter does not see: sizes, words, and names that must agree."""

import ast
import re
import subprocess
from pathlib import Path

import allotment
from allotment.model import limits
from allotment.model.assignment import REASONS
from mutants import MUTANTS

HOUSE = Path(__file__).parents[2]
SOURCES = [
    *sorted((HOUSE / "src").rglob("*.py")),
    *sorted((HOUSE / "src").rglob("*.pyx")),
    *sorted((HOUSE / "csrc").rglob("*.[ch]")),
]
LINES_MAX = 350
VENDORS = ("auth0", "confidence", "launchdarkly")
COLUMNS_MAX = 100


def test_the_public_names_are_these() -> None:
    assert allotment.__all__ == [
        "REASONS",
        "AllotmentError",
        "Assignment",
        "Catalog",
        "Check",
        "Column",
        "Conflict",
        "ConnectedEngine",
        "Engine",
        "EngineStatus",
        "Explanation",
        "HashProfile",
        "InvalidChange",
        "InvalidInput",
        "MissingExtra",
        "NeverMatches",
        "NotFound",
        "Reason",
        "Resolution",
        "StoreError",
        "Table",
        "__version__",
        "connect",
        "load",
        "profile",
        "profiles",
    ]
    assert all(hasattr(allotment, name) for name in allotment.__all__)


# A row of the store, and the model of it at the wire.
_OF_THE_WIRE = {"Token", "Version"}


def test_no_two_public_classes_have_one_name() -> None:
    """The models of a vendor's dialect are named for the vendor's own nouns: they are left out."""
    seen: dict[str, Path] = {}
    shared = set()
    vendors = [HOUSE / "src/allotment/dialects" / name for name in VENDORS]
    for file in sorted((HOUSE / "src").rglob("*.py")):
        if any(map(file.is_relative_to, vendors)):
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                if node.name in seen:
                    shared.add(node.name)
                seen[node.name] = file
    assert shared - _OF_THE_WIRE == set()


def test_the_words_that_were_given_up_do_not_come_back() -> None:
    """They say less than a plain word."""
    given_up = re.compile(r"\b(whoever|nobody|anew|lest)\b", re.IGNORECASE)
    plain = [
        *SOURCES,
        *(HOUSE / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")),
        *(file for file in (HOUSE / "docs").glob("*.md") if file.stem != "record"),
    ]
    found = [
        f"{file.relative_to(HOUSE)}: {word}"
        for file in plain
        for word in given_up.findall(file.read_text())
    ]
    assert found == []


def test_the_files_that_the_glossary_names_are_there() -> None:
    _, _, table = (HOUSE / "docs/glossary.md").read_text().partition("## In the code")
    files = re.findall(r"`([\w*]+/[\w/*.]+)`", table)
    assert len(files) > 10
    assert [name for name in files if not [*(HOUSE / "src/allotment").glob(name)]] == []


def test_a_file_is_one_subject_and_short() -> None:
    lengths = {file: len(file.read_text().splitlines()) for file in SOURCES}
    assert {f.name: n for f, n in lengths.items() if n > LINES_MAX} == {}
    middle = sorted(lengths.values())[len(lengths) // 2]
    assert middle <= 130, f"the median file has {middle} lines"


def test_no_line_is_longer_than_the_page() -> None:
    tests = [*(HOUSE / "tests").rglob("*.py"), *(HOUSE / "benchmarks").rglob("*.py")]
    long = [
        f"{file.relative_to(HOUSE)}:{number}"
        for file in [*SOURCES, *tests]
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if len(line) > COLUMNS_MAX
    ]
    assert long == []


def test_nothing_has_a_name_that_says_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc", "core"}
    assert [file for file in SOURCES if file.stem in empty] == []


def test_the_limits_in_c_are_the_limits_in_python() -> None:
    text = (HOUSE / "csrc" / "allot_limits.h").read_text()
    in_c = dict(re.findall(r"#define ALLOT_(\w+) (\d+)", text))
    assert in_c, "csrc/allot_limits.h defines the limits"
    for name, value in in_c.items():
        assert getattr(limits, name) == int(value), name


def test_the_reasons_in_c_are_the_reasons_in_python() -> None:
    text = (HOUSE / "csrc" / "plan.h").read_text()
    enum = text[: text.index("} allot_reason;")].split("typedef enum")[-1]
    assert re.findall(r"ALLOT_(\w+)", enum) == [*REASONS, "REASONS"]


def test_every_markdown_page_has_one_title() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=HOUSE, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "README.md" in tracked
    for name in tracked:
        text = re.sub(r"```.*?```", "", (HOUSE / name).read_text(), flags=re.DOTALL)
        assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1, name


def test_every_decision_says_what_was_decided_and_why() -> None:
    for file in sorted((HOUSE / "docs" / "decisions").glob("[0-9]*.md")):
        text = file.read_text()
        for heading in ("## Situation", "## Decision", "## Consequences"):
            assert heading in text, f"{file.name} lacks {heading!r}"


def test_tests_stand_where_their_subject_stands() -> None:
    """A folder of tests is named for a package, or for one of a few ideas about the whole."""
    ideas = {"docs", "engines", "faults", "hostile", "house", "laws", "peers", "sdk", "support"}
    ideas.add("benchmarks")  # they stand beside the package
    tests, packages = HOUSE / "tests", HOUSE / "src/allotment"
    folders = {file.parent.relative_to(tests) for file in tests.rglob("test_*.py")}
    mirrors = [each for each in folders if each.parts[0] not in ideas]
    assert [str(each) for each in mirrors if not (packages / each).is_dir()] == []


def test_no_test_rolls_dice_of_its_own() -> None:
    """Every draw comes from `--seed`, so that a run that failed can be run again."""
    rolled = re.compile(r"\bRandom\(\)|default_rng\(\)|secrets\.rand|derandomize|\brandom\.rand")
    here = Path(__file__).resolve()
    files = [*(HOUSE / "tests").rglob("*.py")]
    found = {
        file.relative_to(HOUSE).as_posix()
        for file in files
        if file not in (here, HOUSE / "tests/conftest.py") and rolled.search(file.read_text())
    }
    assert found == set()


def test_every_mutant_finds_its_place_and_its_tests() -> None:
    """`make mutants` is not run with the tests; a fault whose place has moved would be no fault."""
    for mutant in MUTANTS:
        text = (HOUSE / mutant.file).read_text()
        assert text.count(mutant.good) == 1, mutant.name
        named = [each.partition("::")[0] for each in mutant.tests.split() if "/" in each]
        assert all((HOUSE / each).exists() for each in named), mutant.name
