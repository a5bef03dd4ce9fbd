"""The files that ``init`` writes say nothing until a line is changed, and then what that line says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from auctionctl.cli.settings.house_file import DEFAULT_SETTINGS, HOUSE_SETTINGS, combine, read_house_values
from auctionctl.cli.settings.person_file import PERSON_SETTINGS, read_person_values
from auctionctl.cli.settings.templates import house_template, person_template
from auctionctl.client.caps_file import parse_caps

PATH = Path("a.toml")


def uncommented(text: str) -> str:
    return re.sub(r'(?m)^#(?=[a-z\["])', "", text)


@pytest.mark.parametrize("template", [person_template, house_template])
def test_every_line_is_a_comment(template: object) -> None:
    assert callable(template)
    assert all(line == "" or line.startswith("#") for line in template().splitlines())
    assert tomllib.loads(template()) == {}


def test_every_setting_of_a_person_is_there_and_parses() -> None:
    values = tomllib.loads(uncommented(person_template()))
    assert list(values) == [*(setting.name for setting in PERSON_SETTINGS), "caps"]
    settings = {name: value for name, value in values.items() if name != "caps"}
    assert read_person_values(PATH, values) == settings
    assert [cap.pattern for cap in parse_caps(PATH, values)] == list(values["caps"])


def test_every_setting_of_a_house_is_there_and_the_defaults_are_the_defaults() -> None:
    values = tomllib.loads(uncommented(house_template()))
    assert list(values) == [*(setting.name for setting in HOUSE_SETTINGS), "defaults"]
    assert list(values["defaults"]) == [setting.name for setting in DEFAULT_SETTINGS]
    section = combine([read_house_values(PATH, values)]).section
    usual = combine([]).section
    for setting in HOUSE_SETTINGS:
        if setting.default is not None and setting.name != "retention":
            assert getattr(section, setting.name) == getattr(usual, setting.name)
