"""A listed client aborts libzmq's ROUTER by taking the next automatic routing id: the gateway ends, never the house."""

from __future__ import annotations

from house_clients import all_join, bid_against_each_other, check_promises
from house_process import lot

NAMES = ("ann", "ben")


def test_a_client_that_takes_the_next_routing_id_ends_a_gateway_and_no_auction(
    start_house, bidder_of, raw_session_of, tmp_path
):
    revealed = tmp_path / "routing-ids"
    house = start_house((*NAMES, "mallory", "cleo"), [lot("vase")], revealing=revealed)
    house.expects_trace = True  # the abort of libzmq
    bidders = [bidder_of(name, house) for name in NAMES]
    auction = house.auctions["vase"]
    all_join(bidders, [auction])
    bid_against_each_other(bidders, [auction], lambda: all(len(bidder.kept) > 3 for bidder in bidders), "bids")
    house.hear()
    before = dict(house.pids)

    # Automatic ids are a zero byte and a counter, so the next one can be told from the highest one in use.
    used = max(int(line[2:], 16) for line in revealed.read_text().split())
    mallory = raw_session_of("mallory", house, routing_id=b"\0" + ((used + 1) % 2**32).to_bytes(4, "big"))
    mallory.greet()
    assert house.pids == before
    raw_session_of("cleo", house)

    assert house.await_report("Restarted")["process"] == "gateway"
    assert "Assertion failed" in house.stderr, "this is how libzmq ends; without it, the attack had no effect"
    counts = [len(bidder.kept) for bidder in bidders]
    bid_against_each_other(
        bidders,
        [auction],
        lambda: all(len(bidder.kept) > count + 3 for bidder, count in zip(bidders, counts, strict=True)),
        "bids after the attack",
    )
    assert {gap.cause for gap in check_promises(bidders, auction)} == {"gateway_lost"}
    house.hear()
    assert {name: pid for name, pid in house.pids.items() if name != "gateway"} == {
        name: pid for name, pid in before.items() if name != "gateway"
    }
