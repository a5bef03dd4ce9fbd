"""What a house's process tells of itself, takes on while it runs, and sees to before it ends."""

from __future__ import annotations

from typing import Any

from daemon_run import LOT, Run
from house_process import until

from auctionctl.auction.terms import SECOND_NS
from auctionctl.house.intake import Request
from auctionctl.house.limits import Limits
from auctionctl.net import daemon
from auctionctl.net.admission_news import AllowListKept
from auctionctl.net.child_words import Stop, encode
from auctionctl.net.chunks import Checked
from auctionctl.net.control import tell_child
from auctionctl.net.hops import Ending, LastWord, ToSession
from auctionctl.net.house_words import Admitted, Alive, LotsWait, Reload, Reloaded, SettingsKept, Turned
from auctionctl.store.sqlite import SqliteStore
from auctionctl.tlog.entry import Kind, decode
from auctionctl.wire.listing import LotDescription
from auctionctl.wire.messages import (
    List,
)
from auctionctl.wire.messages import encode as encode_message


def hear_news(run: Run, kind: type) -> Any:
    while not isinstance(report := run.hear(news=True), kind):
        pass
    return report


def test_it_gives_a_sign_of_life_each_second_and_says_whether_it_can_be_reached(run):
    assert hear_news(run, Alive) == Alive(True, 1)
    run.gateway.abandon()
    until(lambda: hear_news(run, Alive) == Alive(False, 1), "a sign of life without a gateway")


def test_who_comes_in_is_told_once(run):
    run.greet()
    assert hear_news(run, Admitted) == Admitted("ann", "bidder")
    run.greet()
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT]))
    while not isinstance(report := run.hear(news=True), Reloaded):
        assert not isinstance(report, Admitted)


def test_new_lots_are_announced_and_new_limits_hold(run):
    lamp = LotDescription("lamp", "A lamp", "credits", 1, start_timeout_ns=SECOND_NS // 10)
    other_vase = LotDescription("vase", "Another vase", "credits", 1, min_bidders=2, duration_ns=3_600 * SECOND_NS)
    tell_child(run.control, Reload(Limits(2, 77), [other_vase, lamp], 5))
    reloaded = run.hear()
    assert isinstance(reloaded, Reloaded)
    assert [(each.listing, each.is_resumed, each.differs) for each in reloaded.auctions] == [
        ("vase", True, ("title",)),
        ("lamp", False, ()),
    ]
    assert run.process._house.limits == Limits(2, 77)
    assert run.process._archiving.archiving.retention_ns == 5
    turned = hear_news(run, Turned)
    assert (turned.listing, turned.title, turned.phase, turned.end_reason) == ("lamp", "A lamp", "closed", "cancelled")


def test_a_lot_for_which_there_is_no_room_waits_for_an_auction_to_end(run):
    first, second = (
        LotDescription(name, name, "credits", 1, start_timeout_ns=SECOND_NS // 2) for name in ("lamp", "rug")
    )
    tell_child(run.control, Reload(Limits(2, 1_000), [LOT, first, second]))
    reloaded = run.hear()
    assert [each.listing for each in reloaded.auctions] == ["lamp"]
    assert run.hear() == LotsWait(["rug"])
    while hear_news(run, Turned).listing != "rug":
        pass
    assert [log.auction.terms.listing for log in run.process._house.logs] == ["vase", "lamp", "rug"]


def test_a_limit_below_what_runs_already_ends_nothing(run):
    tell_child(run.control, Reload(Limits(1, 5), [LOT, LotDescription("lamp", "A lamp", "credits", 1)]))
    assert isinstance(run.hear(), Reloaded)
    assert run.hear() == LotsWait(["lamp"])
    assert run.process._house.limits == Limits(1, 5)
    assert [log.auction.terms.listing for log in run.process._house.logs] == ["vase"]


def test_what_is_wrong_with_a_reload_leaves_everything_as_it_was(run):
    lamp = LotDescription("lamp", "A lamp", "credits", 1, duration_ns=0)
    tell_child(run.control, Reload(Limits(10, 5), [LOT, lamp], 5))
    kept = run.hear()
    assert isinstance(kept, SettingsKept)
    assert "duration" in kept.reason
    assert run.process._house.limits == Limits(10, 1_000, bids_per_s=10**6, bids_burst=10**6, all_bids_per_s=10**6)
    assert run.process._archiving.archiving.retention_ns == 0
    assert len(run.process._house.logs) == 1


def test_a_reload_has_another_look_at_the_allow_list(run, tmp_path):
    (tmp_path / "allow").write_text("nonsense\n")
    tell_child(run.control, Reload(Limits(10, 1_000), [LOT]))
    assert {type(run.hear()) for _ in range(2)} == {Reloaded, AllowListKept}


def test_a_gateway_that_ends_gets_the_last_word_behind_every_answer(run):
    run.greet()
    join = run.join()
    run.send(join, number=5)
    until(lambda: run.process._house.logs[0].auction.present, "the joining")
    run.gateway.send(encode(Ending()))
    order = [type(run.next(object)) for _ in range(2)]
    assert order == [ToSession, LastWord]
    assert run.answered[-1] == 5


def test_as_many_requests_are_judged_at_once_as_the_last_commit_was_worth(run, monkeypatch):
    commits_ns = []
    monkeypatch.setattr(daemon, "most_at_once", lambda commit_ns: commits_ns.append(commit_ns) or 1)
    run.greet()

    def is_seen() -> bool:
        run.process._meter.commit_ns = 5 * SECOND_NS
        return 5 * SECOND_NS in commits_ns

    until(is_seen, "a turn after so long a commit")
    run.send(run.join())
    until(lambda: run.process._house.logs[0].auction.present, "the joining")
    until(lambda: 0 < commits_ns[-1] < 5 * SECOND_NS, "a turn after its commit")


def test_what_finds_no_room_in_the_queue_does_not_wait_in_it(prepare):
    run = prepare(queue=2).begin()
    request = (99, b"", encode_message(List(0)), b"", b"")
    run.verifier.send(encode(Checked(3, [request] * 50, [], 1, 1)))
    for number in range(50):
        assert isinstance(run.next(ToSession), ToSession), number
    stages = {each.stage: each.count for each in run.process._meter.measures(1).stages}
    assert (stages["check"], stages["wait"], len(run.process._meter._arrived)) == (50, 2, 0)


def test_what_is_queued_when_it_is_told_to_stop_is_made_durable(prepare, tmp_path, monkeypatch):
    monkeypatch.setattr(daemon, "most_at_once", lambda _commit_ns: 1)
    run = prepare().begin()
    run.greet()
    before = [Request(99, b"", encode_message(List(0)), b"", b"") for _ in range(500)]
    assert not run.process._queue.put([*before, Request(*run.join())], 1_000)
    tell_child(run.control, Stop())
    run.thread.join(30)
    store = SqliteStore(tmp_path / "state")
    assert [decode(entry).kind for entry in store.read(f"auction/{run.auction.hex()}")] == [Kind.TERMS, Kind.JOINED]
    assert store.wal_bytes == 0
    store.close()
