"""Numbers as text: one grammar, wherever such text comes in."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.model.number import read_decimal, read_percent, read_weight, read_whole
from tenant import Vendor, vendor

# What Python's own readers take, or almost, and nobody means.
WRONG = (
    *("1_0", " 5", "5 ", "\t5", "5\n", "+5", "-5", "1e1", "1E1", ".5", "5.", "5..0", "1.2.3"),
    *(
        "\u0665",
        "\uff15",
        "\u0660.\u0665",
        "0x5",
        "5,0",
        "",
        "nan",
        "NaN",
        "inf",
        "Infinity",
        "½",
        "1 0",
        "\ufeff5",
    ),
)


@pytest.mark.parametrize("text", WRONG)
def test_no_reader_takes_more_than_digits_and_a_point(text: str) -> None:
    assert read_whole(text) is None
    assert read_decimal(text) is None
    for read, value in ((read_weight, text), (read_percent, f"{text}%")):
        with pytest.raises(InvalidInput):
            read(value, "$")


@given(st.text("0123456789._-+eE \u0665\n", max_size=24))
def test_what_is_read_is_what_is_written(text: str) -> None:
    whole, exact = read_whole(text), read_decimal(text)
    if whole is not None:
        assert str(whole).zfill(len(text)) == text
        assert whole == exact
    if exact is not None:
        assert f"{exact:f}".zfill(len(text)) == text


@pytest.mark.parametrize(
    "text", ["0.5000000000001", "0.500000000000000001", "0." + "0" * 17 + "1", "1" + "0" * 13]
)
def test_digits_that_cannot_be_kept_are_refused_and_not_rounded(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_weight(text, "$")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    with vendor(tmp_path_factory.mktemp("numbers")) as made:
        made.post("/v1/workflows/abtest/instances", {"displayName": "Some experiment"})
        yield made


LAUNCHDARKLY = "/api/v2/projects/default/environments/production"
# Each place where an API takes a number as text: a path to get, or a body to post.
QUERIES = (
    *("/v1/flags?pageSize=", "/v1/segments?pageSize=", "/v1/workflows/abtest/instances?pageSize="),
    *("/api/v2/flags/default?limit=", "/api/v2/flags/default?offset="),
    *(f"{LAUNCHDARKLY}/experiments?limit=", f"{LAUNCHDARKLY}/holdouts?offset="),
    *("/api/v2/experimentation/experiments?take=", "/api/v2/experimentation/segments?take="),
    *("/v1/catalog/experiments?limit=", "/v1/journal?limit=", "/v1/journal?before="),
    *("/v1/snapshot?revision=", "/v1/kept/some-experiment/unit?iteration="),
)
BODIES: dict[str, Any] = {
    "/v1/segments": lambda text: {"allocation": {"proportion": {"value": text}}},
    f"{LAUNCHDARKLY}/holdouts": lambda text: {"key": "some-holdout", "holdoutamount": text},
    "/v1/workflows/abtest/instances": lambda text: {
        "displayName": "Some",
        "abtest": {"treatments": [{"weight": text}]},
    },
}


@pytest.mark.parametrize("path", QUERIES)
def test_a_query_has_a_number_in_digits_or_is_refused(api: Vendor, path: str) -> None:
    for text in WRONG:
        answer = api.send("GET", f"{path}{''.join(f'%{byte:02x}' for byte in text.encode())}")
        assert answer.status_code == 400, (path, text, answer.text)


@pytest.mark.parametrize("path", BODIES)
def test_a_body_has_a_number_in_digits_or_is_refused(api: Vendor, path: str) -> None:
    revision = api.catalog.revision
    for text in WRONG:
        answer = api.run(api.ask("POST", path, BODIES[path](text)))
        assert answer.status_code == 400, (path, text, answer.text)
    assert api.catalog.revision == revision


def test_nothing_reads_digits_but_the_one_reader() -> None:
    source = Path(__file__).parents[2] / "src" / "allotment"
    own = re.compile(r"\.isdecimal\(|\.isnumeric\(|\.isdigit\(|Decimal\(str\(")
    found = {
        str(file.relative_to(source))
        for file in source.rglob("*.py")
        if own.search(file.read_text())
    }
    # A float's own digits; and bytes, whose digits are ASCII.
    assert found == {"model/number.py", "server/http/requests.py"}
