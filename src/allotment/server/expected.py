"""What a change was made for: the revisions that nouns, or the catalog, must still have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from allotment.change.commands import Command, OrderExperiments, SetVariations
from allotment.store import Stored


@dataclass(frozen=True, slots=True)
class Expected:
    """Revisions that are checked under the store's lock; 0 for a noun that must not be there.

    nouns      (kind, key) to the noun's revision
    revision   the catalog's, or None where it does not matter
    """

    nouns: Mapping[tuple[str, str], int] = field(default_factory=dict)
    revision: int | None = None

    def beside(self, commands: Iterable[Command], stored: Stored) -> Expected:
        """It, and that the flags whose lists the commands replace are as they were read.

        Only where nouns are expected at all: what is expected of the catalog says more, and who
        expects nothing means what the commands say.
        """
        flags = {
            ("flag", one.flag)
            for one in commands
            if isinstance(one, OrderExperiments | SetVariations)
        }
        if not self.nouns or not flags:
            return self
        versions = {flag: stored.versions.get(":".join(flag)) for flag in flags}
        read = {flag: version.revision if version else 0 for flag, version in versions.items()}
        return replace(self, nouns={**read, **self.nouns})


# Says what is expected, given the space as it is read now; PreconditionFailed where it is not so.
Expect = Callable[[Stored], Expected]


def anything(_stored: Stored) -> Expected:
    """Nothing is expected."""
    return Expected()
