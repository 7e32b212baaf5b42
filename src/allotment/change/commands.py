"""Commands: every change of a catalog is a list of these small frozen values.

A command that edits an iteration means the current one (the live one, else the last) unless it
gives a number. New nouns may leave salts "" and slots empty; `apply` fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from allotment.model.experiment import Allocation, Experiment, Iteration, Treatment
from allotment.model.flag import Flag, FlagExperiment, FlagState, Variation
from allotment.model.layer import Holdout, Layer
from allotment.model.segment import Condition, IdList, Sample, Segment
from allotment.model.slots import Ranges

# Any noun; `kind` is "flag", "segment", "layer", "holdout" or "experiment".
Noun: TypeAlias = Flag | Segment | Layer | Holdout | Experiment


@dataclass(frozen=True, slots=True)
class Create:
    """Create a noun under an unused key; an experiment comes with its iterations."""

    noun: Noun


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the noun that has the same key: for what no finer command can express.

    Rolling back and importing need states that the lifecycle does not lead to. Everything a catalog
    must satisfy is still checked, and a policy must allow the command.
    """

    noun: Noun


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a noun that nothing refers to."""

    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Set a noun's name, which affects no assignment."""

    kind: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Describe:
    """Set a noun's description, which affects no assignment."""

    kind: str
    key: str
    description: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep a field of a vendor's API for which the model has no place.

    `path` begins with the dialect, "auth0/authentication_flow"; `value` is JSON text, or None to
    remove the field. It affects no assignment, and is allowed wherever renaming is. Fields of the
    space itself have the kind and the key "catalog".
    """

    kind: str
    key: str
    path: str
    value: str | None


@dataclass(frozen=True, slots=True)
class SetVariations:
    """Set a flag's variations and its default among them."""

    flag: str
    variations: tuple[Variation, ...]
    default: str


@dataclass(frozen=True, slots=True)
class SwitchFlag:
    """Turn a flag on or off, or archive it."""

    flag: str
    state: FlagState


@dataclass(frozen=True, slots=True)
class OrderExperiments:
    """Set the ordered experiments of a flag."""

    flag: str
    experiments: tuple[FlagExperiment, ...]


@dataclass(frozen=True, slots=True)
class SetRules:
    """Set a segment's rules."""

    segment: str
    rules: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class SetMembers:
    """Set a segment's lists and the kind of unit they name."""

    segment: str
    unit: str
    include: IdList
    exclude: IdList


@dataclass(frozen=True, slots=True)
class SetSample:
    """Make a segment a sample, of exactly the ranges where it says so, or an ordinary one."""

    segment: str
    sample: Sample | None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Give an experiment `share_ppm` of a layer's buckets, or exactly `ranges` where it says so.

    Growing takes free buckets, lowest first; shrinking gives up the highest. An experiment that is
    not in the layer joins it.
    """

    layer: str
    experiment: str
    share_ppm: int
    ranges: Ranges = ()


@dataclass(frozen=True, slots=True)
class Release:
    """Take an experiment out of its layer; its buckets become free."""

    experiment: str


@dataclass(frozen=True, slots=True)
class SetHoldoutShare:
    """Set how much of the audience a holdout keeps out."""

    holdout: str
    share_ppm: int


@dataclass(frozen=True, slots=True)
class SetUnit:
    """Set the kind of unit that an experiment randomises."""

    experiment: str
    unit: str


@dataclass(frozen=True, slots=True)
class SetHoldout:
    """Put an experiment under a holdout, or under none."""

    experiment: str
    holdout: str | None


@dataclass(frozen=True, slots=True)
class SetOverrides:
    """Set the units that get a fixed treatment: (unit key, treatment)."""

    experiment: str
    overrides: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SetKeeping:
    """Say whether first assignments are kept, and whether they outlive the targeting."""

    experiment: str
    keeps_assignments: bool
    ignore_targeting: bool


@dataclass(frozen=True, slots=True)
class SetIntake:
    """Open or close the intake of new units."""

    experiment: str
    open: bool


@dataclass(frozen=True, slots=True)
class ArchiveExperiment:
    """Archive an experiment; it assigns nothing, not even overrides."""

    experiment: str


@dataclass(frozen=True, slots=True)
class RestoreExperiment:
    """Take an experiment out of the archive."""

    experiment: str


@dataclass(frozen=True, slots=True)
class DraftIteration:
    """Add a draft iteration, or put it in place of the draft there is.

    Its number and state are set by `apply`, and it has neither started nor ended. With `reshuffle`
    it gets a salt of its own; without, it keeps the salt of the iteration before it, and when it
    starts its slots are reallocated from those that are dealt then.
    """

    experiment: str
    iteration: Iteration


@dataclass(frozen=True, slots=True)
class SetTreatments:
    """Set an iteration's treatments and which of them is the control."""

    experiment: str
    treatments: tuple[Treatment, ...]
    control: str | None
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class SetAllocations:
    """Set all allocations of an iteration; where a key stays, with the fewest possible moves."""

    experiment: str
    allocations: tuple[Allocation, ...]
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class SetWeights:
    """Set the weights of one allocation; moves exactly the total-variation distance."""

    experiment: str
    allocation: str
    weights: tuple[tuple[str, int], ...]
    total: int
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class SetAudience:
    """Set the segment that may take part, or everyone."""

    experiment: str
    segment: str | None
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class SetEnrolment:
    """Set the ramp: which share of the audience is enrolled. Raising it moves no enrolled unit."""

    experiment: str
    share_ppm: int
    iteration: int | None = None


@dataclass(frozen=True, slots=True)
class StartIteration:
    """Run the draft. Over a live iteration it stops that one, and needs a justification.

    `at` says when, in milliseconds since 1970, UTC.
    """

    experiment: str
    justification: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class PauseIteration:
    """No unit gets a treatment, except by a sticky assignment."""

    experiment: str


@dataclass(frozen=True, slots=True)
class ResumeIteration:
    """Resume the paused iteration; no unit moves."""

    experiment: str


@dataclass(frozen=True, slots=True)
class EndIteration:
    """End the live iteration, perhaps with a winner; `at` says when, as for its start."""

    experiment: str
    winner: str | None = None
    reason: str = ""
    at: int | None = None


Command: TypeAlias = (
    Create
    | Replace
    | Delete
    | Rename
    | Describe
    | Keep
    | SetVariations
    | SwitchFlag
    | OrderExperiments
    | SetRules
    | SetMembers
    | SetSample
    | Reserve
    | Release
    | SetHoldoutShare
    | SetUnit
    | SetHoldout
    | SetOverrides
    | SetKeeping
    | SetIntake
    | ArchiveExperiment
    | RestoreExperiment
    | DraftIteration
    | SetTreatments
    | SetAllocations
    | SetWeights
    | SetAudience
    | SetEnrolment
    | StartIteration
    | PauseIteration
    | ResumeIteration
    | EndIteration
)
