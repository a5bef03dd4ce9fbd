"""While listed bidders send ten times what a house takes, operators are heard and deadlines are kept (DESIGN.md 3).

A real house in processes, under the limits that it has by itself but for that of all together, which is made so small
that one process floods it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from secrets import token_bytes

from hostile_process import CROWD, LIMIT_A_SECOND
from house_clients import RawSession, all_join
from house_process import lot

from auctionctl.auction.command_id import command_id
from auctionctl.auction.commands import Pause, Resume, encode_command
from auctionctl.auction.terms import SECOND_NS
from auctionctl.net.clock import Clock
from auctionctl.tlog.entry import Kind
from auctionctl.wire.frames import sign_body
from auctionctl.wire.messages import Acknowledged, Welcome

FLOOD_S = 4.0
ANSWERED_WITHIN_S = 1.0
CLOSED_WITHIN_NS = SECOND_NS
LIMITS = {"bids_per_s": LIMIT_A_SECOND, "bids_burst": 2 * LIMIT_A_SECOND, "all_bids_per_s": len(CROWD) * LIMIT_A_SECOND}


def command(operator: RawSession, of: type[Pause] | type[Resume], auction: bytes) -> float:
    """Give this command; seconds to its receipt."""
    now_ns = Clock().now_ns()
    house, mine = operator.address.identity.signing, operator.key.identity.signing
    body = encode_command(of(house, auction, mine, token_bytes(16), now_ns, now_ns + 20 * SECOND_NS, "a flood"))
    started_s = time.monotonic()
    answer = operator.ask(*sign_body(operator.key, body))
    seconds = time.monotonic() - started_s
    assert isinstance(answer, Acknowledged), answer
    assert [receipt.command for log in answer.logs for receipt in log.receipts] == [command_id(body)]
    return seconds


def test_an_operator_is_answered_and_a_close_is_in_time_while_listed_bidders_flood_the_house(
    start_house, bidder_of, raw_session_of, say_at_the_end, machine_stalls
):
    lots = [lot("vase"), lot("lamp", duration_ns=3 * SECOND_NS)]
    house = start_house(("ann", "ben", "otto=operator", *CROWD), lots, limits=LIMITS)
    ann, ben, otto = bidder_of("ann", house), bidder_of("ben", house), raw_session_of("otto", house)
    assert isinstance(otto.greet("operator"), Welcome)
    vase, lamp = house.auctions["vase"], house.auctions["lamp"]
    all_join([ann, ben], [vase, lamp])
    script = str(Path(__file__).with_name("hostile_process.py"))
    arguments = [sys.executable, script, "crowd", house.address.text, vase.hex(), str(FLOOD_S)]
    flood = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert flood.stdout is not None
    try:
        assert flood.stdout.readline() == b"ready\n"
        seconds = []
        while flood.poll() is None:
            if len(seconds) < 8:
                seconds.append(command(otto, (Pause, Resume)[len(seconds) % 2], vase))
            for bidder in (ann, ben):
                bidder.turn(0.05)
        sent, refused = map(int, flood.stdout.read().split())
    finally:
        flood.kill()
        flood.wait()
        flood.stdout.close()
    ann.run_until(lambda: ann.auction(lamp).outcome is not None, "the end of the lamp")
    (closed,) = [entry for entry in ann.log(lamp) if entry.kind is Kind.CLOSED]
    late_ns = closed.time_ns - ann.auction(lamp).end_ns
    stalled_s = machine_stalls.longest_s
    say_at_the_end(
        f"flood of {sent / FLOOD_S:.0f} commands/s at a limit of {LIMITS['all_bids_per_s']}, {refused} refused:"
        f" operators' commands answered within {max(seconds) * 1e3:.0f} ms, a close {late_ns / 1e6:.0f} ms late;"
        f" the machine stood still for up to {stalled_s * 1e3:.0f} ms"
    )
    assert refused > sent / 2, "it was no flood"
    assert max(seconds) < ANSWERED_WITHIN_S
    assert 0 <= late_ns < CLOSED_WITHIN_NS
    assert Kind.GAP not in [entry.kind for entry in ann.log(lamp)]
