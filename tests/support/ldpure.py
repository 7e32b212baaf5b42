"""LaunchDarkly's dialect alone, without a server: a catalog, what requests make of it and show."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest

from allotment.change.apply import apply
from allotment.change.commands import Command
from allotment.change.kinds import KINDS, nouns_of
from allotment.change.lifecycle import Policy
from allotment.change.references import with_users
from allotment.dialects.launchdarkly.codes import show_error
from allotment.dialects.launchdarkly.experiments import create_experiment
from allotment.dialects.launchdarkly.flags import post_feature_flag
from allotment.dialects.launchdarkly.instructions import patch_experiment
from allotment.dialects.launchdarkly.iterations import create_iteration
from allotment.dialects.launchdarkly.state import LDState, Scene
from allotment.dialects.wire.model import read
from allotment.dialects.wire.operation import Call, Noun
from allotment.errors import AllotmentError
from allotment.model.catalog import EMPTY, Catalog
from allotment.store.stored import Version


class State(NamedTuple):
    """What a view sees of an environment."""

    catalog: Catalog
    versions: Mapping[str, Version]


COLOURS = ("red", "green", "blue")


class Dialect:
    """Readers and views as the pure functions that they are; what they refuse is raised.

    Every request comes a millisecond after the one before it.
    """

    def __init__(self) -> None:
        self.catalog: Catalog = with_users(EMPTY)
        self.scene = Scene("default", "production")
        self._fresh = count(1)

    def apply(self, commands: Sequence[Command], policy: Policy = Policy.LAUNCHDARKLY) -> None:
        self.catalog = apply(self.catalog, commands, policy).catalog

    def do(self, reader: Any, body: Any = None, **ids: str) -> None:
        """Do what a request asks for; its path has these ids."""
        fresh = next(self._fresh)
        (model,) = get_args(get_type_hints(reader)["call"])
        said = None if body is None else read(model, body)
        call = Call(ids, said, 1_700_000_000_000 + fresh, lambda size: f"{fresh:0{2 * size}x}")
        self.apply(reader(call, self.catalog))

    def refused(self, asked: Callable[[], object]) -> tuple[int, str]:
        """The status and the code of what is refused, and changes nothing."""
        before = self.catalog
        with pytest.raises(AllotmentError) as refused:
            asked()
        assert self.catalog is before
        return refused.value.status_hint, str(show_error(refused.value)["code"])

    def refuses(self, reader: Any, body: Any, **ids: str) -> tuple[int, str]:
        """The status and the code of a request that is refused, and changes nothing."""
        return self.refused(lambda: self.do(reader, body, **ids))

    @property
    def state(self) -> LDState:
        nouns = [(kind, key) for kind in KINDS for key in nouns_of(self.catalog, kind)]
        versions = {f"{kind}:{key}": Version(1, 0, 0) for kind, key in nouns}
        project = {"production": State(self.catalog, versions)}
        return LDState(self.scene, self.catalog, versions, lambda: project)

    def show(self, view: Any, kind: str, key: str, **query: str) -> Any:
        """What a view shows of a noun, as JSON."""
        model = get_type_hints(view).get("query")
        asked = [] if model is None else [read(model, query, "query")]
        return view(self.state, Noun(kind, key), *asked).plain()

    def list(self, view: Any, **query: str) -> Any:
        """What a list shows, as JSON."""
        return view(read(get_type_hints(view)["query"], query, "query"), self.state).plain()

    # What tests begin with.

    def flag(self, key: str = "button") -> None:
        """A flag that is on, with the variations red, green and blue."""
        values = [{"name": each, "value": each} for each in COLOURS]
        body = {"key": key, "name": key, "isFlagOn": True, "variations": values}
        self.do(post_feature_flag, body)

    def experiment(self, said: Any, key: str = "colour", **more: Any) -> None:
        """An experiment with this iteration, a draft."""
        self.do(create_experiment, {"key": key, "name": key.title(), "iteration": said, **more})

    def draft(self, said: Any, key: str = "colour") -> None:
        self.do(create_iteration, said, experimentKey=key)

    def instruct(self, key: str, *instructions: Any) -> None:
        """Follow instructions; one may be its kind alone."""
        steps = [{"kind": one} if isinstance(one, str) else one for one in instructions]
        self.do(patch_experiment, {"instructions": steps}, experimentKey=key)
