"""A workspace of Confidence's API in this process: a flag to test, and short ways to ask."""

from typing import Any, get_args, get_origin

from allotment.change.commands import Create, SwitchFlag
from allotment.dialects.confidence.instance_views import ConfidenceInstanceEdit
from allotment.dialects.confidence.modules import MODULES as NAMES
from allotment.dialects.confidence.names import instance_name
from allotment.dialects.confidence.protobuf import fields_of, forms_in
from allotment.model.flag import Flag, FlagState, Variation
from allotment.model.segment import Clause, Operator, Segment
from tenant import Vendor

WORKFLOW = "/workflows/abtest"
INSTANCES = f"{WORKFLOW}/instances"
UNITS = [f"user-{number}" for number in range(400)]

BUTTON = Flag(
    "button",
    (
        Variation("blue", '{"color":"#00f"}'),
        Variation("green", '{"color":"#0f0"}'),
        Variation("red", '{"color":"#f00"}'),
    ),
    "blue",
)


LINK = Flag("link", BUTTON.variations, BUTTON.default)

NORDICS = Segment("nordics", rules=(Clause(("country",), Operator.IN, ("SE", "NO")),))

# The fields that a request may set outside of the modules, and those of each module, with the forms
# that each may have; and what is output only.
MODULES: dict[str, dict[str, Any]] = {
    name: fields_of(fields_of(ConfidenceInstanceEdit)[name][0]) for name in NAMES
}
OWN: dict[str, Any] = {
    name: forms for name, forms in fields_of(ConfidenceInstanceEdit).items() if name not in MODULES
}
OUTPUT = ConfidenceInstanceEdit.output_only

OPEN = {"isEnabled": True, "items": [{"key": "stop", "parameters": {}}]}


def value_of(forms: tuple[Any, ...]) -> Any:
    """A value of a field that may have these forms."""
    form = forms[0]
    if get_origin(form) is list:
        inner = next(forms_in(get_args(form)[0]))
        return ["web", "ios"] if inner is str else [{"a": 1}, {"b": {"c": [None, "d"]}}]
    if get_origin(form) is dict:
        return {"team": "growth"}
    return {str: "some text", bool: True, int: 0.25}.get(form, OPEN)


class Workspace(Vendor):
    """Speaks Confidence's API."""

    def flag(self, flag: Flag = BUTTON) -> None:
        """The flag, natively, and on."""
        self.apply(Create(flag))
        if flag.state is FlagState.OFF:
            self.apply(SwitchFlag(flag.key, FlagState.ON))

    def segment(self, segment: Segment = NORDICS) -> None:
        """The segment, natively."""
        self.apply(Create(segment))

    def draft(self, *weights: Any, **more: Any) -> Any:
        """A new instance on the flag, with a treatment a weight."""
        body = {"displayName": "Greener button", "abtest": {"treatments": arms(*weights)}, **more}
        return self.post(INSTANCES, body)

    def live(self, *weights: Any, **more: Any) -> Any:
        """A new instance that runs."""
        return self.move(self.draft(*weights, **more), "live")

    def move(self, instance: Any, state: str) -> Any:
        return self.post(f"/{instance['name']}:transition", {"targetState": state})

    def update(self, instance: Any, body: Any, mask: str | None = None) -> Any:
        """The instance after a PATCH, which must be as a GET shows it."""
        query = "" if mask is None else f"?updateMask={mask}"
        shown = self.patch(f"/{instance['name']}{query}", body)
        assert shown == self.get(f"/{instance['name']}")
        return shown

    def refused(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, int]:
        """The status and the code of a refusal, which has the body of this API's errors."""
        answer = self.call(method, path, body, **headers)
        tree = answer.json()
        assert list(tree) == ["code", "message", "details"], tree
        assert answer.headers["content-type"] == "application/json"
        return answer.status_code, tree["code"]

    def refused_update(self, instance: Any, body: Any, mask: str | None = None) -> tuple[int, int]:
        """The refusal of a PATCH, which changed nothing."""
        before = self.catalog
        query = "" if mask is None else f"?updateMask={mask}"
        refused = self.refused("PATCH", f"/{instance['name']}{query}", body)
        assert self.catalog == before
        return refused

    def key(self, instance: Any) -> str:
        """The key of the experiment that the instance is."""
        name = instance["name"]
        return next(key for key in self.catalog.experiments if instance_name(key) == name)

    def given(self, instance: Any) -> dict[str, str | None]:
        """Each unit's treatment."""
        key = self.key(instance)
        return {unit: self.engine.assign(key, unit).treatment for unit in UNITS}


def every_field() -> dict[str, Any]:
    """A body with every field of the page, made from the models."""
    named = {"flag": "flags/button"}
    steering: dict[str, dict[str, Any]] = {
        "abtest": {**named, "treatments": arms(5000, 4000)},
        "flags": {**named, "segment": "segments/nordics", "targetingKeySelector": "targeting_key"},
    }
    body = {name: value_of(forms) for name, forms in OWN.items()}
    for module, fields in MODULES.items():
        values = {name: value_of(forms) for name, forms in fields.items()}
        body[module] = {**values, **steering.get(module, {})}
    return body


def written(instance: dict[str, Any]) -> dict[str, Any]:
    """What a request may set of an instance, without the names that treatments are given."""
    found = {name: instance[name] for name in (*OWN, *MODULES) if name in instance}
    treatments = found.get("abtest", {}).get("treatments", [])
    without = [{name: one[name] for name in one if name != "name"} for one in treatments]
    return {**found, "abtest": {**found["abtest"], "treatments": without}} if without else found


def arms(*weights: Any) -> list[dict[str, Any]]:
    """A treatment a weight: of blue, green and red, in this order."""
    return [
        {"variant": f"flags/button/variants/{one.key}", "weight": weight}
        for one, weight in zip(BUTTON.variations, weights, strict=False)
    ]
