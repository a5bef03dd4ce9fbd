"""Every attack on the page names a test that is there; the page says what is not protected as well."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from auctionctl.cli.manual.attacks import HOUSE_ATTACKS, SESSION_ATTACKS, STRANGER_ATTACKS, Attack
from auctionctl.cli.manual.roff import render
from auctionctl.cli.manual.security_page import LIMITS, page

TESTS = Path(__file__).parents[2]
ATTACKS = (*HOUSE_ATTACKS, *SESSION_ATTACKS, *STRANGER_ATTACKS)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_the_test_that_shows_an_attack_is_there(attack: Attack) -> None:
    file, _, function = attack.test.partition("::")
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert function.startswith("test_")


def test_no_attack_stands_twice() -> None:
    assert len({attack.what for attack in ATTACKS}) == len(ATTACKS)


def test_the_page_says_where_protection_ends() -> None:
    text = render(page())
    for what, _ in LIMITS:
        assert what in text
