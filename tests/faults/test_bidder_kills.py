"""kill -9 of a bidder between its bid and the answer: the next run neither bids twice nor forgets what it owes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from house_clients import all_join
from house_process import PATIENCE_S, key_of, lot, until

from auctionctl.auction.bid import Bid
from auctionctl.client.paths import find_paths
from auctionctl.keys.keyfile import key_path, write_key
from auctionctl.tlog.entry import Kind

ANN = key_of("ann").identity.signing
BUDGET = 6_000
KILLS = 4


class Bidder:
    """``auctionctl bid`` under ann's key, started as often as asked, always with the same arguments."""

    def __init__(self, home: Path, house: Any, *arguments: str) -> None:
        self.home = home
        write_key(key_path(home / "config/keys", "ann"), key_of("ann"), created="2026-01-31T12:00:00Z")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AUCTIONCTL_")}
        self._environment = kept | {"AUCTIONCTL_HOME": str(home), "AUCTIONCTL_HOUSE": house.address.text}
        self._arguments = [*arguments, "--key", "ann", "--json"]
        self._stdout = subprocess.PIPE
        self._held: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> subprocess.Popen[bytes]:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "auctionctl", "bid", *self._arguments],
            stdout=self._stdout,
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        if self._stdout != subprocess.PIPE:
            os.close(self._stdout)
            self._stdout = subprocess.PIPE
        return self.process

    def __exit__(self, *error: object) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def unheard(self) -> Bidder:
        """The next run has a stdout that takes nothing: it stands still before it can say what came of its bid."""
        read_end, self._stdout = os.pipe()
        os.set_blocking(self._stdout, False)
        with suppress(BlockingIOError):
            while os.write(self._stdout, bytes(4_096)):
                pass
        os.set_blocking(self._stdout, True)
        self._held = read_end
        return self

    def journal(self, house: Any) -> Path:
        paths = find_paths({"AUCTIONCTL_HOME": str(self.home)})
        return paths.undecided_bids(key_of("ann").identity.text, house.address.identity.text)

    def undecided(self, house: Any) -> int:
        """How many bids the journal holds."""
        path = self.journal(house)
        return path.read_bytes().count(b"sent ") if path.exists() else 0


class Rival:
    """Ben, who is in every auction and outbids ann in it as soon as she leads, by the least that he may."""

    def __init__(self, ben: Any, auctions: list[bytes]) -> None:
        self.ben = ben
        self.auctions = auctions
        all_join([ben], auctions)

    def press(self) -> None:
        self.ben.turn()
        if self.ben.core.unanswered:
            return
        for auction in self.auctions:
            state = self.ben.auction(auction)
            if state.standing is not None and state.standing.leader == ANN:
                self.ben.bid(auction, state.minimum_minor)

    def next_event(self, process: subprocess.Popen[bytes], kind: str) -> dict[str, Any]:
        """The next event of ``kind`` that ann's bidder writes, while ben goes on."""
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)

        def found() -> dict[str, Any] | None:
            while line := process.stdout.readline():
                event: dict[str, Any] = json.loads(line)
                if event["event"] == kind:
                    return event
            assert process.poll() is None, process.stderr.read()
            return None

        return until(found, f"{kind!r} of ann", self.press)

    def anns_bids(self) -> list[bytes]:
        """The bodies of ann's bids in the logs; an AssertionError if she ever led for more than the budget in all."""
        applied = [(auction, item) for auction in self.auctions for item in self.ben.applied(auction)]
        leading: Counter[bytes] = Counter()
        bodies = []
        for auction, item in sorted(applied, key=lambda each: (each[1].entry.time_ns, each[1].entry_index)):
            if isinstance(item.fact, Bid):
                is_anns = item.fact.bidder == ANN
                leading[auction] = item.fact.amount_minor if is_anns else 0
                assert leading.total() <= BUDGET
                bodies += [item.entry.body] if is_anns else []
        return bodies


def test_a_bidder_killed_again_and_again_bids_nothing_twice_and_stays_within_its_budget(
    start_house: Any, bidder_of: Any, tmp_path: Path
) -> None:
    lots = [lot(name, min_bidders=1, starting_price_minor=1_800) for name in ("vase", "lamp", "bowl")]
    house = start_house(("ann", "ben"), lots)
    rival = Rival(bidder_of("ben", house), list(house.auctions.values()))
    strategy = ("--all", "--strategy", "market-value", "--param", "value=5000credits")
    ann = Bidder(tmp_path / "home", house, *strategy, "--budget", f"{BUDGET}credits")
    placed: list[tuple[str, int]] = []
    for run in range(KILLS + 1):
        with ann as process:
            for _ in range(1 + run % 3):
                # Told at the instant before it is sent: what is killed then may or may not have reached the house.
                bid = rival.next_event(process, "placed")
                placed.append((bid["auction"], bid["seq"]))
            if run == KILLS:
                rival.next_event(process, "accepted")
    rival.ben.run_until(lambda: not rival.ben.core.unanswered, "answers to ben")
    assert len(placed) == len(set(placed)), "a seq was used for two bids"
    bodies = rival.anns_bids()
    assert len(bodies) == len(set(bodies)) >= KILLS


def test_a_restarted_bidder_resumes_what_it_leads_has_won_and_had_not_been_answered(
    start_house: Any, bidder_of: Any, tmp_path: Path
) -> None:
    """Its whole budget is tied up: in a win, in a leading bid, and in one that may not have been sent."""
    lots = [
        lot("won", min_bidders=1, starting_price_minor=2_000, duration_ns=2 * 10**9),
        lot("led", min_bidders=1, starting_price_minor=2_500),
        lot("other", min_bidders=2, starting_price_minor=1_500),
    ]
    house = start_house(("ann", "ben"), lots)
    ann = Bidder(
        tmp_path / "home",
        house,
        "won",
        "led",
        "other",
        "--strategy",
        "market-value",
        "--param",
        "value=5000credits",
        "--budget",
        f"{BUDGET}credits",
    )
    ben = bidder_of("ben", house)
    ben.greet()
    rival = Rival(ben, [])
    with ann as process:
        assert rival.next_event(process, "ended")["result"] == "won"
        assert ben.settle(ben.join(house.auctions["other"])) == "receipted"
        placed = rival.next_event(process, "placed")
        assert placed["amount"]["minor"] == 1_500
        process.kill()
    with ann as process:
        assert rival.next_event(process, "accepted")["seq"] == placed["seq"]
        ben.run_until(lambda: ben.auction(house.auctions["other"]).standing is not None, "ann's bid")
        assert ben.settle(ben.bid(house.auctions["other"], 1_600)) == "receipted"
        waiting = rival.next_event(process, "waiting")
        assert (waiting["reason"], waiting["observed"]) == ("budget", {"minimum": 1_700, "available": 1_500})
    rival.auctions = list(house.auctions.values())
    assert len(rival.anns_bids()) == 3


def test_one_bid_whose_run_was_killed_is_made_once(start_house: Any, bidder_of: Any, tmp_path: Path) -> None:
    house = start_house(("ann", "ben"), [lot("vase", min_bidders=1)])
    rival = Rival(bidder_of("ben", house), list(house.auctions.values()))
    ann = Bidder(tmp_path / "home", house, "vase", "--amount", "30credits")
    with ann.unheard():
        rival.ben.run_until(lambda: rival.ben.auction(house.auctions["vase"]).standing is not None, "ann's bid")
        assert ann.undecided(house)
    with ann as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    answer = json.loads(out)
    assert (answer["event"], answer["is_earlier"], answer["seq"]) == ("accepted", True, 1)
    assert ann.undecided(house) == 0
    rival.ben.turn()
    assert [entry.kind for entry in rival.ben.log(house.auctions["vase"])].count(Kind.BID) == 1
    with ann as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, json.loads(out)["code"]) == (9, "already_leading"), "told, and so not the same any more"


def test_a_bid_on_disk_that_cannot_be_read_stops_the_bidder_before_it_asks_anything(
    start_house: Any, bidder_of: Any, tmp_path: Path
) -> None:
    house = start_house(("ann", "ben"), [lot("vase", min_bidders=1)])
    ann = Bidder(tmp_path / "home", house, "vase", "--amount", "30credits")
    with ann.unheard():
        until(lambda: ann.undecided(house), "the bid on disk")
    path = ann.journal(house)
    path.write_bytes(path.read_bytes()[:50])
    with ann as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (78, b"")
    error = json.loads(err)["error"]
    assert f"{path} is damaged" in error["message"]
    assert "budget could be exceeded" in error["hint"]
