"""Entity tags and media types, read as RFC 9110 has them."""

import pytest

from allotment.errors import InvalidInput
from allotment.server.etags import etag, read_tags
from allotment.server.native.accept import preferred
from allotment.server.refusals import NotAcceptable

FORMS = ("application/json", "application/yaml")


@pytest.mark.parametrize(
    ("header", "strongly", "weakly"),
    [
        ('"17"', True, True),
        ('W/"17"', False, True),
        ('"1", "17"', True, True),
        ('"1","17" ', True, True),
        ('"1", W/"17"', False, True),
        ("*", True, True),
        (" * ", True, True),
        ('"018"', False, False),
        ('"017"', False, False),
        ('""', False, False),
        ('"a,b", "17"', True, True),
    ],
)
def test_a_tag_is_compared_strongly_or_weakly(header: str, strongly: bool, weakly: bool) -> None:
    tags = read_tags(header, "If-Match")
    assert (tags.has(17), tags.has(17, weakly=True)) == (strongly, weakly)
    assert not tags.has(0)


@pytest.mark.parametrize(
    "header", ["", "17", "'17'", '"17', '17"', '"1" "17"', '"17",', 'w/"17"', '*, "1"', '"\n"']
)
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput):
        read_tags(header, "If-Match")


def test_a_tag_is_a_revision_in_quotes() -> None:
    assert etag(17) == '"17"'


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("application/yaml", "application/yaml"),
        ("APPLICATION/YAML", "application/yaml"),
        ("application/*", "application/json"),
        ("application/json;q=0.5, application/yaml", "application/yaml"),
        ("application/json;q=0.5, */*", "application/yaml"),
        ("application/json;q=0, */*;q=0.1", "application/yaml"),
        ("application/yaml;q=x, application/json;q=0.1", "application/json"),
    ],
)
def test_the_form_that_is_liked_best_is_sent(accept: str | None, form: str) -> None:
    assert preferred(accept, FORMS) == form


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0", ","])
def test_who_likes_none_of_the_forms_is_told_them(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="yaml"):
        preferred(accept, FORMS)
