"""The options of every command that reads or that talks to a house: worded once, and accepted before or after its name.

Rule: an option that stands after the command's name wins over one before it. The options are added to a command's
signature by a decorator, since Typer takes the options of the program itself only before the name.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.output import Form, choose_form
from auctionctl.errors import ConfigurationError

if TYPE_CHECKING:
    from auctionctl.client.paths import Paths
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress

P = ParamSpec("P")
Given = dict[str, Any]
"""Global options by the names of their parameters, as they were given."""
T = TypeVar("T")


def _or_before(context: typer.Context, parameter: typer.CallbackParam, value: T) -> T:
    """The value after the command's name, or else the one before it, which the program itself has read."""
    if value or context.find_root() is context:
        return value
    before: T = context.find_root().params.get(parameter.name or "", value)
    return before or value


HouseOption = Annotated[
    str | None,
    typer.Option(
        "--house",
        metavar="ADDR|NAME",
        help="The house: auction://auc1…@host:port[,host:port…], or a context.",
        callback=_or_before,
    ),
]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Your key; may be left out if there is only one, or one 'default'.",
        callback=_or_before,
    ),
]
ContextOption = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="The context whose house and key hold.", callback=_or_before),
]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        metavar="FILE",
        readable=False,
        help="The passphrase of your key, where it has one; else it is asked for.",
        callback=_or_before,
    ),
]
OutputOption = Annotated[
    Form | None,
    typer.Option(
        "--output",
        "-o",
        help="How to write results; else a table for a terminal, plain text for a pipe.",
        callback=_or_before,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as --output json.", callback=_or_before)]

GLOBALS: Final = {
    "house": HouseOption,
    "key": KeyOption,
    "context": ContextOption,
    "passphrase_file": PassphraseFileOption,
    "output": OutputOption,
    "as_json": JsonOption,
}
"""Every global option by the name of its parameter."""


@dataclass(slots=True)
class AtHouse:
    """What the options of a command that talks to a house say; the choices behind them are made when asked for."""

    paths: Paths
    form: Form
    house: str | None
    key: str | None
    context: str | None
    passphrase_file: Path | None = None
    _secret: SecretKey | None = field(default=None, init=False, repr=False)

    def address(self) -> HouseAddress:
        """Where the house is. Errors: :func:`~auctionctl.cli.settings.choices.choose_house`."""
        from auctionctl.cli.settings.choices import choose_house  # noqa: PLC0415 - not for whoever only asks for help

        return choose_house(self.paths, self.house, self.context)

    def secret(self) -> SecretKey:
        """The key to act under, read once. Errors: :func:`~auctionctl.cli.settings.choices.choose_key`."""
        if self._secret is None:
            from auctionctl.cli.settings.choices import choose_key  # noqa: PLC0415

            self._secret = choose_key(self.paths, self.key, self.context, passphrase_file=self.passphrase_file)
        return self._secret


def with_form(command: Callable[Concatenate[Form, P], int]) -> Callable[..., int]:
    """``command(form, …)`` as a command with ``--output`` and ``--json`` in place of its first parameter."""

    return _extended(command, ("output", "as_json"), form_of)


def with_form_despite_files(command: Callable[Concatenate[Form, P], int]) -> Callable[..., int]:
    """As :func:`with_form`, for a command that has to work while config.toml is wrong."""

    def form_despite_files(given: Given) -> Form:
        try:
            return form_of(given)
        except ConfigurationError:
            from auctionctl.cli.settings.person_file import OUTPUT_VARIABLE  # noqa: PLC0415

            if os.environ.get(OUTPUT_VARIABLE):
                raise
            # What is wrong in the files is for the command itself to report, or to mend.
            return choose_form(None)

    return _extended(command, ("output", "as_json"), form_despite_files)


def with_house(command: Callable[Concatenate[AtHouse, P], int]) -> Callable[..., int]:
    """``command(at, …)`` as a command with :data:`GLOBALS` in place of its first parameter.

    Where it has a parameter of such a name itself (a file for ``--output``), that one stands.
    """

    def at_house(given: Given) -> AtHouse:
        from auctionctl.client.paths import find_paths  # noqa: PLC0415

        chosen = (given["house"], given["key"], given["context"], given["passphrase_file"])
        return AtHouse(find_paths(), form_of(given), *chosen)

    return _extended(command, tuple(GLOBALS), at_house)


def form_of(given: Given) -> Form:
    """The form that the options ``output`` and ``as_json`` in ``given`` say, else the settings, else stdout."""
    output: Form | None = given.get("output")
    as_json = given.get("as_json", False)
    if as_json and output not in (None, Form.JSON):
        raise ArgumentError(f"--json and --output {output.value} ask for two forms", hint="give one of the two")
    from auctionctl.cli.settings.person_file import find_form  # noqa: PLC0415
    from auctionctl.client.paths import find_paths  # noqa: PLC0415

    return choose_form(Form.JSON if as_json else output or find_form(find_paths()))


def _extended(
    command: Callable[..., int], names: tuple[str, ...], first_of: Callable[[Given], object]
) -> Callable[..., int]:
    """``command`` with the options ``names``, from which ``first_of`` makes its first argument."""
    signature = inspect.signature(command, eval_str=True)
    first, *own = signature.parameters.values()
    names = tuple(name for name in names if name not in signature.parameters)

    @functools.wraps(command)
    def wrapper(**values: Any) -> int:
        given = {name: values.pop(name) for name in names}
        return command(first_of(given), **values)

    added = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=False if name == "as_json" else None, annotation=GLOBALS[name]
        )
        for name in names
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    wrapper.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    hints = {name: hint for name, hint in command.__annotations__.items() if name != first.name}
    wrapper.__annotations__ = hints | {name: GLOBALS[name] for name in names}
    return wrapper
