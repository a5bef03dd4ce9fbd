"""The page from which a client is written names every message, every refusal and every bound, and its keys are ours."""

from __future__ import annotations

import ast
import hashlib
import re
from pathlib import Path
from typing import get_args

import pytest

import auctionctl
from auctionctl.auction.bid import Bid, Join
from auctionctl.auction.commands import KINDS, AnyCommand
from auctionctl.auction.rejection import Code
from auctionctl.auction.terms import Terms
from auctionctl.cli.manual.roff import Table, render
from auctionctl.cli.manual.shapes import fields_of, tag_of
from auctionctl.cli.manual.wire_files import ALLOW_LIST, KEY_FILE, PERSONS
from auctionctl.cli.manual.wire_messages import FROM_HOUSES, FROM_SESSIONS, OBSERVED, REFUSALS, WITHIN
from auctionctl.cli.manual.wire_page import page
from auctionctl.house.intake import COMMANDS, ROLES
from auctionctl.keys.allowlist import parse
from auctionctl.keys.keyfile import parse_key
from auctionctl.keys.signing import SecretKey, verify
from auctionctl.net.edge import BUSY_RETRY_NS
from auctionctl.replica.registry import Revoke, Rotate
from auctionctl.wire import messages
from auctionctl.wire.frames import MAX_REPLY_BYTES, MAX_REQUEST_BYTES
from auctionctl.wire.messages import (
    MAX_ANSWERS_A_MESSAGE,
    MAX_AUCTIONS_A_MESSAGE,
    MAX_ENTRIES_BYTES,
    Finish,
    Reply,
    Request,
)

PAGE = page()
TEXT = re.sub(r"\\f[BRI]", "", render(PAGE)).replace(r"\(dq", '"').replace(r"\-", "-")
WORDS = set(re.findall(r"[a-z0-9_]+", TEXT))
PACKAGE = Path(auctionctl.__file__).parent
SEED = bytes(range(32))
KEY = SecretKey(SEED)


def test_every_message_of_either_side_is_described_with_all_its_fields() -> None:
    assert set(FROM_SESSIONS) == {*get_args(Request), Bid, Join, Terms, Revoke, Rotate, Finish, *get_args(AnyCommand)}
    assert set(FROM_HOUSES) == set(get_args(Reply))
    assert {tag_of(struct) for struct in FROM_SESSIONS} == {"hello", "ping", *ROLES}
    tables = [[row[1] for row in part.rows] for part in PAGE.parts if isinstance(part, Table)]
    for struct in (*FROM_SESSIONS, *FROM_HOUSES, *WITHIN):
        names = [f"`{field.encode_name}`" for field in fields_of(struct)]
        assert [*([""] if tag_of(struct) else []), *names] in tables, struct


def test_no_array_of_the_wire_is_left_out() -> None:
    known = {struct.__name__ for struct in (*FROM_SESSIONS, *FROM_HOUSES, *WITHIN)}
    tree = ast.parse(Path(messages.__file__).read_text())
    assert {node.name for node in tree.body if isinstance(node, ast.ClassDef)} <= known


def codes_that_are_said() -> set[str]:
    """The first argument of every refusal that house or gateway make."""
    codes = set()
    for path in [*PACKAGE.glob("house/*.py"), *PACKAGE.glob("net/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in ("refused", "Refused")
            ):
                first = node.args[0]
                codes |= {first.value} if isinstance(first, ast.Constant) else {ast.unparse(first)}
    return codes


def test_every_code_of_a_refusal_is_described_and_no_other() -> None:
    # `refused` itself hands its argument on.
    assert codes_that_are_said() - {"code"} == set(REFUSALS)


def test_the_page_does_not_speak_of_the_source() -> None:
    assert not re.search(r"auctionctl\.[a-z]", TEXT)


def test_every_code_of_a_rejection_is_named() -> None:
    assert {code.value for code in Code} <= WORDS


def observed_values() -> set[tuple[str, ...]]:
    """The names of the values in every refusal that the rules make."""
    found = set()
    for path in PACKAGE.glob("auction/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Tuple) and all(
                isinstance(each, ast.Tuple) and len(each.elts) == 2 and isinstance(each.elts[0], ast.Constant)
                for each in node.elts
            ):
                found.add(tuple(each.elts[0].value for each in node.elts))  # type: ignore[attr-defined]
    return {names for names in found if names}


def test_the_values_of_every_rejection_are_named() -> None:
    assert observed_values() == {names for names, _ in OBSERVED}
    codes = [code for _, codes in OBSERVED for code in re.findall(r"`(\w+)`", codes)]
    assert len(codes) == len(set(codes))
    assert set(codes) <= {code.value for code in Code}


def test_the_roles_of_the_page_are_those_of_the_intake() -> None:
    (table,) = [part for part in PAGE.parts if isinstance(part, Table) and part.columns == ("type", "roles")]
    assert dict(table.rows) == {
        f"`{name}`": "any" if len(roles) == 4 else ", ".join(sorted(roles)) for name, roles in ROLES.items()
    }
    assert {"join", "bid", "terms", "revoke", "rotate", "finish", *KINDS} == COMMANDS <= WORDS


@pytest.mark.parametrize(
    "bound",
    [
        MAX_REQUEST_BYTES,
        MAX_REPLY_BYTES,
        MAX_ENTRIES_BYTES,
        MAX_AUCTIONS_A_MESSAGE,
        MAX_ANSWERS_A_MESSAGE,
        BUSY_RETRY_NS,
    ],
)
def test_every_bound_is_named(bound: int) -> None:
    assert re.search(rf"\b{bound}\b", TEXT)


def test_the_keys_are_derived_as_the_page_says() -> None:
    secrets = {
        key: hashlib.blake2b(b"", digest_size=32, key=SEED, person=person.encode()).digest()
        for person, key, _ in PERSONS
    }
    assert secrets["transport"] == KEY.transport_secret
    assert set(secrets) == {"signing", "transport", "escrow"}
    from nacl.bindings import crypto_scalarmult_base
    from nacl.signing import SigningKey

    assert bytes(SigningKey(secrets["signing"]).verify_key) == KEY.identity.signing
    assert crypto_scalarmult_base(secrets["escrow"]) == KEY.escrow_public


def test_a_signature_is_over_the_bytes_that_the_page_says() -> None:
    from auctionctl.wire.frames import sign_body

    body = messages.encode(messages.Bye())
    message = sign_body(KEY, body)
    assert verify(KEY.identity.signing, b"auctionctl/bye/v1\0" + body, message.signature)


def test_the_files_of_the_page_are_read_by_the_real_readers() -> None:
    filled = KEY_FILE.replace("auc1...", KEY.identity.text).replace("AUC-SECRET-KEY-1...", KEY.seed_text)
    assert parse_key("the page", filled.encode()).key.identity == KEY.identity
    other = SecretKey(bytes(32)).identity.text
    lines = ALLOW_LIST.replace("auc1...", KEY.identity.text, 1).replace("auc1...", other, 1)
    assert [(entry.name, entry.role) for entry in parse(lines)] == [("ann", "bidder"), ("gallery", "seller+bidder")]
