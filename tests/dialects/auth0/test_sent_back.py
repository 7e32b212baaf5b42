"""What a GET answers, sent back by PATCH: nothing changes, or the field is named that is not set.

The vendor's bodies have no other fields than a PATCH may set, so a whole answer is refused; its
settable part is no change, whatever the state.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allotment.dialects.auth0.flags import FLAG_STATUSES
from dialects.auth0.test_foreign import foreign
from tenant import _STEPS, SCHEMAS, Tenant, halves

__all__ = ["foreign"]

# Of each kind of noun, the schema of what a PATCH of it may set.
SETTABLE: Final = {
    "exp": "Auth0ExperimentUpdate",
    "flg": "Auth0FlagUpdate",
    "var": "Auth0VariationUpdate",
    "seg": "Auth0SegmentUpdate",
}
_WEIGHTS: Final = [(50, 50), (0, 100), (33.5, 66.5), (12.3456, 87.6544), (60, 60), (10, 20)]


def changes_nothing(api: Tenant, path: str) -> None:
    """Send back what is shown under the path: whole, its settable part, and field by field."""
    shown = api.get(path)
    revision = api.catalog.revision
    known = SCHEMAS[SETTABLE[shown["id"][:3]]]["properties"]
    settable = {name: value for name, value in shown.items() if name in known}
    status, code, message = _refused(api, path, shown)
    assert (status, code) == (400, "invalid_body")
    first = next(name for name in shown if name not in known)
    assert message.endswith(f" - at $.{first}"), message
    for body in (settable, *({name: value} for name, value in settable.items())):
        assert api.patch(path, body) == shown
    for name in shown.keys() - known:
        assert _refused(api, path, {**settable, name: shown[name]})[2].endswith(f" - at $.{name}")
    assert api.catalog.revision == revision


def _refused(api: Tenant, path: str, body: Any) -> tuple[int, str, str]:
    answer = api.call("PATCH", path, body)
    tree = answer.json()
    return answer.status_code, tree["errorCode"], tree["message"]


@pytest.fixture
def begun(api: Tenant) -> Callable[[], tuple[str, list[str], str]]:
    """Makes a flag with two variations and a segment, each with a name of its own."""
    made = 0

    def begin() -> tuple[str, list[str], str]:
        nonlocal made
        made += 1
        flag, variations = api.flag(f"Flag {made}")
        return flag, variations, api.segment(f"Segment {made}")

    return begin


FOUND = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FOUND
@given(
    status=st.sampled_from(sorted(_STEPS)),
    weights=st.sampled_from(_WEIGHTS),
    by_segment=st.booleans(),
    more=st.fixed_dictionaries(
        {},
        optional={
            "description": st.sampled_from(["Some text", "Größe \N{SNOWMAN}"]),
            "levels": st.sampled_from([[10, 50, 100], [0], [100]]),
        },
    ),
)
def test_an_experiment_at_any_status_sent_back_changes_nothing(  # noqa: PLR0917
    api: Tenant,
    begun: Callable[[], tuple[str, list[str], str]],
    status: str,
    weights: tuple[float, float],
    by_segment: bool,
    more: dict[str, Any],
) -> None:
    flag, (control, new), segment = begun()
    items = halves(control, new, weights=weights)
    if by_segment:
        items = [
            {"variation_id": new, "segment_id": segment, "priority": 1, "is_control": False},
            {"variation_id": control, "is_control": True, "is_fallback": True},
        ]
        more = {**more, "allocation_strategy": "segment"}
    steps = _STEPS[status] if by_segment or sum(weights) == 100 else ()
    path = f"/experiments/{api.experiment(flag, items, name=f'Of {flag}', **more)['id']}"
    for step in steps:
        api.patch(path, {"status": step})
    try:
        changes_nothing(api, path)
    finally:
        if steps and steps[-1] == "active":  # only one may be
            api.patch(path, {"status": "completed"})


@pytest.mark.parametrize("status", FLAG_STATUSES)
def test_a_flag_at_any_status_sent_back_changes_nothing(api: Tenant, status: str) -> None:
    flag, variations = api.flag(active=status == "active")
    if status == "archived":
        api.patch(f"/feature-flags/{flag}", {"status": "archived"})
    changes_nothing(api, f"/feature-flags/{flag}")
    for each in variations:
        changes_nothing(api, f"/feature-flags/{flag}/variations/{each}")


@pytest.mark.parametrize("status", ["active", "archived"])
def test_a_segment_at_any_status_sent_back_changes_nothing(api: Tenant, status: str) -> None:
    path = f"/segments/{api.segment()}"
    api.patch(path, {"status": status})
    changes_nothing(api, path)


def test_what_was_made_elsewhere_sent_back_changes_nothing(
    foreign: Tenant,  # it is a fixture
) -> None:
    for kind, shelf in (
        ("experiments", "experiments"),
        ("feature-flags", "feature_flags"),
        ("segments", "segments"),
    ):
        for each in foreign.get(f"/{kind}")[shelf]:
            path = f"/{kind}/{each['id']}"
            changes_nothing(foreign, path)
            if kind == "feature-flags":
                for one in foreign.get(f"{path}/variations")["variations"]:
                    changes_nothing(foreign, f"{path}/variations/{one['id']}")


def test_items_with_what_is_only_shown_of_them_are_refused_by_name(api: Tenant) -> None:
    flag, variations = api.flag()
    path = f"/experiments/{api.at('draft', flag, variations)}"
    items = api.get(path)["allocations"]
    items[0]["weight"], items[1]["weight"] = 40, 60
    status, code, message = _refused(api, path, {"allocations": items})
    assert (status, code) == (400, "invalid_body")
    assert message.endswith(" - at $.allocations[0].variation_name"), message
