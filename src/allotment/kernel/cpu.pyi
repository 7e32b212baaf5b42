from collections.abc import Sequence

def paths_here() -> tuple[str, ...]:
    """The paths that this processor has, of "plain", "avx2" and "avx512": the widest is last."""

def path_taken() -> str:
    """The path that this process takes: the widest, or what ALLOTMENT_CPU named at the start."""

def check_asked(asked: str | None, here: Sequence[str]) -> None:
    """Refuses a path that is not `here`; None and an empty text ask for the widest.

    Raises InvalidInput, which names the path and those that there are.
    """
