"""What form a client wants an answer in (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from allotment.server.refusals import NotAcceptable


def preferred(accept: str | None, forms: Sequence[str]) -> str:
    """The form the client likes best; the earlier of two it likes alike.

    Raises NotAcceptable where it takes none of them.
    """
    if accept is None or not accept.strip():
        return forms[0]
    ranges = [_range(part) for part in accept.lower().split(",")]
    likings = [max((_liking(form, each) for each in ranges), default=(-1, 0.0)) for form in forms]
    best = max(quality for _, quality in likings)
    if best <= 0:
        raise NotAcceptable(f"this is written as {' or '.join(forms)}", "headers.Accept")
    return next(form for form, (_, quality) in zip(forms, likings, strict=True) if quality == best)


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                quality = min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                quality = 0.0
    return kind, quality


def _liking(form: str, wanted: tuple[str, float]) -> tuple[int, float]:
    """How exactly a media range names the form, -1 for not at all, and how much it is liked."""
    kind, quality = wanted
    for exactness, name in enumerate(("*/*", f"{form.partition('/')[0]}/*", form)):
        if kind == name:
            return exactness, quality
    return -1, 0.0
