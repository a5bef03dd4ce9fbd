"""[caps] in config.toml: patterns and amounts, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from auctionctl.auction.price import Money
from auctionctl.bidding.caps import Cap
from auctionctl.cli.settings.person_file import read_person_values
from auctionctl.client.caps_file import read_caps
from auctionctl.client.toml_file import read_toml
from auctionctl.errors import ConfigurationError


def test_caps_are_read_in_their_order_and_are_no_setting(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert read_caps(path) == ()
    path.write_text('key = "ann"\n[caps]\n"gpu-*" = "100.00EUR"\n"*" = "5USD"\n')
    assert read_caps(path) == (Cap("gpu-*", Money(10_000, "EUR")), Cap("*", Money(500, "USD")))
    assert read_person_values(path, read_toml(path)) == {"key": "ann"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("caps = 5", "caps: a table is needed"),
        ("[caps]\nx = 5", r"\[caps\]: x: text is needed"),
        ('[caps]\nx = "5"', r"\[caps\]: x: "),
        ('[caps]\n"" = "5EUR"', "a pattern has 1 to 80 characters"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_a_hint(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text + "\n")
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_person_values(path, read_toml(path))
    assert str(path) in str(caught.value)
    assert caught.value.hint
