from __future__ import annotations

import pytest

from auctionctl.cli.arguments import ArgumentError, argument
from auctionctl.errors import (
    AuctionctlError,
    ConfigurationError,
    KeyFileError,
    KeyTextError,
    MoneyError,
    NotFoundError,
)


@pytest.mark.parametrize("kind", [ConfigurationError, KeyFileError, KeyTextError, MoneyError])
def test_what_an_argument_gets_wrong_names_the_argument(kind: type[AuctionctlError]) -> None:
    with pytest.raises(ArgumentError) as caught, argument("--x"):
        raise kind("wrong", hint="do this")
    assert caught.value.format_message() == "--x: wrong"
    assert caught.value.hint == "do this"
    assert caught.value.exit_code == 2


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(NotFoundError), argument("--x"):
        raise NotFoundError("x")
