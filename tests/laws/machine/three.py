"""What three vendors' APIs should do to the same experiments, on plain dicts: from their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from allotment.dialects.auth0.names import id_of as auth0_id
from allotment.dialects.confidence.names import instance_name
from allotment.dialects.launchdarkly.ids import id_of as hex_id

AUTH0, LAUNCHDARKLY, CONFIDENCE = APIS = ("auth0", "launchdarkly", "confidence")
COLORS: Final = ("blue", "green")
FLOW: Final = "authentication"

_AUTH0: Final = "/api/v2/experimentation/experiments"
_LAUNCHDARKLY: Final = "/api/v2/projects/default/environments/production/experiments"
_INSTANCES: Final = "/v1/workflows/abtest/instances"
_SEMANTIC: Final = {"content_type": "application/json; domain-model=launchdarkly.semanticpatch"}

# A request: its method, its path, its body and its headers.
Asked = tuple[str, str, Any, dict[str, str]]


@dataclass
class Expected:
    """One experiment as it should be; `flow` says whether Auth0's limit counts it."""

    key: str
    name: str
    weights: tuple[int, int]
    flow: bool
    state: str = "draft"
    archived: bool = False

    def may_reweigh(self, api: str, weights: tuple[int, int]) -> bool:
        if self.archived:
            return False
        if self.state == "live":
            grows = all(new >= old for new, old in zip(weights, self.weights, strict=True))
            return api == CONFIDENCE and grows and sum(weights) <= 100
        return self.state == "draft"

    def may_start(self, api: str, others: list[Expected]) -> bool:
        if self.archived or self.state != "draft":
            return False
        if api == AUTH0:
            limited = self.flow and any(one.flow and one.state == "live" for one in others)
            return sum(self.weights) == 100 and not limited
        return sum(self.weights) > 0

    def may_archive(self, api: str) -> bool:
        at = {AUTH0: ("ended",), LAUNCHDARKLY: ("draft", "ended")}[api]
        return self.archived or self.state in at


def create(api: str, key: str, name: str, weights: tuple[int, int]) -> Asked:
    if api == AUTH0:
        body = {
            "name": name,
            "feature_flag_id": auth0_id("flag", "button"),
            "authentication_flow": FLOW,
            "allocations": _items(weights),
        }
        return "POST", _AUTH0, body, {}
    if api == CONFIDENCE:
        treatments = _confidence_treatments(weights)
        return "POST", _INSTANCES, {"displayName": name, "abtest": {"treatments": treatments}}, {}
    body = {"name": name, "key": key, "iteration": _launchdarkly_iteration(weights)}
    return "POST", _LAUNCHDARKLY, body, {}


def draft(key: str, weights: tuple[int, int], *, reshuffle: bool) -> Asked:
    """LaunchDarkly's draft of another iteration, which may lie beside a live one."""
    body = {**_launchdarkly_iteration(weights), "canReshuffleTraffic": reshuffle}
    return "POST", f"{_LAUNCHDARKLY}/{key}/iterations", body, {}


def rename(api: str, key: str, name: str) -> Asked:
    return _edit(
        api, key, {"name": name}, {"kind": "updateName", "value": name}, {"displayName": name}
    )


def reweigh(api: str, key: str, weights: tuple[int, int]) -> Asked:
    treatments = {"operation": "update", "value": _launchdarkly_treatments(weights)}
    update = {"kind": "updateExperimentFields", "value": {"treatments": treatments}}
    abtest = {"abtest": {"treatments": _confidence_treatments(weights)}}
    return _edit(api, key, {"allocations": _items(weights)}, update, abtest)


def start(api: str, key: str) -> Asked:
    kind = {"kind": "startIteration", "changeJustification": "again"}
    return _move(api, key, "active", kind, "live")


def stop(api: str, key: str) -> Asked:
    winner = hex_id("treatment", key, "1", "blue")
    kind = {"kind": "stopIteration", "winningTreatmentId": winner}
    return _move(api, key, "completed", kind, "ended")


def archive(api: str, key: str) -> Asked:
    return _move(api, key, "archived", {"kind": "archiveExperiment"}, "")


def _edit(api: str, key: str, auth0: Any, instruction: Any, confidence: Any) -> Asked:
    if api == AUTH0:
        return "PATCH", f"{_AUTH0}/{auth0_id('experiment', key)}", auth0, {}
    if api == CONFIDENCE:
        return "PATCH", f"/v1/{instance_name(key)}", confidence, {}
    return "PATCH", f"{_LAUNCHDARKLY}/{key}", {"instructions": [instruction]}, _SEMANTIC


def _move(api: str, key: str, status: str, instruction: Any, state: str) -> Asked:
    if api == CONFIDENCE:
        return "POST", f"/v1/{instance_name(key)}:transition", {"targetState": state}, {}
    return _edit(api, key, {"status": status}, instruction, None)


def _items(weights: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "variation_id": auth0_id("variation", "button", color),
            "weight": weight,
            "is_control": not place,
        }
        for place, (color, weight) in enumerate(zip(COLORS, weights, strict=True))
    ]


def _launchdarkly_iteration(weights: tuple[int, int]) -> dict[str, Any]:
    return {
        "hypothesis": "It helps",
        "metrics": [{"key": "sales"}],
        "primarySingleMetricKey": "sales",
        "treatments": _launchdarkly_treatments(weights),
        "flags": {"button": {"ruleId": "fallthrough", "flagConfigVersion": 1}},
    }


def _launchdarkly_treatments(weights: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {
            "name": color,
            "baseline": not place,
            "allocationPercent": str(weight),
            "parameters": [
                {"flagKey": "button", "variationId": hex_id("variation", "button", color)}
            ],
        }
        for place, (color, weight) in enumerate(zip(COLORS, weights, strict=True))
    ]


def _confidence_treatments(weights: tuple[int, int]) -> list[dict[str, Any]]:
    return [
        {"variant": f"flags/button/variants/{color}", "weight": weight * 100}
        for color, weight in zip(COLORS, weights, strict=True)
    ]
