"""A note that the house signed and that its store contradicts stops writing to that log, and to that log alone."""

from __future__ import annotations

from typing import Any

import pytest

from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import TermsError
from auctionctl.house.auction_log import log_name
from auctionctl.house.effects import Commit, Halt, Publish
from auctionctl.house.house import House
from auctionctl.house.recovery import rebuild
from auctionctl.house.registry import RegistryLog
from auctionctl.house.reminders import REMINDERS_A_TURN
from auctionctl.keys.signing import SecretKey
from auctionctl.replica.registry import REGISTRY, REGISTRY_ID
from auctionctl.store.log_store import Append
from auctionctl.store.memory import MemoryStore
from auctionctl.tlog.checkpoint import CheckpointSigner, origin_of
from auctionctl.tlog.heads import sign_heads
from auctionctl.wire.messages import Acknowledged, Read, Refused, Remind, Subscribe

OTHER = SecretKey(b"another house".ljust(32, b"."))
A, B = b"a" * 32, b"b" * 32


def signer(key: SecretKey, log: bytes, owner: SecretKey | None = None) -> CheckpointSigner:
    name = REGISTRY if log == REGISTRY_ID else log_name(log)
    return CheckpointSigner(origin_of((owner or key).identity.text, name), key)


def roll_back(stage: Any, sizes: dict[str, int], reminders: tuple[Remind, ...] = ()) -> list[Any]:
    """The house is killed, and another one starts on a store that is shorter than what was signed."""
    old, stage.store = stage.store, MemoryStore()
    for name, size in old.logs():
        entries = tuple(old.read(name))[: sizes.get(name, size)]
        if entries:
            stage.store.append([Append(name, 0, entries)], stage.now_ns)
    stage.now_ns += SECOND_NS
    stage.house = House(stage.key, stage.limits, stage.house.allowed, stage.now_ns)
    logs = [rebuild(stage.key, name, stage.store.read(name)) for name, _ in stage.store.logs() if name != REGISTRY]
    registry = RegistryLog(stage.key, stage.store.read(REGISTRY))
    return stage.do(stage.house.adopt(registry, logs, stage.store.last_alive_ns(), stage.now_ns, reminders))


def sizes(stage: Any) -> dict[str, int]:
    return dict(stage.store.logs())


@pytest.fixture
def rolled_back(stage: Any) -> tuple[bytes, bytes, Remind]:
    """Two open auctions, of which the first has lost the bids that ann holds a receipt for, under this note."""
    lost, whole = stage.opened(), stage.opened()
    stage.handle(stage.bid(1, lost, 2_000), stage.bid(1, whole, 2_000))
    size = sizes(stage)[log_name(lost)]
    stage.handle(stage.bid(2, lost, 3_000))
    note = stage.log(lost).checkpoint
    roll_back(stage, {log_name(lost): size})
    for session, name in ((1, "ann"), (2, "ben")):
        stage.enter(session, name)
    return lost, whole, Remind(lost, note)


def test_a_log_that_has_lost_what_was_signed_is_written_to_no_more(stage: Any, staging: Any, rolled_back) -> None:
    lost, whole, reminder = rolled_back
    before = sizes(stage)
    effects = stage.handle(stage.ask(1, reminder))
    (halt,) = [effect for effect in effects if isinstance(effect, Halt)]
    assert (halt.log, halt.reminder) == (log_name(lost), reminder)
    assert "its store has others in their place" in halt.reason, "the gap of the restart stands where the bid stood"
    assert ("halted", f"{halt.log}: {halt.reason}") in stage.house.warnings.listed()
    bid = stage.bid(1, lost, 9_000)
    for request in (bid, stage.join(2, lost)):
        (refused,) = staging.replies(stage.handle(request), request.session)
        assert (refused.code, refused.message) == ("halted", halt.reason)
        assert refused.command == staging.command_of(request)
    stage.after(60 * SECOND_NS)
    assert sizes(stage)[log_name(lost)] == before[log_name(lost)], "no end, no gap, nobody leaves"
    assert stage.kinds(whole)[-1] == "closed", "the others go on"


def test_what_comes_in_the_same_batch_is_not_written_either(stage: Any, staging: Any, rolled_back) -> None:
    lost, whole, reminder = rolled_back
    before = sizes(stage)
    bids = [stage.bid(2, lost, 9_000), stage.bid(2, whole, 9_000)]
    effects = stage.handle(*bids, stage.ask(1, reminder))
    assert [reply.code for reply in staging.replies(effects, 2) if isinstance(reply, Refused)] == ["halted"]
    (acknowledged,) = [reply for reply in staging.replies(effects, 2) if isinstance(reply, Acknowledged)]
    assert [receipts.auction for receipts in acknowledged.logs] == [whole]
    assert [append.log for effect in effects if isinstance(effect, Commit) for append in effect.appends] == [
        log_name(whole)
    ]
    assert effects.index(next(each for each in effects if isinstance(each, Halt))) == 0, "remembered before it commits"
    assert sizes(stage)[log_name(lost)] == before[log_name(lost)]


def test_a_halted_log_is_still_read_and_followed_without_clock_heads(stage: Any, staging: Any, rolled_back) -> None:
    lost, _, reminder = rolled_back
    stage.handle(stage.ask(1, Subscribe((lost,))), stage.ask(1, reminder))
    effects = stage.handle(stage.ask(1, Read(lost, 0)))
    (fetch,) = [effect for effect in effects if type(effect).__name__ == "Fetch"]
    assert fetch.size == stage.store.size(log_name(lost))
    stage.effects.clear()
    stage.after(15 * SECOND_NS)
    assert not [effect for effect in stage.effects if isinstance(effect, Publish) and effect.auction == lost]


def test_it_is_said_once_and_heard_from_anybody(stage: Any, rolled_back) -> None:
    _, _, reminder = rolled_back
    stage.enter(3, "olga", "observer")
    assert [type(effect) for effect in stage.handle(stage.ask(3, reminder))].count(Halt) == 1
    assert stage.handle(stage.ask(1, reminder), stage.ask(3, reminder)) == []


def test_a_store_shorter_than_what_was_signed_says_how_much(stage: Any) -> None:
    auction = stage.announce(start_timeout_ns=3_600 * SECOND_NS)
    stage.enter(1, "ann")
    stage.handle(stage.join(1, auction))
    note = stage.log(auction).checkpoint
    roll_back(stage, {log_name(auction): 1})
    size = sizes(stage)[log_name(auction)]
    stage.enter(1, "ann")
    key = stage.key
    for beyond in (size + 1, size + 100):
        note = signer(key, auction).sign(beyond, bytes(32))
        (halt,) = stage.handle(stage.ask(1, Remind(auction, note))) or [None]
        if beyond == size + 1:
            assert halt.reason == f"this house has signed for {beyond} entries, and its store has {size}"
        else:
            assert halt is None


def test_notes_that_the_store_bears_out_change_nothing(stage: Any) -> None:
    auction = stage.opened()
    notes = []
    for amount in (2_000, 3_000, 4_000):
        stage.handle(stage.bid(1 + amount // 1_000 % 2, auction, amount))
        notes.append(stage.log(auction).checkpoint)
    log = stage.log(auction)
    notes.append(log.sign_head())
    notes.append(signer(stage.key, auction).sign(0, log.tree.root(0)))
    together = sign_heads(
        [(signer(stage.key, auction), 2, log.tree.root(2)), (signer(stage.key, B), 1, bytes(32))], stage.key
    )
    for note in (*notes, together[0]):
        assert stage.handle(stage.ask(1, Remind(auction, note))) == []
    assert stage.handle(stage.ask(1, Remind(REGISTRY_ID, stage.house.registry.sign_head()))) == []


def test_each_note_of_a_log_is_judged_by_itself_at_the_start(stage: Any) -> None:
    """A store that was restored may bear out the first, and lack what the second says."""
    auction = stage.opened()
    notes, held = [], []
    for amount in (2_000, 3_000, 4_000):
        stage.handle(stage.bid(1 + amount // 1_000 % 2, auction, amount))
        notes.append(Remind(auction, stage.log(auction).checkpoint))
        held.append(sizes(stage)[log_name(auction)])
    effects = roll_back(stage, {log_name(auction): held[1]}, (notes[0], notes[2]))
    assert [each.reminder for each in effects if isinstance(each, Halt)] == [notes[2]]
    assert sizes(stage)[log_name(auction)] == held[1], "not even the gap of the restart"


def test_a_note_that_was_signed_together_with_others_halts_as_well(stage: Any) -> None:
    auction = stage.opened()
    heads = [(signer(stage.key, auction), 99, bytes(32)), (signer(stage.key, B), 1, bytes(32))]
    note, _ = sign_heads(heads, stage.key)
    assert [type(each) for each in stage.handle(stage.ask(1, Remind(auction, note)))] == [Halt]


@pytest.mark.parametrize(
    "make",
    [
        lambda key, log: signer(key, B).sign(99, bytes(32)),
        lambda key, log: signer(key, REGISTRY_ID).sign(99, bytes(32)),
        lambda key, log: signer(OTHER, log).sign(99, bytes(32)),
        lambda key, log: signer(OTHER, log, key).sign(99, bytes(32)),
        lambda key, log: signer(key, log).sign(9, bytes(32)).replace(b"\n9\n", b"\n99\n"),
        lambda key, log: b"",
        lambda key, log: b"\n\n",
        lambda key, log: b"\xff\n\n",
        lambda key, log: b"x" * 4_096,
    ],
    ids=["other log", "registry", "other house", "other key", "changed", "empty", "blank", "no text", "long"],
)
def test_what_this_house_has_not_signed_of_this_log_is_malformed(stage: Any, staging: Any, make: Any) -> None:
    auction = stage.opened()
    effects = stage.handle(stage.ask(1, Remind(auction, make(stage.key, auction))))
    (reply,) = staging.replies(effects, 1)
    assert (type(reply), reply.code) == (Refused, "malformed")
    stage.handle(stage.bid(1, auction, 2_000))
    assert stage.kinds(auction)[-1] == "bid"


def test_a_name_of_a_log_that_is_none_is_malformed(stage: Any, staging: Any) -> None:
    stage.enter(1, "ann")
    (reply,) = staging.replies(stage.handle(stage.ask(1, Remind(A[:31], signer(stage.key, A).sign(1, A)))), 1)
    assert reply.code == "malformed"


def test_strangers_are_not_heeded_and_a_flood_takes_no_more_than_its_share(stage: Any, staging: Any) -> None:
    auction = stage.opened()
    forged = Remind(auction, signer(OTHER, auction, stage.key).sign(99, bytes(32)))
    true = Remind(auction, signer(stage.key, auction).sign(99, bytes(32)))
    (reply,) = staging.replies(stage.handle(stage.ask(77, true)), 77)
    assert reply.code == "no_session"
    flood = [stage.ask(2, forged)] * (REMINDERS_A_TURN + 20)
    assert len(staging.replies(stage.handle(*flood), 2)) == REMINDERS_A_TURN
    assert [type(each) for each in stage.handle(stage.ask(1, true))] == [Halt]


def test_a_halted_registry_announces_and_admits_nobody_and_the_auctions_go_on(stage: Any, staging: Any) -> None:
    auction = stage.opened()
    size = stage.store.size(REGISTRY)
    stage.enter(5, "sue", "seller")
    (halt,) = stage.handle(stage.ask(1, Remind(REGISTRY_ID, signer(stage.key, REGISTRY_ID).sign(99, bytes(32)))))
    assert halt.log == REGISTRY
    offer = stage.offer(5, stage.terms())
    (reply,) = staging.replies(stage.handle(offer), 5)
    assert (reply.code, reply.message, reply.command) == ("halted", halt.reason, staging.command_of(offer))
    assert not stage.house.has_room
    with pytest.raises(TermsError, match="nothing can be announced: this house has signed for 99 entries"):
        stage.announce()
    stage.do(stage.house.set_allowed(staging.allowed_with(ann="bidder", ben="bidder", nina="bidder"), stage.now_ns))
    stage.enter(6, "nina")
    assert 6 in stage.house.presence.peers, "the allow list holds, only the registry does not say so"
    stage.handle(stage.bid(1, auction, 2_000))
    assert stage.kinds(auction)[-1] == "bid"
    assert stage.store.size(REGISTRY) == size


def test_the_same_terms_again_are_answered_although_the_registry_is_halted(stage: Any, staging: Any) -> None:
    stage.enter(5, "sue", "seller")
    offer = stage.offer(5, stage.terms())
    stage.handle(offer)
    stage.handle(stage.ask(5, Remind(REGISTRY_ID, signer(stage.key, REGISTRY_ID).sign(99, bytes(32)))))
    assert [type(reply) for reply in staging.replies(stage.handle(offer), 5)] == [Acknowledged]


def test_an_auction_that_was_lost_as_a_whole_is_not_begun_again(stage: Any, staging: Any) -> None:
    stage.enter(5, "sue", "seller")
    offer = stage.offer(5, stage.terms())
    stage.handle(offer)
    auction = staging.command_of(offer)
    reminder = Remind(auction, stage.log(auction).checkpoint)
    roll_back(stage, {log_name(auction): 0, REGISTRY: stage.store.size(REGISTRY) - 1})
    stage.enter(5, "sue", "seller")
    assert [type(each) for each in stage.handle(stage.ask(5, reminder))] == [Halt]
    (reply,) = staging.replies(stage.handle(offer), 5)
    assert reply.code == "halted"


def test_an_auction_that_was_archived_is_nobodys_contradiction(stage: Any) -> None:
    auction = stage.opened()
    stage.after(60 * SECOND_NS)
    note = stage.log(auction).checkpoint
    stage.house.forget(stage.log(auction))
    assert stage.handle(stage.ask(1, Remind(auction, note))) == []


def test_a_restart_halts_again_what_is_still_contradicted_and_nothing_else(stage: Any, rolled_back) -> None:
    lost, whole, reminder = rolled_back
    complete = Remind(whole, stage.log(whole).checkpoint)
    stage.handle(stage.ask(1, reminder))
    before = sizes(stage)
    effects = roll_back(stage, {}, (reminder, complete))
    assert [each.log for each in effects if isinstance(each, Halt)] == [log_name(lost)]
    assert sizes(stage)[log_name(lost)] == before[log_name(lost)], "not even the gap of the restart"
    assert stage.kinds(whole)[-1] == "gap"


def test_halted_auctions_are_not_waited_for_and_take_nobodys_room(stage: Any, rolled_back) -> None:
    _, _, reminder = rolled_back
    assert (stage.house.live_count, stage.house.unfinished_count) == (2, 2)
    stage.handle(stage.ask(1, reminder))
    assert (stage.house.live_count, stage.house.unfinished_count) == (1, 1)
    timer_ns = stage.house.get_timer()
    assert timer_ns is None or timer_ns > stage.now_ns
