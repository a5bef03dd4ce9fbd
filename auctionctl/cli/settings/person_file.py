"""``config.toml``: the settings of a person, and where each of them was said.

Rule: an option wins over the environment, that over the context, that over config.toml, and what nobody says has its
default; ``--context`` is an option, so that it wins over the environment for all that the context says. Every setting
stands in :data:`PERSON_SETTINGS`, and what is read, shown and proposed elsewhere comes from there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auctionctl.cli.output import Form
from auctionctl.cli.settings.contexts import CONTEXT_KEYS, CONTEXT_VARIABLE, Context, find_context
from auctionctl.client.caps_file import CAPS_KEY, parse_caps
from auctionctl.client.files import is_there
from auctionctl.client.paths import Paths
from auctionctl.errors import ConfigurationError

OUTPUT_VARIABLE: Final = "AUCTIONCTL_OUTPUT"
MAX_CHARACTERS: Final = 4_500
"""An address of as many places as one may have, with the longest names of hosts."""


@dataclass(frozen=True, slots=True)
class PersonSetting:
    """One key of config.toml. ``example`` is a value that parses, as text without its quotes."""

    name: str
    option: str
    variable: str
    meaning: str
    example: str
    default_words: str


PERSON_SETTINGS: Final[tuple[PersonSetting, ...]] = (
    PersonSetting(
        "house",
        "--house",
        "AUCTIONCTL_HOUSE",
        "The house to talk to: its address, auction://auc1…@host:port[,host:port…], or the name of a context.",
        "fair",
        "the only house that runs on this machine",
    ),
    PersonSetting(
        "key",
        "--key",
        "AUCTIONCTL_KEY",
        "The name of your key.",
        "default",
        "the key called default, or else the only one there is",
    ),
    PersonSetting(
        "output",
        "--output",
        OUTPUT_VARIABLE,
        "How results are written: table, plain, json or jsonl.",
        "table",
        "a table for a terminal, plain text for a pipe",
    ),
)
PERSON_KEYS: Final = frozenset({CAPS_KEY, *(setting.name for setting in PERSON_SETTINGS)})
PERSON_VARIABLES: Final = frozenset({CONTEXT_VARIABLE, *(setting.variable for setting in PERSON_SETTINGS)})
"""Every variable of the environment that says a setting."""
_BY_NAME: Final = {setting.name: setting for setting in PERSON_SETTINGS}


@dataclass(frozen=True, slots=True)
class Said:
    """The value of a setting, and who said it: an option, a variable, a context or a file."""

    value: str
    origin: str


def config_file(paths: Paths) -> Path:
    """Where the person's settings are."""
    return paths.settings


def read_person(paths: Paths) -> dict[str, str]:
    """The settings that config.toml says; none if there is no file. ConfigurationError names what is wrong in it."""
    path = config_file(paths)
    if not is_there(path):
        return {}
    from auctionctl.client.toml_file import read_toml  # noqa: PLC0415 - most commands run without the file

    return read_person_values(path, read_toml(path))


def read_person_values(path: Path, values: Mapping[str, Any]) -> dict[str, str]:
    """The settings in ``values``, which stand in ``path``, checked. Raises ConfigurationError."""
    from auctionctl.cli.settings.toml_table import TomlTable  # noqa: PLC0415
    from auctionctl.keys.encoding import NAME_HINT, is_name  # noqa: PLC0415
    from auctionctl.wire.address import parse_address  # noqa: PLC0415

    table = TomlTable(path, "top level", values, PERSON_KEYS)
    found = {name: table.text(name, "", MAX_CHARACTERS) for name in _BY_NAME if name in table}
    house, key, output = (found.get(setting.name, "") for setting in PERSON_SETTINGS)
    if house and not is_name(house):
        try:
            parse_address(house)
        except ConfigurationError as error:
            table.fail("house", str(error), error.hint)
    if key and not is_name(key):
        table.fail("key", f"{key[:40]!a} is no name for a key", NAME_HINT)
    if output and output not in list(Form):
        table.fail("output", f"{output[:40]!a} is no form of output", _forms())
    parse_caps(path, values)
    return found


def find_setting(
    paths: Paths, name: str, given: str | None, context: str | None, environment: Mapping[str, str] = os.environ
) -> Said | None:
    """What holds for the setting ``name``, with ``given`` its option and ``context`` that of ``--context``.

    None if nobody says anything. Raises NotFoundError for a context that is not there, ConfigurationError for files
    that are wrong; what an option or a variable says is not checked here.
    """
    setting = _BY_NAME[name]
    if given:
        return Said(given, setting.option)
    known = find_context(paths, context, environment) if context else None
    if known is not None and (value := _of_context(known, name)):
        return Said(value, f"--context {known.name}")
    if from_environment := environment.get(setting.variable):
        return Said(from_environment, setting.variable)
    if not context and name in CONTEXT_KEYS:
        known = find_context(paths, None, environment)
        if known is not None and (value := _of_context(known, name)):
            return Said(value, f"context {known.name}")
    if from_file := read_person(paths).get(name):
        return Said(from_file, str(config_file(paths)))
    return None


def find_form(paths: Paths, environment: Mapping[str, str] = os.environ) -> Form | None:
    """The form of output that the environment or config.toml asks for. Raises ConfigurationError."""
    said = find_setting(paths, "output", None, None, environment)
    if said is None:
        return None
    if said.value not in list(Form):
        raise ConfigurationError(f"{said.origin}: {said.value[:40]!a} is no form of output", hint=_forms())
    return Form(said.value)


def _of_context(context: Context, name: str) -> str:
    return {"house": context.house, "key": context.key}.get(name, "")


def _forms() -> str:
    return f"known are: {', '.join(form.value for form in Form)}"
