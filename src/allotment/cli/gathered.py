"""Options that several commands share, gathered into one argument."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any


def gathered(run: Callable[..., None], **builders: Callable[..., Any]) -> Callable[..., None]:
    """`run` with the options of each builder in place of the argument that it builds.

    `gathered(run, home=home_of)` takes `run`'s options and those of `home_of`, and calls
    `run(..., home=home_of(...))`. An option that two of them have is one option.
    """
    options: dict[str, Parameter] = {}
    wanted: dict[str, list[str]] = {}
    for parameter in _parameters(run):
        builder = builders.get(parameter.name)
        if builder is None:
            options[parameter.name] = parameter
            continue
        shared = _parameters(builder)
        wanted[parameter.name] = [one.name for one in shared]
        options |= {one.name: one for one in shared}
    own = [parameter.name for parameter in _parameters(run) if parameter.name not in builders]

    def command(**given: Any) -> None:
        built = {
            name: builders[name](**{option: given[option] for option in wanted[name]})
            for name in wanted
        }
        run(**{name: given[name] for name in own}, **built)

    # The command line is made from these.
    ordered = sorted(options.values(), key=lambda one: one.kind)
    command.__signature__ = Signature(ordered)  # type: ignore[attr-defined]
    command.__annotations__ = {name: one.annotation for name, one in options.items()}
    command.__doc__ = run.__doc__
    return command


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())
