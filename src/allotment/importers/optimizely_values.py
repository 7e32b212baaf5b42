"""What a flag of Optimizely's answers: a variation, whether it is on, and the variables' values."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from allotment.importers.optimizely_payload import OptFlag, OptVariable, OptVariation
from allotment.importers.payload import client_default, json_text, refuse, usable_key
from allotment.model.flag import Variation

# The answer where no rule has one, which has no variation there.
UNDECIDED: Final = "undecided"

_KINDS: Final[dict[str, type]] = {"boolean": bool, "integer": int, "double": float, "json": object}


class Variations:
    """The variations of a flag, each with the answer for its value.

    Without a flag, as for an experiment alone, it is the variation's key.
    """

    def __init__(self, flag: OptFlag | None, path: str) -> None:
        self._flag = flag
        self._path = path
        if flag is None:
            default = client_default({}, path)
        else:
            default = Variation(UNDECIDED, self._answer(None, path))
        self.default = default.key
        self._made = {default.key: default}

    def all(self) -> tuple[Variation, ...]:
        """The default, and those that were asked for."""
        return tuple(self._made.values())

    def key(self, given: OptVariation, rule: str, path: str) -> str:
        """The variation's key here: its own, or with its rule's where another value has that."""
        value = self._answer(given, path)
        for key in (given.key, f"{rule}.{given.key}"):
            made = self._made.setdefault(
                usable_key(key, f"{path}.key"), Variation(key, value, given.name or "")
            )
            if made.value == value and key != self.default:
                return key
        return refuse(f"{path}.key", f"there is another variation {given.key!r} already")

    def _answer(self, given: OptVariation | None, path: str) -> str:
        if self._flag is None:
            return json_text(given.key if given else {})
        is_on = given is not None and given.feature_enabled
        used = {each.id: each.value for each in given.variables} if given and is_on else {}
        values = {
            each.key: _value(each, used.get(each.id, each.default_value), path)
            for each in self._flag.variables
        }
        return json_text({"enabled": is_on, "variables": values})


def _value(variable: OptVariable, text: str, path: str) -> Any:
    """The value that the text of a variable spells."""
    kind = "json" if variable.sub_type == "json" else variable.type
    if kind == "string":
        return text
    try:
        return msgspec.json.decode(text, type=_KINDS[kind])
    except (KeyError, msgspec.DecodeError):
        refuse(path, f"the variable {variable.key!r} is {text!r}, which is no {kind}")
