"""The table that people see is the one that the house goes by, and names commands that there are."""

from __future__ import annotations

import json
from typing import Any

from auctionctl.cli.command_table import COMMANDS
from auctionctl.cli.roles import COMMANDS_THAT_SEND, rows
from auctionctl.house.intake import ROLES


def test_every_message_that_the_house_lets_in_is_there_with_its_roles() -> None:
    assert {name: frozenset(may) for name, may, _ in rows()} == dict(ROLES)


def test_every_command_that_it_names_is_one() -> None:
    for commands in COMMANDS_THAT_SEND.values():
        assert {command.split()[0] for command in commands} <= set(COMMANDS)


def test_programs_get_the_same_table(run: Any) -> None:
    document = json.loads(run("allow", "roles", "--json").out)
    assert document["schema"] == "auctionctl.allow-roles/1"
    assert {row["message"]: frozenset(row["roles"]) for row in document["messages"]} == dict(ROLES)
