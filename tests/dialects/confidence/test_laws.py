"""Laws of a PATCH, over bodies and masks that nobody chose."""

from dataclasses import dataclass
from functools import reduce
from typing import Any, get_args, get_origin

from hypothesis import given
from hypothesis import strategies as st

from allotment.change.apply import apply
from allotment.change.commands import Create
from allotment.change.lifecycle import Policy
from allotment.dialects.confidence.instance_views import (
    ConfidenceInstanceCreate,
    ConfidenceInstanceEdit,
    get_instance,
)
from allotment.dialects.confidence.instances import create_instance, update_instance
from allotment.dialects.confidence.modules import ConfidenceInstanceFields, ConfidenceModule
from allotment.dialects.confidence.names import instance_id
from allotment.dialects.confidence.protobuf import ConfidenceMask, fields_of, forms_in
from allotment.dialects.wire.model import read
from allotment.dialects.wire.operation import Call, Noun
from allotment.model.catalog import EMPTY, Catalog
from allotment.store import Version
from workspace import BUTTON, MODULES, NORDICS, OWN, every_field

KEY = "some-text"
VERSIONS = {f"experiment:{KEY}": Version(1, 0, 0)}
STEERING = {
    (name, field)
    for name, (module, *_) in fields_of(ConfidenceInstanceFields).items()
    if isinstance(module, type) and issubclass(module, ConfidenceModule)
    for field in module.steering
}
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


def values(form: Any) -> st.SearchStrategy[Any]:
    """Values of a field that has this form."""
    if get_origin(form) is list:
        inner = next(forms_in(get_args(form)[0]))
        return st.lists(st.text("ab", max_size=2) if inner is str else messages, max_size=2)
    plain = {str: st.text("ab", max_size=2), bool: st.booleans(), Any: anything}
    return {**plain, int: st.integers(0, 5), float: st.floats(0, 1)}.get(form, messages)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the fields that steer nothing."""
    body: dict[str, Any] = {}
    for path in draw(st.lists(st.sampled_from(FREE), unique=True, max_size=12)):
        module = MODULES.get(path[0])
        forms = module[path[1]] if module else OWN[path[0]]
        value = draw(st.one_of([values(form) for form in forms]))
        if module:
            body.setdefault(path[0], {})[path[1]] = value
        else:
            body[path[0]] = value
    return body


@dataclass
class State:
    """What a view sees."""

    catalog: Catalog
    versions: Any


def call(body: Any) -> Call[Any]:
    return Call({"instance": instance_id(KEY)}, body, 0, lambda size: "ab" * size)


def changes(catalog: Catalog, body: Any, mask: Any) -> Any:
    text = None if mask is None else ",".join(".".join(path) for path in mask)
    query = read(ConfidenceMask, {} if text is None else {"updateMask": text}, "query")
    return call(ConfidenceInstanceEdit.changes(body, shown(catalog), query))


def patched(catalog: Catalog, body: Any, mask: Any = None) -> Catalog:
    """What a PATCH makes of a catalog; the same one again is no change."""
    commands = update_instance(changes(catalog, body, mask), catalog)
    after = apply(catalog, commands, Policy.CONFIDENCE).catalog
    assert update_instance(changes(after, body, mask), after) == []
    return after


def shown(catalog: Catalog) -> Any:
    return get_instance(State(catalog, VERSIONS), Noun("experiment", KEY)).plain()


def at(tree: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path; what says nothing is as good as what is usual there."""
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return USUAL.get(path) if tree is None else tree


def started() -> Catalog:
    base = apply(EMPTY, [Create(BUTTON), Create(NORDICS)]).catalog
    body = read(ConfidenceInstanceCreate, every_field())
    return apply(base, create_instance(call(body), base), Policy.CONFIDENCE).catalog


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
