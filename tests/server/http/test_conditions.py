"""Entity tags, media types and what a client accepts, read as RFC 9110 has them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allotment.errors import InvalidInput
from allotment.server.http.etags import digest_of, etag, has, has_version
from allotment.server.http.headers import preferred, read_media, read_tags
from allotment.server.http.refusals import NotAcceptable, UnsupportedMedia
from timing import cpu_seconds

FORMS = ("application/json", "application/yaml")
TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VISIBLE = "".join(map(chr, (*range(0x21, 0x7F), *range(0x80, 0x100))))

# The grammar as the RFC writes it, rule by rule: strategies of text that a rule makes, beside what
# that text means.
OWS = st.text(" \t", max_size=3)
TOKENS = st.text(TOKEN, min_size=1, max_size=8)
TAGS = st.text([c for c in VISIBLE if c != '"'], max_size=6)
EMPTY = st.sampled_from(["", " ", "\t"])


@st.composite
def quoted(draw: st.DrawFn) -> tuple[str, str]:
    """A quoted string, and what it stands for."""
    said = draw(st.text(VISIBLE + " \t", max_size=8))
    written = [
        f"\\{each}" if each in '"\\' or (ord(each) < 0x80 and draw(st.booleans())) else each
        for each in said
    ]
    return f'"{"".join(written)}"', said


@st.composite
def parameters(draw: st.DrawFn) -> tuple[str, dict[str, str]]:
    """Parameters, empty ones among them, and what they say."""
    said: dict[str, str] = {}
    text = ""
    for name in draw(st.lists(TOKENS, max_size=3, unique_by=str.lower)):
        value = draw(quoted() | TOKENS.map(lambda token: (token, token)))
        empty = draw(st.sampled_from(["", ";", " ; "]))
        text += f"{empty}{draw(OWS)};{draw(OWS)}{name}={value[0]}"
        said[name.lower()] = value[1]
    return text, said


@st.composite
def lists(draw: st.DrawFn, elements: st.SearchStrategy[str]) -> str:
    """A list with spaces and empty elements where they may be."""
    text = draw(EMPTY)
    for number, each in enumerate(draw(st.lists(elements, min_size=1, max_size=4))):
        text += "," * (number > 0) + draw(st.sampled_from(["", ",", " ,\t"]))
        text += draw(OWS) + each + draw(OWS)
    return text + draw(st.sampled_from(["", ",", " , "]))


@given(TOKENS, TOKENS, parameters(), OWS)
def test_a_media_type_is_read_as_the_grammar_makes_it(
    kind: str, subtype: str, said: tuple[str, dict[str, str]], space: str
) -> None:
    media = read_media(f"{space}{kind}/{subtype}{said[0]}{space}")
    assert (media.kind, media.parameters) == (f"{kind}/{subtype}".lower(), said[1])


@given(st.data())
def test_tags_are_read_as_the_grammar_makes_them(data: st.DataObject) -> None:
    strong, weak = (data.draw(st.frozensets(TAGS, max_size=2)) for _ in range(2))
    written = [*(f'"{tag}"' for tag in strong), *(f'W/"{tag}"' for tag in weak)]
    if not written:
        return
    comma = data.draw(st.sampled_from([",", ", ", " ,\t,"]))
    tags = read_tags(comma.join(data.draw(st.permutations(written))), "If-Match")
    assert (tags.any, tags.strong, tags.weak) == (False, strong, weak)


QUALITIES = st.integers(0, 1000).map(lambda n: (f"{n / 1000:.3f}", n))
RANGES = st.sampled_from(["application/json", "APPLICATION/*", "*/*", "text/html"])


@given(st.data())
def test_the_most_exact_range_says_how_much_a_form_is_liked(data: st.DataObject) -> None:
    ranges = data.draw(st.dictionaries(RANGES, QUALITIES, min_size=1, max_size=4))
    elements = [
        f"{name}{data.draw(OWS)};{data.draw(OWS)}{data.draw(st.sampled_from('qQ'))}={text}"
        for name, (text, _) in ranges.items()
    ]
    header = data.draw(st.sampled_from([",", " , ", ",,\t"])).join(elements)
    liked = {name.lower(): quality for name, (_, quality) in ranges.items()}

    def liking(form: str) -> int:
        return next((liked[each] for each in (form, "application/*", "*/*") if each in liked), 0)

    best = max(FORMS, key=liking)
    if liking(best):
        assert preferred(header, FORMS) == best
    else:
        with pytest.raises(NotAcceptable):
            preferred(header, FORMS)


@given(st.text(st.characters(max_codepoint=255), max_size=40) | lists(TAGS | TOKENS))
def test_any_header_at_all_is_read_or_refused(header: str) -> None:
    read_or_refused(header)


def read_or_refused(header: str) -> None:
    for read in (
        read_media,
        lambda text: read_tags(text, "If-Match"),
        lambda text: preferred(text, FORMS),
    ):
        with suppress(InvalidInput):
            read(header)


@pytest.mark.parametrize("piece", [" ", ",", ";", " ;", '"', "\\", '"\\"', "a=", "a/b;", "W/", "a"])
def test_a_long_header_that_is_wrong_is_refused_at_once(piece: str) -> None:
    for header in (piece * 20_000, f"a/b{piece * 20_000}\0", f'"1"{piece * 20_000}\0'):
        assert cpu_seconds(lambda text=header: read_or_refused(text)) < 1


@pytest.mark.parametrize(
    ("header", "strongly", "weakly"),
    [
        ('"17-ab"', True, True),
        ('W/"17-ab"', False, True),
        ('"1", "17-ab"', True, True),
        ('"1","17-ab" ', True, True),
        ('"17-ab",', True, True),
        ('"1", W/"17-ab"', False, True),
        ('"17-ab.5f0c"', True, True),
        ("*", True, True),
        (" * ", True, True),
        ('"17"', False, False),
        ('"17-ac"', False, False),
        ('"18-ab"', False, False),
        ('"017-ab"', False, False),
        ('"17-abc"', False, False),
        ('""', False, False),
        ('"a,b", "17-ab"', True, True),
    ],
)
def test_a_tag_is_compared_strongly_or_weakly(header: str, strongly: bool, weakly: bool) -> None:
    tags = read_tags(header, "If-Match")
    assert (has_version(tags, "17-ab"), has_version(tags, "17-ab", weakly=True)) == (
        strongly,
        weakly,
    )
    assert not has_version(tags, "")


@pytest.mark.parametrize(
    "header", ["", ",", "17", "'17'", '"17', '17"', '"1" "17"', 'w/"17"', '*, "1"', '"\n"']
)
def test_what_is_no_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidInput):
        read_tags(header, "If-Match")


def test_a_tag_is_a_version_in_quotes_and_may_say_how_it_is_shown() -> None:
    assert etag("17-ab") == '"17-ab"'
    one, other = (etag("17-ab", digest_of(body)) for body in (b"{}", b"[]"))
    assert has(read_tags(one, "If-None-Match"), one)
    assert has(read_tags(f"W/{one}", "If-None-Match"), one)
    assert not has(read_tags(f'{other}, "17-ab"', "If-None-Match"), one)


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "Application/JSON ; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json; charset=utf8",
        "application/json;;charset=utf-8;",
        'application/json; note="a;charset=latin-1"',
        "application/merge-patch+json",
    ],
)
def test_json_in_utf_8_is_known_however_it_is_spelled(header: str) -> None:
    assert read_media(header).is_json


@pytest.mark.parametrize(
    "header",
    [
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        'application/json; charset="utf-8\\x"',
        "text/json",
        "application/jsonp",
        "application/x/json",
        "json",
        "",
        "application/json; charset=",
        "application/json; charset = utf-8",
        "application/json, application/json",
        "application/json; charset=utf-8; charset=latin-1",
    ],
)
def test_what_is_not_json_in_utf_8_is_not(header: str) -> None:
    known = False
    with suppress(InvalidInput):
        known = read_media(header).is_json
    assert not known


def test_what_is_no_media_type_is_unsupported() -> None:
    with pytest.raises(UnsupportedMedia):
        read_media("application")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "application/json"),
        ("", "application/json"),
        (" , ", "application/json"),
        ("application/yaml", "application/yaml"),
        ("APPLICATION/YAML", "application/yaml"),
        ("application/yaml; charset=utf-8", "application/yaml"),
        ("application/*", "application/json"),
        ("application/json;q=0.5, application/yaml", "application/yaml"),
        ("application/json;q=0.5, */*", "application/yaml"),
        ("application/json;q=0, */*;q=0.1", "application/yaml"),
        ('text/plain;a="x,application/json", application/yaml', "application/yaml"),
        ("application/x-yaml", "application/yaml"),
    ],
)
def test_the_form_that_is_liked_best_is_sent(accept: str | None, form: str) -> None:
    also = {"application/x-yaml": "application/yaml"}
    assert preferred(accept, FORMS, also) == form


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "*/*;q=0"])
def test_who_likes_none_of_the_forms_is_told_them(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="yaml"):
        preferred(accept, FORMS)


@pytest.mark.parametrize("accept", ["application/yaml;q=x", "*/*;q=2", "json", "a/b;q=0.1234"])
def test_what_cannot_be_understood_is_not_taken_for_a_dislike(accept: str) -> None:
    with pytest.raises(InvalidInput):
        preferred(accept, FORMS)
