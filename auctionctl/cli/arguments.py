"""What is wrong with the command line itself, with advice.

Rule: what came by argument is a usage error (exit status 2), although the code that reads it would, of a file, raise
ConfigurationError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from auctionctl.errors import ConfigurationError, KeyFileError, KeyTextError, MoneyError


class ArgumentError(typer.BadParameter):
    """An argument that cannot be used; ``hint`` is one line of advice, or empty."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def format_message(self) -> str:
        """The message alone: it names the argument already."""
        return self.message


@contextmanager
def argument(name: str) -> Iterator[None]:
    """What is raised while ``name`` is read becomes an ArgumentError that names it."""
    try:
        yield
    except (ConfigurationError, KeyFileError, KeyTextError, MoneyError) as error:
        raise ArgumentError(f"{name}: {error}", hint=error.hint) from error
