"""kill -9 of each process of a house in the middle of bidding: an acknowledged bid is never lost (DESIGN.md 1, 10)."""

from __future__ import annotations

from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot

from auctionctl.tlog.entry import Kind

NAMES = ("ann", "ben")
LISTINGS = ("vase", "lamp")


def bid_until(bidders, auctions, receipts):
    """Bidding until each has ``receipts`` more, and somebody has a bid under way."""
    wanted = [len(bidder.kept) + receipts for bidder in bidders]

    def enough():
        has_enough = all(len(bidder.kept) >= least for bidder, least in zip(bidders, wanted, strict=True))
        return has_enough and any(bidder.core.unanswered for bidder in bidders)

    bid_against_each_other(bidders, auctions, enough, "receipts")


def test_a_gateway_killed_in_the_middle_loses_no_acknowledged_bid_and_its_absence_is_a_gap(start_house, bidder_of):
    house = start_house(NAMES, [lot(name) for name in LISTINGS])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    bid_until(bidders, auctions, 10)
    before = {bidder.name: bidder.core.greetings for bidder in bidders}
    house.kill("gateway")
    bid_until(bidders, auctions, 10)
    assert all(bidder.core.greetings > before[bidder.name] for bidder in bidders)
    for auction in auctions:
        gaps = check_promises(bidders, auction)
        assert [gap.cause for gap in gaps] == ["gateway_lost"]
        kinds = [entry.kind for entry in bidders[0].log(auction)]
        assert Kind.BID in kinds[: kinds.index(Kind.GAP)]
        assert Kind.BID in kinds[kinds.index(Kind.GAP) :]
        assert Kind.LEFT not in kinds, "the loss of the gateway is nobody's disconnection"
    assert not house.stderr


def test_a_gateway_killed_again_and_again_never_takes_the_house_with_it(start_house, bidder_of):
    house = start_house(NAMES, [lot("vase")])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    supervised = house.pids["house"]
    ann = bidders[0]
    for _ in range(3):
        before = ann.core.greetings
        house.kill("gateway")
        # A welcome proves that this gateway served; the next gap begins within the grace of this one.
        ann.run_until(lambda least=before: ann.core.greetings > least and ann.core.is_welcome, "a welcome")
    # A gap that would begin within the grace of the one before waits for it, so the last may come after the first bids.
    bid_against_each_other(
        bidders, auctions, lambda: [entry.kind for entry in ann.log(auctions[0])].count(Kind.GAP) >= 2, "the second gap"
    )
    bid_until(bidders, auctions, 2)
    assert {gap.cause for gap in check_promises(bidders, auctions[0])} == {"gateway_lost"}
    assert house.pids["house"] == supervised


def test_a_verifier_killed_in_the_middle_loses_no_acknowledged_bid(start_house, bidder_of):
    house = start_house(NAMES, [lot(name) for name in LISTINGS], verifiers=2)
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    for slot in range(2):
        bid_until(bidders, auctions, 10)
        house.kill(f"verifier {slot}")
        bid_until(bidders, auctions, 10)
    for auction in auctions:
        assert not check_promises(bidders, auction), "a house whose gateway serves has no gap"


def test_a_house_killed_in_the_middle_is_back_by_itself_and_is_the_same_house(start_house, bidder_of):
    house = start_house(NAMES, [lot(name) for name in LISTINGS])
    bidders = [bidder_of(name, house) for name in NAMES]
    auctions = list(house.auctions.values())
    all_join(bidders, auctions)
    bid_until(bidders, auctions, 10)
    house.kill("house")
    again = house.await_report("Serving", number=2)
    assert again["address"] == house.address.text
    assert [(item["is_resumed"], bytes.fromhex(item["auction"])) for item in again["auctions"]] == [
        (True, auction) for auction in auctions
    ], "what was announced is resumed, and not announced again"
    bid_until(bidders, auctions, 10)
    for auction in auctions:
        gaps = check_promises(bidders, auction)
        assert [gap.cause for gap in gaps] == ["restart"]
        entries = bidders[0].log(auction)
        gap_at = next(index for index, entry in enumerate(entries) if entry.kind is Kind.GAP)
        last_ns = entries[gap_at - 1].time_ns
        assert last_ns <= gaps[0].since_ns <= entries[gap_at].time_ns < gaps[0].until_ns
    assert not house.stderr


def test_a_house_whose_sync_failed_is_not_started_again_by_itself_and_what_it_said_before_is_in_its_log(
    start_house, bidder_of
):
    house = start_house(NAMES, [lot("vase")], disk="20")
    bidders = [bidder_of(name, house) for name in NAMES]
    auction = house.auctions["vase"]
    all_join(bidders, [auction])
    bid_against_each_other(bidders, [auction], lambda: house.process.poll() is not None, "the end of the house")
    ended = house.await_report("Ended")
    assert (ended["error"], ended["hint"]) == ("StoreBrokenError", "look at the disk")
    assert house.count("Restarted") == 0
    house.await_all_gone()
    start_house(lots=[lot("vase")], port=house.address.port)
    bid_until(bidders, [auction], 3)
    assert [gap.cause for gap in check_promises(bidders, auction)] == ["restart"]


def test_a_deadline_that_passes_while_the_house_is_down_is_moved_and_then_kept(start_house, bidder_of):
    lots = [lot("vase", duration_ns=3 * 10**9)]
    house = start_house(NAMES, lots)
    bidders = [bidder_of(name, house) for name in NAMES]
    auction, port = house.auctions["vase"], house.address.port
    all_join(bidders, [auction])
    house.signal(9)
    house.await_all_gone()
    end_ns = bidders[0].auction(auction).end_ns
    bidders[0].run_until(lambda: bidders[0]._clock.now_ns() > end_ns, "the deadline to pass")
    start_house(lots=lots, port=port, finish="when_closed")
    bid_against_each_other(
        bidders, [auction], lambda: all(b.auction(auction).outcome for b in bidders), "the end of the auction"
    )
    assert [gap.cause for gap in check_promises(bidders, auction)] == ["restart"]
    closed = bidders[0].log(auction)[-1]
    state = bidders[0].auction(auction)
    assert closed.kind is Kind.CLOSED
    assert closed.time_ns >= state.end_ns > end_ns
    assert state.bid_count > 0, "bids were taken after the old deadline"


def test_a_supervisor_killed_takes_its_house_along_and_can_be_started_again(start_house, bidder_of):
    house = start_house(NAMES, [lot("vase")])
    bidders = [bidder_of(name, house) for name in NAMES]
    auction, port = house.auctions["vase"], house.address.port
    all_join(bidders, [auction])
    bid_until(bidders, [auction], 3)
    house.signal(9)
    house.await_all_gone()
    start_house(lots=[lot("vase")], port=port)
    bid_until(bidders, [auction], 3)
    assert [gap.cause for gap in check_promises(bidders, auction)] == ["restart"]
