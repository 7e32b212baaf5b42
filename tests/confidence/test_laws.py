"""Laws of a PATCH, over bodies and masks that nobody chose."""

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.change.lifecycle import Policy
from allotment.dialects.confidence.fields import MODULES, OWN, Holds
from allotment.dialects.confidence.instances import MASK, read_create, read_update
from allotment.dialects.confidence.names import instance_id
from allotment.dialects.confidence.shown import READ, show_document
from allotment.dialects.wire.asked import Asked
from allotment.dialects.wire.given import Given
from allotment.dialects.wire.place import Place
from allotment.model.catalog import EMPTY, Catalog
from allotment.store import Version
from workspace import BUTTON, NORDICS, every_field

KEY = "some-text"
VERSIONS = {f"experiment:{KEY}": Version(1, 0, 0)}
STEERING = {(module, field) for module, fields in READ.items() for field in fields}
PATHS = [
    *((name,) for name in OWN if name != "displayName"),
    *((module, field) for module, fields in MODULES.items() for field in fields),
]
FREE = [path for path in PATHS if path not in STEERING]
# What is shown where nothing is set.
USUAL = {("owner",): "allotment", ("flags", "rule"): f"flags/button/rules/{instance_id(KEY)}"}

anything = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda below: (
        st.lists(below, max_size=2) | st.dictionaries(st.text("xy", min_size=1), below, max_size=2)
    ),
    max_leaves=4,
)
messages = st.dictionaries(st.text("xy", min_size=1), anything, max_size=2)
values = {
    Holds.TEXT: st.text("ab", max_size=2),
    Holds.TRUTH: st.booleans(),
    Holds.NUMBER: st.integers(0, 5) | st.floats(0, 1),
    Holds.OBJECT: messages,
    Holds.OBJECTS: st.lists(messages, max_size=2),
    Holds.LABELS: messages | st.lists(messages, max_size=2),
    Holds.TEXTS: st.lists(st.text("ab", max_size=2), max_size=2),
    Holds.ANYTHING: anything,
}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the fields that steer nothing."""
    body: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(FREE), unique=True, max_size=12)):
        module = MODULES.get(path[0])
        value = draw(values[module[path[1]] if module else OWN[path[0]]])
        if module:
            body.setdefault(path[0], {})[path[1]] = value
        else:
            body[path[0]] = value
    return body


def asked(body: Any, mask: Any = None) -> Asked:
    query = {} if mask is None else {MASK: ",".join(".".join(path) for path in mask)}
    ids = {"instance": instance_id(KEY)}
    return Asked(
        ids, Place(query, "query"), Place(body), Given(0, lambda size: "ab" * size), VERSIONS
    )


def patched(catalog: Catalog, body: Any, mask: Any = None) -> Catalog:
    """What a PATCH makes of a catalog; the same one again is no change."""
    after = apply(catalog, read_update(asked(body, mask), catalog), Policy.CONFIDENCE).catalog
    assert read_update(asked(body, mask), after) == []
    return after


def shown(catalog: Catalog) -> Any:
    return show_document(catalog.experiments[KEY], catalog, "allotment")


def at(tree: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path; what says nothing is as good as what is usual there."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return USUAL.get(path) if tree is None else tree


def started() -> Catalog:
    base = apply(EMPTY, [Create(BUTTON), Create(NORDICS)]).catalog
    return apply(base, read_create(asked(every_field()), base), Policy.CONFIDENCE).catalog


START = started()


@given(bodies(), st.lists(st.sampled_from(FREE), unique=True, min_size=1, max_size=8))
def test_what_a_mask_names_is_as_the_body_has_it_and_nothing_else_is_changed(
    body: Any, mask: Any
) -> None:
    before, after = shown(START), shown(patched(START, body, mask))
    for path in PATHS:
        assert at(after, path) == at(body if path in mask else before, path), path


@given(bodies())
def test_without_a_mask_what_is_given_is_set_and_the_rest_stays(body: Any) -> None:
    before, after = shown(START), shown(patched(START, body))
    for path in PATHS:
        value = reduce(lambda tree, name: (tree or {}).get(name), path, body)
        if value is None:
            assert at(after, path) == at(before, path), path
        elif not isinstance(value, dict):  # an object is laid over the one that is there
            assert at(after, path) == value, path


@given(bodies())
def test_a_star_leaves_nothing_but_what_the_body_has(body: Any) -> None:
    after = shown(patched(START, {**body, "displayName": "New"}, [("*",)]))
    for path in FREE:
        if path == ("flags", "rule"):
            continue  # the flag is gone, and its rule with it
        assert at(after, path) == at(body, path), path


@given(bodies(), st.none() | st.lists(st.sampled_from(FREE), unique=True, min_size=1))
def test_what_is_kept_leaves_all_that_steers_alone(body: Any, mask: Any) -> None:
    after = patched(START, body, mask).experiments[KEY]
    before = START.experiments[KEY]
    for field in before.__slots__:
        assert field == "kept" or getattr(after, field) == getattr(before, field), field


@given(bodies(), bodies())
def test_two_patches_with_masks_that_do_not_meet_are_the_same_in_either_order(
    one: Any, other: Any
) -> None:
    left, right = FREE[::2], FREE[1::2]
    there = patched(patched(START, one, left), other, right)
    back = patched(patched(START, other, right), one, left)
    assert shown(there) == shown(back)
