"""The verifier that was written from the manual page alone says of every honest log what the package says of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from auctionctl.auction.bid import decode_bid
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.auction.terms import SECOND_NS
from auctionctl.cli.manual.log_example import build_example, key_of
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import encode_export
from auctionctl.replica.replay import Replay
from auctionctl.wire.messages import Bye

VERIFIER = Path(__file__).with_name("verifier")
MAX_LINES = 750
"""Of which 100 are for what a registry says of revoked and replaced keys, bidders and their reputations."""
"""Of code: without blank lines and docstrings."""
SOFT = {"soft_close_window_ns": 5 * SECOND_NS, "max_extension_ns": 8 * SECOND_NS}


def play(stage: Any, *steps: tuple[Any, ...], **changes: Any) -> bytes:
    """An auction that ann (1) and ben (2) have joined, what happens in it, and the time until its end.

    A step is (seconds that pass before, session, amount of its bid), or (seconds, function of stage and auction).
    """
    auction = stage.opened(**changes)
    currency = changes.get("currency", "EUR")
    for seconds, who, *amount in steps:
        stage.after(int(seconds * SECOND_NS))
        if callable(who):
            who(stage, auction)
        else:
            stage.handle(stage.bid(who, auction, amount[0], currency=currency))
    while not stage.log(auction).auction.outcome:
        stage.after(SECOND_NS)
    return auction


def restart(stage: Any, _: bytes) -> None:
    stage.store.alive(stage.now_ns)
    stage.restart(2 * SECOND_NS)
    stage.enter(1, "ann")
    stage.enter(2, "ben")


def lose_gateway(stage: Any, _: bytes) -> None:
    stage.house.gateway_lost(stage.now_ns)
    stage.now_ns += 3 * SECOND_NS
    stage.do(stage.house.gateway_back(stage.now_ns))
    stage.enter(1, "ann")
    stage.enter(2, "ben")


def stall(stage: Any, _: bytes) -> None:
    stage.now_ns += 4 * SECOND_NS
    stage.handle()


def leave(stage: Any, _: bytes) -> None:
    stage.handle(stage.ask(2, Bye()))


def rejoin(stage: Any, auction: bytes) -> None:
    stage.enter(2, "ben")
    stage.handle(stage.join(2, auction))


def claim(size: int | None, root: bytes | None) -> Callable[[Any, bytes], None]:
    """ben bids 20.00, having seen a head of this size (all) and root (the true one)."""

    def bid(stage: Any, auction: bytes) -> None:
        tree = stage.log(auction).tree
        head = {"head_size": size or tree.size, "head_root": root or tree.root(size)}
        stage.handle(stage.bid(2, auction, 2_000, **head))

    return bid


def cancel(stage: Any) -> bytes:
    auction: bytes = stage.announce()
    stage.after(5 * SECOND_NS)
    stage.now_ns += 4 * SECOND_NS  # a gap moves the deadline
    stage.after(40 * SECOND_NS)
    return auction


BIDS = ((1, 1, 1_000), (1, 2, 1_300), (2, 1, 2_500))
TO_THE_END = ((1, 1, 1_000), (16, 2, 1_500), (4, 1, 2_000), (4, 2, 3_000), (1, 1, 4_000))
KINDS: dict[str, Callable[[Any], bytes]] = {
    "sold": lambda stage: play(stage, *BIDS),
    "sold for nothing": lambda stage: play(stage, (1, 1, 1), starting_price_minor=0),
    "reserve met": lambda stage: play(stage, *BIDS, reserve_minor=2_500),
    "reserve of nothing": lambda stage: play(stage, *BIDS, reserve_minor=0),
    "reserve not met": lambda stage: play(stage, *BIDS, reserve_minor=2_501),
    "reserve without a bid": lambda stage: play(stage, reserve_minor=100),
    "no bids": play,
    "cancelled": cancel,
    "extended": lambda stage: play(
        stage, (1, 1, 1_000), (16, 2, 1_500), (4, 1, 2_000), (4, 2, 3_000), (1, 1, 4_000), **SOFT
    ),
    "restart": lambda stage: play(stage, *BIDS, (1, restart), (6, 2, 4_000), **SOFT),
    "gateway lost": lambda stage: play(stage, *BIDS, (1, lose_gateway), (9, 2, 4_000)),
    "stall": lambda stage: play(stage, *BIDS, (1, stall), (6, 2, 4_000)),
    "left": lambda stage: play(stage, *BIDS, (1, leave), (11, 1, 5_000), duration_ns=40 * SECOND_NS),
    "rejoined": lambda stage: play(stage, *BIDS, (1, leave), (11, rejoin), (1, 2, 4_000), duration_ns=40 * SECOND_NS),
    "fixed": lambda stage: play(stage, *BIDS, (1, 2, 2_501), increment=Fixed(1)),
    "percent": lambda stage: play(stage, (1, 1, 1_001), (1, 2, 1_002), (1, 2, 1_027), increment=Percent(250)),
    "percent of a little": lambda stage: play(
        stage, (1, 1, 1), (1, 2, 2), starting_price_minor=1, increment=Percent(1)
    ),
    "table": lambda stage: play(
        stage, *BIDS, (1, 2, 3_199), (1, 2, 3_200), increment=Table(((0, 300), (1_300, 500), (2_500, 700)))
    ),
    "yen": lambda stage: play(stage, *BIDS, currency="JPY"),
    "dinar": lambda stage: play(stage, *BIDS, currency="KWD", reserve_minor=2_000),
    "a unit of one's own": lambda stage: play(stage, *BIDS, currency="go_old-coins-123", reserve_minor=2_000),
    "words": lambda stage: play(
        stage, *BIDS, title="\u00fc\u4e16\U0001f60a" * 60, description="\x00\n" * 1_900, estimate_minor=10**15
    ),
    "seen": lambda stage: play(stage, *BIDS, (1, claim(None, None)), (1, 2, 3_000)),
    "seen before": lambda stage: play(stage, (1, 1, 1_000), (1, claim(3, None))),
    "contested root": lambda stage: play(stage, (1, 1, 1_000), (1, claim(3, b"r" * 32))),
    "contested size": lambda stage: play(stage, (1, 1, 1_000), (1, claim(2**53, b"r" * 32))),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_agrees_on_every_kind_of_log_and_on_every_beginning_of_it(
    stage: Any, book_of: Any, audit_twice: Any, kind: str
) -> None:
    auction = KINDS[kind](stage)
    book = book_of(stage, auction)
    whole = audit_twice(stage.export(auction), stage.key.identity)
    assert whole.is_finished
    for size in range(1, len(book.entries)):
        assert not audit_twice(book.cut(size).file(), stage.key.identity).is_finished
    reasons = {"reserve not met": "reserve_not_met", "no bids": "no_bids", "cancelled": "cancelled"}
    reasons["reserve without a bid"] = "no_bids"
    assert whole.auction.end_reason == reasons.get(kind, "completed")
    assert bool(whole.contested) == kind.startswith("contested")
    assert bool(whole.auction.extensions) == (kind in {"extended"})
    assert ("gap" in book.kinds()) == (kind in {"restart", "gateway lost", "stall", "cancelled"})
    assert ("left" in book.kinds()) == (kind in {"left", "rejoined"})
    assert book.kinds().count("joined") == {"rejoined": 3, "cancelled": 0}.get(kind, 2)


@pytest.mark.parametrize(
    "kind", ["sold", "sold for nothing", "fixed", "percent", "percent of a little", "table", "yen"]
)
def test_it_agrees_on_the_least_bid_to_the_last_minor_unit(
    stage: Any, staging: Any, book_of: Any, judge: Any, kind: str
) -> None:
    auction = KINDS[kind](stage)
    book = book_of(stage, auction)
    replay, keys = Replay(stage.key.identity.signing, auction), [staging.key_of(name) for name in ("ann", "ben")]
    for index, data in enumerate(book.entries):
        if book.kinds()[index] == "bid":
            bid, least = decode_bid(book.entry(index).body), replay.state.minimum_minor
            (key,) = [key for key in keys if key.identity.signing == bid.bidder]
            for amount in {max(1, least - 1), least, least + 1}:
                changed = book.resigned(index, key, replace(bid, amount_minor=amount)).cut(index + 1)
                verdict = judge(changed.file(), stage.key.identity)
                assert (verdict is None) == (amount >= least), verdict
        replay.apply(data)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 10])
def test_it_agrees_on_heads_that_were_signed_together(stage: Any, audit_twice: Any, count: int) -> None:
    """Auctions that end at one instant: one signature for all of their heads."""
    auctions = [stage.opened() for _ in range(count)]
    stage.after(SECOND_NS)
    stage.handle(*(stage.bid(1, auction, 1_000 + number) for number, auction in enumerate(auctions)))
    # What the auctions say of their bidders stands in the registry, whose head is signed together with theirs.
    for kind, signed in (("bid", count), ("closed", count + 1)):
        stage.after((kind == "closed") * 20 * SECOND_NS)
        lengths = set()
        for auction in auctions:
            assert stage.kinds(auction)[-1] == kind
            audit_twice(stage.export(auction), stage.key.identity)
            lengths.add(len(stage.log(auction).checkpoint))
        assert len(lengths) <= (1 if signed & (signed - 1) == 0 else 3)
        if kind == "bid":
            plain = binding_length(stage, auctions[0])
            assert (lengths == {plain}) == (count == 1)


def binding_length(stage: Any, auction: bytes) -> int:
    """Of a head that was signed alone: origin twice, size, root, signature."""
    origin = f"{stage.key.identity.text}/auction/{auction.hex()}"
    size = stage.log(auction).tree.size
    return len(f"{origin}\n{size}\n{'A' * 44}\n\n\u2014 {origin} {'A' * 92}\n".encode())


def test_the_example_of_the_page_is_what_the_page_says_of_it(audit_twice: Any, verifier: Any) -> None:
    example = build_example()
    house = example.house.identity
    assert audit_twice(example.file, house).is_finished
    assert audit_twice(encode_export(example.entries, example.heads_note, example.announcement), house).is_finished
    said = verifier.check(example.file, house.text)
    ann, otto = (key_of(party).identity.signing.hex() for party in ("ann", "otto"))
    assert (said["winner"], said["price"], said["bids"], said["pauses"], said["extensions"]) == (ann, 1_600, 2, 2, 1)
    assert [(index, key) for index, _, key in said["operators"]] == [(6, otto), (7, otto), (20, otto)]


def test_as_a_program_it_prints_its_verdict_and_exits_by_it(book: Any, tmp_path: Path) -> None:
    def run(*arguments: object) -> tuple[int, Any]:
        command = [sys.executable, "-I", str(VERIFIER), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=30)
        return done.returncode, json.loads(done.stdout)

    path = tmp_path / "log.auction"
    path.write_bytes(book.file())
    status, said = run(path, book.house.identity.text)
    assert (status, said["verified"], said["price"], said["end_reason"]) == (0, True, 1_700, "completed")
    assert run(path) == (0, said)
    other = run(path, SecretKey(b"x" * 32).identity.text)
    assert (other[0], other[1]["rule"]) == (1, "checkpoint")
    path.write_bytes(book.file()[:-1])
    assert run(path) == (1, {"verified": False, "rule": "announcement", "index": None, "reason": "not a checkpoint"})


def test_of_a_file_that_is_too_large_the_package_has_no_verdict(tmp_path: Path) -> None:
    path = tmp_path / "large.auction"
    with path.open("wb") as file:
        file.write(b"auctionctl-log/v1\n")
        file.truncate(2**30 + 1)
    command = [sys.executable, "-P", "-m", "auctionctl", "verify", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert (done.returncode, json.loads(done.stderr)["error"]["code"]) == (78, "configuration")


def test_it_is_short_and_shares_nothing_with_the_package() -> None:
    sources = {path.stem: path.read_text() for path in VERIFIER.glob("*.py")}
    imported: set[str] = set()
    code: set[tuple[str, int]] = set()
    for name, node in ((name, node) for name, source in sources.items() for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef | ast.ClassDef):
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            lines = () if is_docstring else range(node.lineno, (node.end_lineno or 0) + 1)
            code |= {(name, line) for line in lines}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            code.add((name, node.lineno))
        if isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module))
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names | {"nacl", *sources}
    assert len(code) < MAX_LINES
    for source in sources.values():
        assert max(map(len, source.splitlines())) <= 120
        assert "__import__" not in source
        assert "importlib" not in source
