"""The options of a command that reaches a cluster: where it is, and the files that say who we are to it.

Rule: they are the settings of house.toml by the same names. A login is no argument, for everybody on a machine sees the
arguments of every process.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.store.cluster_address import has_login

STORE_OPTIONS: Final[dict[str, Any]] = {
    "store": Annotated[
        str | None,
        typer.Option(metavar="nats://A,B,C", help="Where the logs are: a cluster of NATS servers, and no file."),
    ],
    "store_credentials": Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Who we are to that cluster: .creds, the seed of a key, or words."),
    ],
    "store_ca": Annotated[
        str | None, typer.Option(metavar="FILE", help="Who may vouch for its servers (tls://); else the system's.")
    ],
    "store_cert": Annotated[
        str | None, typer.Option(metavar="FILE", help="Our certificate, for servers that ask for one (tls://).")
    ],
    "store_key": Annotated[str | None, typer.Option(metavar="FILE", help="The private key of that certificate.")],
}
"""Each by the name of its parameter, which is that of a setting."""
StoreOptions = Mapping[str, str]
"""What was given of them."""
_PARAMETER: Final = "at_store"


def with_store(command: Callable[..., int]) -> Callable[..., int]:
    """``command`` with :data:`STORE_OPTIONS`, and those that are given as its parameter ``at_store``."""
    signature = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def wrapper(*arguments: Any, **values: Any) -> int:
        found = {name: values.pop(name, None) for name in STORE_OPTIONS}
        given = {name: value for name, value in found.items() if value is not None}
        if has_login(given.get("store", "")):
            raise ArgumentError(
                "--store: a login on the command line can be seen by everybody on this machine",
                hint="put it into a file: --store-credentials FILE; or the address into house.toml, as store",
            )
        return command(*arguments, **values, **{_PARAMETER: given})

    own = [parameter for parameter in signature.parameters.values() if parameter.name != _PARAMETER]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in STORE_OPTIONS.items()
    ]
    wrapper.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    hints = {name: hint for name, hint in command.__annotations__.items() if name != _PARAMETER}
    wrapper.__annotations__ = hints | STORE_OPTIONS
    return wrapper
