"""The site of `make docs` has every page; to build it is not a part of the tests."""

from pathlib import PurePath

from ruamel.yaml import YAML

from docs.blocks import HOUSE

SITE = YAML(typ="safe").load((HOUSE / "mkdocs.yml").read_text())


def places(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    inside = nav.values() if isinstance(nav, dict) else nav
    assert isinstance(inside, list | type({}.values()))
    return [place for each in inside for place in places(each)]


def test_the_navigation_has_every_page_once() -> None:
    pages = [*HOUSE.glob("*.md"), *HOUSE.glob("docs/**/*.md")]
    names = [page.relative_to(HOUSE).as_posix() for page in pages]
    listed_in_their_folder = SITE["not_in_nav"]
    own = [name for name in names if not PurePath(name).match(listed_in_their_folder)]
    assert sorted(places(SITE["nav"])) == sorted(own)


def test_nothing_of_the_site_is_fetched() -> None:
    assert SITE["theme"]["font"] is False
    assert not {"extra_javascript", "extra_css"} & set(SITE)
