"""New config.toml and house.toml, every line a comment: drawn from the tables of settings, so that none is missing.

Rule: such a file says nothing until a line is changed, and each line that sets a value is one that parses once its
first character is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auctionctl.cli.settings.house_file import DEFAULT_SETTINGS, HOUSE_SETTINGS
from auctionctl.cli.settings.person_file import PERSON_SETTINGS
from auctionctl.cli.settings.setting import Kind, Setting
from auctionctl.client.caps_file import CAPS_EXAMPLE, CAPS_KEY, CAPS_MEANING

HOW_TO_CHANGE: Final = "To change a setting, take away the '#' before it."
EXAMPLES: Final = {
    Kind.NAME: '"house"',
    Kind.HOST: '"127.0.0.1"',
    Kind.ENDPOINT: '"auction.example.org:8888"',
    Kind.STORE: '"nats://a:4222,b:4222,c:4222"',
    Kind.FILE: '"/etc/auctionctl/file"',
    Kind.INTEGER: "2",
    Kind.DURATION: '"10m"',
    Kind.RETENTION: '"30d"',
    Kind.INCREMENT: '"5%"',
    Kind.SHARE: '"40%"',
    Kind.WORD: '"continue"',
}
"""A value of each kind, for settings whose default is no fixed value."""


def person_template() -> str:
    """The text of a new config.toml."""
    lines = [f"# Your settings, which options and the environment override. {HOW_TO_CHANGE}"]
    for setting in PERSON_SETTINGS:
        lines += ["", f"# {setting.meaning}", f"# Otherwise: {setting.default_words}."]
        lines.append(f'#{setting.name} = "{setting.example}"')
    lines += ["", f"# {CAPS_MEANING}", f"#[{CAPS_KEY}]", f"#{CAPS_EXAMPLE}"]
    return "\n".join(lines) + "\n"


def house_template() -> str:
    """The text of a new house.toml."""
    lines = [
        "# The settings of the house on this machine, which options and an AUCTIONS.toml override.",
        f"# {HOW_TO_CHANGE} A running house takes them on by SIGHUP.",
    ]
    for setting in HOUSE_SETTINGS:
        lines += _lines(setting)
    lines += ["", "# What a lot inherits that does not say otherwise: what follows needs this line.", "#[defaults]"]
    for setting in DEFAULT_SETTINGS:
        lines += _lines(setting)
    return "\n".join(lines) + "\n"


def _lines(setting: Setting) -> Iterator[str]:
    yield ""
    yield f"# {setting.meaning}"
    if setting.needs_restart:
        yield "# Takes effect when the house starts."
    if setting.default is None:
        yield f"# Otherwise: {setting.default_words}."
    value = EXAMPLES[setting.kind] if setting.default is None else setting.default_text
    yield f"#{setting.name} = {value}"
