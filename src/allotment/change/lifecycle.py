"""Which transitions and edits are allowed. No other file decides this; all ask here.

A row is an event, a column the status of the experiment (or of the iteration that is edited), and
a cell holds the letters of the policies that allow it:

    n native   a Auth0   l LaunchDarkly   c Confidence

Everything an API says about its lifecycle (editable_fields, mutableFieldsByStatus,
possibleTransitions, lockedDataKeys) follows from these tables; which of its fields stand for which
events, a dialect says.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from allotment.errors import InvalidChange
from allotment.model.experiment import Experiment, Iteration
from allotment.model.flag import FlagState


class Policy(StrEnum):
    """Whose rules apply. Native allows the most."""

    NATIVE = "native"
    AUTH0 = "auth0"
    LAUNCHDARKLY = "launchdarkly"
    CONFIDENCE = "confidence"


class Status(StrEnum):
    """Where an experiment stands: the state of its live or last iteration, or archived."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    ARCHIVED = "archived"


class Event(StrEnum):
    """What can happen to an experiment; the value ends the sentence "it cannot ..."."""

    CREATE = "be created"
    REPLACE = "be replaced as a whole"
    DELETE = "be deleted"
    START = "be started"
    START_OVER = "be started over"
    PAUSE = "be paused"
    RESUME = "be resumed"
    STOP = "be stopped"
    ARCHIVE = "be archived"
    RESTORE = "be restored"
    CARRY_OVER = "get a draft that keeps the salt"
    RESHUFFLE = "get a reshuffled draft"
    NAME = "change its name or description"
    UNIT = "change its kind of unit"
    TREATMENTS = "change its treatments"
    ALLOCATIONS = "change its allocations"
    WEIGHTS_UP = "raise weights"
    WEIGHTS_DOWN = "lower weights"
    AUDIENCE = "change its audience"
    ENROLMENT_UP = "raise its enrolment share"
    ENROLMENT_DOWN = "lower its enrolment share"
    LAYER_UP = "grow in its layer"
    LAYER_DOWN = "give up part of its layer"
    HOLDOUT = "change its holdout"
    OVERRIDES = "change its overrides"
    KEEPING = "change whether assignments are kept"
    INTAKE = "open or close its intake"


_COLUMNS: Final = tuple(Status)

# Where the vendors' facts are silent, the choice and its reason stand beside the row.
#
# fmt: off
_TABLE: Final[dict[Event, tuple[str, str, str, str, str]]] = {
    #                     draft   running paused  stopped archived
    # Through an API an experiment begins as a draft; a file or an import brings any state.
    Event.CREATE:         ("nalc", "n",    "n",    "n",    "n"),
    # Rolling back and importing are native.
    Event.REPLACE:        ("n",    "n",    "n",    "n",    "n"),
    # Auth0 refuses while active only. LaunchDarkly has no call for it. Confidence: as silent as
    # its ended experiments are harmless. Natively a paused one is stopped first: it keeps units.
    Event.DELETE:         ("nac",  "",     "a",    "nac",  "na"),
    # A stopped one never runs again: native and LaunchDarkly draft an iteration first.
    Event.START:          ("nalc", "",     "",     "",     ""),
    Event.START_OVER:     ("",     "nl",   "nl",   "",     ""),
    # LaunchDarkly has no pause. What an API pauses it can resume.
    Event.PAUSE:          ("",     "nac",  "",     "",     ""),
    Event.RESUME:         ("",     "",     "nac",  "",     ""),
    Event.STOP:           ("",     "nalc", "nalc", "",     ""),
    # Archiving a running one would end it without a winner: stop it first. Auth0 archives what is
    # completed only.
    Event.ARCHIVE:        ("nl",   "",     "",     "nal",  ""),
    Event.RESTORE:        ("",     "",     "",     "",     "nl"),
    # For a draft the column is the status of the iteration before it. LaunchDarkly reshuffles on
    # stop and start whatever the request says. Auth0 and Confidence have one iteration; the salt
    # of Confidence's own dealing is that of its segment, which is chosen while it is a draft.
    Event.CARRY_OVER:     ("nl",   "nl",   "nl",   "n",    ""),
    Event.RESHUFFLE:      ("nlc",  "nl",   "nl",   "nl",   ""),
    Event.NAME:           ("nalc", "nalc", "nalc", "nalc", "nl"),
    # The unit is never edited under a running iteration: every draw would change.
    Event.UNIT:           ("nalc", "",     "",     "",     ""),
    # Auth0: pause, edit the allocations, resume. LaunchDarkly: a new iteration.
    Event.TREATMENTS:     ("nalc", "n",    "na",   "",     ""),
    Event.ALLOCATIONS:    ("nalc", "n",    "na",   "",     ""),
    # Confidence grows live experiments and never shrinks them.
    Event.WEIGHTS_UP:     ("nalc", "nc",   "nac",  "",     ""),
    Event.WEIGHTS_DOWN:   ("nalc", "n",    "na",   "",     ""),
    Event.AUDIENCE:       ("nalc", "n",    "n",    "",     ""),
    # Auth0 sets its ramp levels in a draft and then advances them while active.
    Event.ENROLMENT_UP:   ("nac",  "nac",  "nc",   "",     ""),
    Event.ENROLMENT_DOWN: ("nac",  "n",    "n",    "",     ""),
    # Auth0 has neither layers nor what follows. LaunchDarkly does not say when a reservation may
    # shrink; while one runs this would throw units out, so it is refused.
    Event.LAYER_UP:       ("nlc",  "nlc",  "nlc",  "nlc",  "n"),
    Event.LAYER_DOWN:     ("nlc",  "n",    "n",    "nlc",  "nl"),
    Event.HOLDOUT:        ("nlc",  "n",    "n",    "n",    ""),
    Event.OVERRIDES:      ("nc",   "nc",   "nc",   "n",    ""),
    Event.KEEPING:        ("nc",   "n",    "n",    "n",    ""),
    Event.INTAKE:         ("nc",   "nc",   "nc",   "n",    ""),
}

_LETTER: Final = {
    Policy.NATIVE: "n", Policy.AUTH0: "a", Policy.LAUNCHDARKLY: "l", Policy.CONFIDENCE: "c",
}

# What each policy calls each status. What an API cannot say exactly it shows as the nearest.
_NAMES: Final[dict[Policy, tuple[str, str, str, str, str]]] = {
    Policy.NATIVE:       ("draft",       "running", "paused",  "stopped",   "archived"),
    Policy.AUTH0:        ("draft",       "active",  "paused",  "completed", "archived"),
    Policy.LAUNCHDARKLY: ("not_started", "running", "running", "stopped",   "stopped"),
    Policy.CONFIDENCE:   ("draft",       "live",    "paused",  "ended",     "ended"),
}
# fmt: on

# Where a transition leads to.
_LEADS_TO: Final = {
    Event.START: Status.RUNNING,
    Event.START_OVER: Status.RUNNING,
    Event.PAUSE: Status.PAUSED,
    Event.RESUME: Status.RUNNING,
    Event.STOP: Status.STOPPED,
    Event.ARCHIVE: Status.ARCHIVED,
    Event.RESTORE: Status.STOPPED,
}

STRUCTURE: Final = (Event.TREATMENTS, Event.ALLOCATIONS, Event.WEIGHTS_UP, Event.WEIGHTS_DOWN)

# An API's fields, and the events that writing one may be: it can be edited where all of them are
# allowed.
Fields: TypeAlias = Mapping[str, tuple[Event, ...]]


def status(experiment: Experiment) -> Status:
    """Where the experiment stands."""
    return iteration_status(experiment, experiment.current)


def iteration_status(experiment: Experiment, iteration: Iteration) -> Status:
    """Where one of its iterations stands; archived with the experiment."""
    return Status.ARCHIVED if experiment.archived else Status(iteration.state)


def called(policy: Policy, at: Status) -> str:
    """The policy's word for a status."""
    return _NAMES[policy][_COLUMNS.index(at)]


def is_among(policy: Policy, letters: str) -> bool:
    """Whether the policy's letter is among those."""
    return _LETTER[policy] in letters


def allows(policy: Policy, event: Event, at: Status) -> bool:
    """Whether the policy lets the event happen at the status."""
    return is_among(policy, _TABLE[event][_COLUMNS.index(at)])


def permit(policy: Policy, event: Event, at: Status, path: str) -> None:
    """Raise InvalidChange, saying when it would be allowed, unless the policy allows the event.

    Its code is "no_way_from_running" for a transition and "not_while_running" for anything else,
    with the native word for the status.
    """
    if allows(policy, event, at):
        return
    code = f"{'no_way_from' if event in _LEADS_TO else 'not_while'}_{at}"
    where = list(dict.fromkeys(called(policy, s) for s in Status if allows(policy, event, s)))
    hint = f"it can while {' or '.join(where)}" if where else f"{policy} never allows it"
    # An API without a word for it would give a message that makes no sense.
    here = at if at is Status.ARCHIVED else called(policy, at)
    message = f"while {here}, the experiment cannot {event}; {hint}"
    raise InvalidChange(message, path, code=code)


def may_replace(policy: Policy, kind: str, path: str) -> None:
    """Raise InvalidChange unless the policy replaces nouns, of a kind without a status, whole."""
    if not allows(policy, Event.REPLACE, Status.DRAFT):
        raise InvalidChange(f"{policy} replaces no {kind} as a whole; change what differs", path)


def possible_transitions(policy: Policy, at: Status) -> tuple[str, ...]:
    """The policy's words for the other statuses that can follow, without repeats."""
    here = called(policy, at)
    reachable = (called(policy, to) for event, to in _LEADS_TO.items() if allows(policy, event, at))
    return tuple(dict.fromkeys(word for word in reachable if word != here))


def editable(policy: Policy, fields: Fields, at: Status) -> tuple[str, ...]:
    """Those of an API's fields that can be written at the status."""
    return tuple(
        field
        for field, events in fields.items()
        if all(allows(policy, event, at) for event in events)
    )


# Some events need more than a status. As above: the letters of the policies that ask for it.
# What starting needs stands in `obstacles`.
_NEEDS_WINNER: Final = "l"  # stopping
_NEEDS_EITHER: Final = "l"  # a layer or a holdout, not both
_NEEDS_TWO_VARIATIONS: Final = "a"  # turning a flag on


def may_stop(policy: Policy, winner: str | None, path: str) -> None:
    """Raise InvalidChange unless there is a winner where the policy needs one."""
    if is_among(policy, _NEEDS_WINNER) and winner is None:
        message = "stopping needs a winner; where nothing won, name the control"
        raise InvalidChange(message, path, code="no_winner")


def may_join(policy: Policy, experiment: Experiment, path: str) -> None:
    """Raise InvalidChange where the policy forbids a layer beside a holdout and there are both."""
    if is_among(policy, _NEEDS_EITHER) and experiment.layer and experiment.holdout:
        message = "an experiment is in a layer or under a holdout, not both"
        raise InvalidChange(message, path, code="layer_and_holdout")


# fmt: off
_FLAGS: Final = {
    # LaunchDarkly switches flags; the others turn one on once. Archived is final.
    (FlagState.OFF, FlagState.ON):       "nalc",
    (FlagState.OFF, FlagState.ARCHIVED): "nalc",
    (FlagState.ON,  FlagState.OFF):      "nl",
    (FlagState.ON,  FlagState.ARCHIVED): "nalc",
}
# fmt: on


def may_switch(policy: Policy, old: FlagState, new: FlagState, variations: int, path: str) -> None:
    """Raise InvalidChange unless a flag with so many variations may be made `new`."""
    if not is_among(policy, _FLAGS.get((old, new), "")):
        message = f"a flag that is {old} cannot be made {new}"
        raise InvalidChange(message, path, code=f"no_way_from_{old}")
    if new is FlagState.ON and is_among(policy, _NEEDS_TWO_VARIATIONS) and variations < 2:
        message = "a flag needs at least two variations to be turned on"
        raise InvalidChange(message, path, code="few_variations")
