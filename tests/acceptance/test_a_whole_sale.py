"""A whole sale, as its users run it: one house, 28 lots under different rules, nine bidders, each with its strategy.

Everything is the real program in processes of its own. Every log is then exported, verified, and verified a second
time by a program that shares no code with the first; files, winners' summaries and receipts have to agree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from auctionctl.auction.bid import decode_bid
from auctionctl.auction.events import Closed, decode_event
from auctionctl.auction.increments import Fixed, Percent, Table
from auctionctl.cli.demo import free_port
from auctionctl.client.account_file import read_accounts, runner_of
from auctionctl.client.paths import find_paths
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.export import decode_export
from auctionctl.replica.replay import Replay
from auctionctl.tlog.entry import Kind, decode

DAY = "2026-01-31T12:00:00Z"
PATIENCE_S = 120
VERIFIER = Path(__file__).parents[1] / "independent" / "verifier"

BIDDERS = {
    "ada": ("--strategy", "market-value", "--budget", "4000EUR"),
    "bea": ("--strategy", "truthful", "--budget", "900EUR", "--param", "value=160.00EUR"),
    "cid": ("--strategy", "aggressive", "--budget", "3000EUR"),
    "dan": ("--strategy", "pacing", "--budget", "2500EUR"),
    "eve": ("--strategy", "sniper", "--budget", "5000EUR"),
    "fay": ("--strategy", "smart", "--budget", "3500EUR"),
    "gus": ("--strategy", "jump", "--budget", "90000JPY"),
    "hal": ("--strategy", "zip", "--budget", "70000JPY", "--param", "value=9000JPY"),
    "ida": ("--strategy", "truthful", "--budget", "100USD", "--param", "value=100.00USD"),
}
"""Name → how that bidder bids in whatever is in its currency."""

SCARCE = ("scarce-0", "scarce-1")
"""Two lots for which nobody but ida has the currency. She wants both, and either takes most of her budget: however slow
the machine is, one budget is all but used up, and nothing else is in the way of a bid beyond it."""

INCREMENTS = ('"1.00EUR"', '"5%"', '"2.5%"', '[["0", "1.00"], ["100", "5.00"], ["150", "10.00"]]', '"7.50EUR"')


def lots() -> list[dict[str, str]]:
    """Each lot by its keys in AUCTIONS.toml."""
    made: list[dict[str, str]] = []
    for number in range(18):
        # The fewer bidders it waits for, the longer a lot is open: the others are still coming in when it begins.
        duration_s = 10 - number % 6
        made.append(
            {
                "item": f'"Lot {number}"',
                "listing": f'"lot-{number}"',
                "starting_price": f'"{40 + 5 * number}.00EUR"',
                "estimate": f'"{100 + 7 * number}.00EUR"',
                "increment": INCREMENTS[number % len(INCREMENTS)],
                "duration": f'"{duration_s}s"',
                "min_bidders": str(1 + number % 6),
                "bid_timeout": f'"{5 + number}s"',
                # Every third: any bid at all moves the end, whenever it comes.
                "soft_close": f'"{duration_s}s"' if number % 3 == 2 else '"1s"',
                "max_extension": '"2s"',
            }
        )
    reserves = {"met": "120.00EUR", "unmet": "5000.00EUR", "exact": "60.00EUR"}
    for name, reserve in reserves.items():
        made.append(
            {
                "item": f'"Reserve {name}"',
                "listing": f'"reserve-{name}"',
                "starting_price": '"60.00EUR"',
                "estimate": '"150.00EUR"',
                "reserve_price": f'"{reserve}"',
                # So few steps lead to the reserve that the slowest machine takes them in time.
                "increment": '"30.00EUR"',
                "duration": '"10s"',
                "min_bidders": "2",
            }
        )
    for number in range(3):
        made.append(
            {
                "item": f'"Yen {number}"',
                "listing": f'"yen-{number}"',
                "starting_price": f'"{1000 * (number + 1)}JPY"',
                "estimate": '"12000JPY"',
                "increment": ('"100JPY"', '"3%"', '[["0", "100"], ["5000", "500"]]')[number],
                "duration": '"9s"',
                "min_bidders": "2",
            }
        )
    nobody = {"item": '"Too dear"', "starting_price": '"99999.00EUR"', "duration": '"3s"', "min_bidders": "1"}
    crowd = {"item": '"For a crowd"', "starting_price": '"1.00EUR"', "min_bidders": "60", "start_timeout": '"6s"'}
    scarce = {"item": '"Scarce"', "starting_price": '"80.00USD"', "duration": '"9s"', "min_bidders": "1"}
    return [*made, nobody, crowd, *(scarce | {"listing": f'"{listing}"'} for listing in SCARCE)]


@dataclass(frozen=True)
class Sale:
    """What is left of the sale: where everything lies, what the bidders said at the end, and every log's file."""

    home: Path
    address: str
    auctions: dict[str, str]
    """Listing → id."""
    summaries: dict[str, dict[str, Any]]
    """Bidder → id → outcome."""
    files: dict[str, Path]

    def run(self, *arguments: object) -> tuple[int, str, str]:
        done = subprocess.run(
            program(*arguments), env=environment(self.home), capture_output=True, timeout=PATIENCE_S, check=False
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()


def program(*arguments: object) -> list[str]:
    return [sys.executable, "-P", "-m", "auctionctl", *map(str, arguments)]


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
    return kept | {"AUCTIONCTL_HOME": str(home)}


def prepare(home: Path) -> Path:
    lines: list[str] = []
    for number, name in enumerate(("house", *BIDDERS), 1):
        key = SecretKey(bytes([number + 100]) * 32)
        write_key(key_path(home / "config/keys", name), key, created=DAY)
        if name != "house":
            lines.append(f"{key.identity.text} {name}\n")
    (home / "config/allow").write_text("".join(lines))
    tables = ["".join(["\n[[auction]]\n", *(f"{key} = {value}\n" for key, value in lot.items())]) for lot in lots()]
    path = home / "AUCTIONS.toml"
    path.write_text(f"[house]\nport = {free_port()}\nmax_concurrent_auctions = 40\n" + "".join(tables))
    return path


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sale]:
    home = tmp_path_factory.mktemp("sale")
    path = prepare(home)
    with ExitStack() as running:

        def start(*arguments: object, out: str) -> subprocess.Popen[bytes]:
            output = running.enter_context((home / out).open("wb"))
            process = subprocess.Popen(program(*arguments), env=environment(home), stdout=output, stderr=output)
            running.callback(process.wait)
            running.callback(process.kill)
            return process

        house = running.enter_context(
            subprocess.Popen(program("serve", path, "--json"), env=environment(home), stdout=subprocess.PIPE)
        )
        running.callback(house.terminate)
        assert house.stdout is not None
        while (serving := json.loads(house.stdout.readline()))["event"] != "serving":
            pass
        bidders = {
            name: start("bid", "--all", *options, "--key", name, "--seed", "1", "--json", out=f"{name}.out")
            for name, options in BIDDERS.items()
        }
        watch = start("watch", "--key", "ada", "--json", out="watch.out")
        # A bidder of all auctions takes part for as long as its house announces any: the board knows when all is over.
        assert watch.wait(PATIENCE_S) == 0, (home / "watch.out").read_text()[-2_000:]
        for process in bidders.values():
            process.wait(PATIENCE_S)
        yield Sale(
            home,
            serving["address"],
            {auction["listing"]: auction["id"] for auction in serving["auctions"]},
            {name: summary(home / f"{name}.out") for name in BIDDERS},
            {lot["listing"]: home / f"{lot['listing']}.auction" for lot in serving["auctions"]},
        )


def summary(output: Path) -> dict[str, Any]:
    last = json.loads(output.read_text().splitlines()[-1])
    assert last["event"] == "summary", output.read_text()[-2_000:]
    return {each["auction"]: each for each in last["auctions"]}


@pytest.fixture(scope="module")
def verified(sale: Sale) -> dict[str, dict[str, Any]]:
    """Listing → what ``verify`` says of the exported log, by the house's address."""
    said: dict[str, dict[str, Any]] = {}
    for listing, path in sale.files.items():
        status, _, err = sale.run("export", listing, "-o", path, "--key", "ada")
        assert status == 0, err
        status, out, err = sale.run("verify", path, "--house", sale.address, "--json")
        assert status == 0, err
        said[listing] = json.loads(out)
    return said


def test_every_lot_has_ended_and_every_log_verifies(sale: Sale, verified: dict[str, dict[str, Any]]) -> None:
    assert len(verified) == len(lots()) >= 20
    assert all(said["verified"] and said["is_finished"] for said in verified.values())
    assert {listing: said["id"] for listing, said in verified.items()} == sale.auctions
    reasons = {listing: said["end_reason"] for listing, said in verified.items()}
    assert reasons.pop("for-a-crowd") == "cancelled"
    assert reasons.pop("too-dear") == "no_bids"
    assert reasons.pop("reserve-unmet") == "reserve_not_met"
    assert sorted(reasons.pop(listing) for listing in SCARCE) == ["completed", "no_bids"], "ida can pay for one alone"
    assert set(reasons.values()) == {"completed"}


def test_the_verifier_that_shares_no_code_finds_the_same_winner_and_price(
    sale: Sale, verified: dict[str, dict[str, Any]]
) -> None:
    house = SecretKey(bytes([101]) * 32).identity.text
    for listing, path in sale.files.items():
        command = [sys.executable, "-I", str(VERIFIER), str(path), house]
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, (listing, done.stdout, done.stderr)
        second, first = json.loads(done.stdout), verified[listing]
        assert (second["verified"], second["finished"]) == (True, True), listing
        price = first["price"] and first["price"]["minor"]
        assert (second["winner"], second["price"]) == (first["winner"], price), listing
        same = {"end_reason": "end_reason", "bids": "bids", "entries": "log_size", "extensions": "extensions"}
        assert {key: second[key] for key in same} == {key: first[name] for key, name in same.items()}, listing


def test_the_rules_really_differed_and_were_kept(sale: Sale, verified: dict[str, dict[str, Any]]) -> None:
    kinds, extended = set(), 0
    for listing, path in sale.files.items():
        export = decode_export(path.read_bytes())
        house = SecretKey(bytes([101]) * 32).identity
        replay = Replay(house.signing, bytes.fromhex(sale.auctions[listing]))
        for entry in export.entries:
            replay.apply(entry)
        kinds.add(type(replay.state.terms.rules.increment))
        extended += replay.state.extensions > 0
    assert kinds == {Fixed, Percent, Table}
    assert extended, "no soft close has extended anything"
    assert sum(said["bids"] for said in verified.values()) > 2 * len(verified)


def budget_of(name: str) -> tuple[str, int]:
    text = BIDDERS[name][BIDDERS[name].index("--budget") + 1]
    return text[-3:], int(text[:-3]) * (1 if text.endswith("JPY") else 100)


def test_every_bidder_knows_what_it_has_won_and_keeps_within_its_budget(
    sale: Sale, verified: dict[str, dict[str, Any]]
) -> None:
    identities = {name: SecretKey(bytes([101 + n]) * 32).identity for n, name in enumerate(BIDDERS, 1)}
    winners: set[str] = set()
    for name, outcomes in sale.summaries.items():
        identity = identities[name].signing.hex()
        currency, limit = budget_of(name)
        won = {said["id"]: said for said in verified.values() if said["winner"] == identity}
        assert {auction for auction, outcome in outcomes.items() if outcome["result"] == "won"} == set(won), name
        assert all(said["price"]["currency"] == currency for said in won.values())
        assert sum(said["price"]["minor"] for said in won.values()) <= limit, name
        winners |= {name} if won else set()
    assert len(winners - {"ida"}) >= 3, "one strategy has won everything"


def test_every_receipt_of_every_bidder_verifies(sale: Sale) -> None:
    receipts = sorted((sale.home / "state/receipts").rglob("*.tlog-proof"))
    assert len(receipts) > 100
    for path in receipts[:: len(receipts) // 25]:
        status, out, err = sale.run("verify", path, "--house", sale.address, "--json")
        assert (status, json.loads(out)["verified"]) == (0, True), err


def test_at_no_moment_could_a_bidder_have_had_to_pay_more_than_its_budget(
    sale: Sale, verified: dict[str, dict[str, Any]]
) -> None:
    """By the logs alone: whoever leads may have to pay, unless the lot is not sold; all logs have one order in time."""
    entries = [
        (entry.time_ns, listing, entry)
        for listing, path in sale.files.items()
        for entry in map(decode, decode_export(path.read_bytes()).entries)
        if entry.kind in (Kind.BID, Kind.CLOSED)
    ]
    leading: dict[str, tuple[bytes, int]] = {}
    most: dict[bytes, int] = {}
    for _, listing, entry in sorted(entries, key=lambda each: each[0]):
        if entry.kind is Kind.CLOSED:
            closed = decode_event(entry.kind, entry.body)
            assert isinstance(closed, Closed)
            if closed.winner is None:
                leading.pop(listing, None)
            continue
        bid = decode_bid(entry.body)
        leading[listing] = (bid.bidder, bid.amount_minor)
        tied_up = sum(minor for bidder, minor in leading.values() if bidder == bid.bidder)
        most[bid.bidder] = max(most.get(bid.bidder, 0), tied_up)
    limits = {
        SecretKey(bytes([101 + n]) * 32).identity.signing: budget_of(name)[1] for n, name in enumerate(BIDDERS, 1)
    }
    assert most.keys() <= limits.keys()
    assert all(most[bidder] <= limits[bidder] for bidder in most)
    assert any(4 * most[bidder] > 3 * limits[bidder] for bidder in most), "no budget was anywhere near"
    said = [json.loads(line) for line in (sale.home / "ida.out").read_text().splitlines()]
    kept_off = {each["listing"] for each in said if each["event"] == "waiting" and each["reason"] == "budget"}
    assert kept_off & set(SCARCE), "nobody was kept from a bid by a budget"


def test_the_account_of_every_wallet_is_that_of_the_logs(sale: Sale, verified: dict[str, dict[str, Any]]) -> None:
    paths = find_paths({"AUCTIONCTL_HOME": str(sale.home)})
    for number, name in enumerate(BIDDERS, 1):
        identity = SecretKey(bytes([101 + number]) * 32).identity
        (account,) = read_accounts(paths, identity)
        won = {
            said["id"]: said["price"]["minor"] for said in verified.values() if said["winner"] == identity.signing.hex()
        }
        assert {each.auction: each.won_minor for each in account.holdings if each.won_minor} == won, name
        assert account.committed_minor == sum(won.values()), "nothing else is tied up once all is over"
        assert (account.currency, account.budget_minor) == budget_of(name)
        assert runner_of(paths, identity) is None
    status, out, err = sale.run("wallet", "--key", "ada", "--json")
    assert status == 0, err
    (shown,) = json.loads(out)["accounts"]
    (account,) = read_accounts(paths, SecretKey(bytes([102]) * 32).identity)
    assert shown["committed"] == {"minor": account.committed_minor, "currency": "EUR"}
    assert {each["listing"] for each in shown["auctions"]} >= {"lot-0", "lot-17"}
