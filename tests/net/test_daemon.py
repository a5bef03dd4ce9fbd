"""The house's process by itself: the tests are its supervisor, its gateway and its verifier."""

from __future__ import annotations

from dataclasses import replace

import pytest
from daemon_run import ANN, LOT, SESSION, Run, TroubledStore
from house_process import HOUSE_KEY, key_of, until

from auctionctl.auction.command_id import command_id
from auctionctl.auction.terms import SECOND_NS
from auctionctl.errors import StoreBrokenError, StoreFullError
from auctionctl.keys.access import Access
from auctionctl.keys.allowlist import Entry
from auctionctl.net import gateway_ends
from auctionctl.net.child_words import GatewayPipe, VerifierPipe, encode
from auctionctl.net.hops import Admit, Following, Release
from auctionctl.net.house_words import Alive, Listening, LotsWait, Opened, StoreFull
from auctionctl.net.pipes import MAX_FRAME_BYTES, PipeClosedError
from auctionctl.replica.registry import REGISTRY_ID, Revoke, encode_registry_event
from auctionctl.store.state_directory import BALLAST_BYTES
from auctionctl.tlog.entry import Kind
from auctionctl.wire.frames import message_type, sign_body
from auctionctl.wire.listing import Entropy, sign_terms
from auctionctl.wire.messages import (
    Acknowledged,
    Catalogue,
    Entries,
    List,
    Read,
    Refused,
    Subscribe,
)
from auctionctl.wire.messages import encode as encode_message
from auctionctl.wire.session import ClientGreeting


def test_a_request_is_answered_and_its_chunk_with_it(run):
    run.greet()
    join = run.join()
    run.send(join, number=5)
    assert isinstance(run.next_reply(), Acknowledged)
    assert run.answered[-1] == 5
    assert run.read() == [Kind.TERMS, Kind.JOINED]
    run.send((SESSION, b"", encode_message(Subscribe((run.auction,))), b"", b""))
    assert run.next(Following) == Following(SESSION, [run.auction])


def test_a_forged_request_is_refused_by_name(run):
    run.send(forged=((SESSION, bytes(32)),))
    reply = run.next_reply()
    assert (reply.code, reply.command) == ("bad_signature", bytes(32))


def test_what_does_not_fit_into_the_queue_is_refused_as_busy_at_once(prepare):
    run = prepare(queue=2).begin()
    run.greet()
    requests = [(SESSION, b"", encode_message(List(start)), b"", b"") for start in range(4)]
    run.send(*requests)
    replies = [run.next_reply() for _ in range(3)]
    assert [(reply.code, reply.command) for reply in replies[:2]] == [
        ("busy", command_id(request[2])) for request in requests[2:]
    ]
    assert all(reply.retry_after_ns > 0 for reply in replies[:2])
    assert isinstance(replies[2], Catalogue)
    assert replies[2].start == 1, "of two questions for the catalogue in one batch, the last"


def test_questions_about_one_log_are_answered_once_and_with_the_last(prepare):
    run = prepare().begin()
    run.greet()
    run.send(*[(SESSION, b"", encode_message(Read(run.auction, start)), b"", b"") for start in (0, 1, 0, 1)])
    run.send((SESSION, b"", encode_message(List(0)), b"", b""))
    replies = [run.next_reply(), run.next_reply()]
    assert [reply.start for reply in replies if isinstance(reply, Entries)] == [1]


def test_what_comes_from_an_earlier_gateway_is_nobodys(prepare):
    run = prepare().begin()
    run.greet()
    run.serve_anew(SESSION + 1)
    run.send((SESSION, b"", encode_message(List(0)), b"", b""), (SESSION + 1, b"", encode_message(List(0)), b"", b""))
    assert run.next_reply(SESSION + 1).code == "no_session"


def test_a_gateway_replaced_in_the_turn_in_which_its_end_is_seen_harms_nothing(prepare):
    """Both are ready at once here: the word of a new gateway, and the end of the one before it."""
    run = prepare()
    run.pair(GatewayPipe())._socket.close()
    run.pair(GatewayPipe())._socket.close()
    run.begin()
    run.greet()
    assert run.read() == [Kind.TERMS]


@pytest.mark.parametrize("bad", [encode(Release([], [])), b"\xc1", b""], ids=["another-hop", "garbage", "empty"])
def test_a_gateway_that_talks_nonsense_is_no_more_than_a_lost_one(run, bad):
    run.gateway.send(bad)
    assert_gateway_is_lost(run)


def test_a_gateway_that_falls_silent_is_out_of_reach_until_it_is_heard_again(run):
    run.send()  # A beat: from now on there is something to miss.
    while not isinstance(said := run.hear(news=True), Alive) or said.is_reachable:
        pass
    assert said.hung == ()
    assert not run.operations, "a beat is not answered"
    run.send()
    run.greet()
    assert run.read() == [Kind.TERMS, Kind.GAP]


def test_a_gateway_that_announces_an_endless_frame_is_no_more_than_a_lost_one(run):
    run.gateway._socket.sendall((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
    assert_gateway_is_lost(run)


def test_a_gateway_that_does_not_read_is_no_more_than_a_lost_one(run, monkeypatch):
    run.greet()
    monkeypatch.setattr(gateway_ends, "BACKLOG_BYTES", 1 << 18)
    request = (SESSION, b"", encode_message(Read(run.auction, 0)), b"", b"")
    until(lambda: (run.send(*[request] * 500), not run.process._gateways)[1], "its loss")
    assert_gateway_is_lost(run)


def assert_gateway_is_lost(run: Run) -> None:
    with pytest.raises(PipeClosedError):
        until(run.take, "its end")
    run.serve_anew()
    run.greet()
    until(lambda: run.read() == [Kind.TERMS, Kind.GAP], "the gap")


def test_every_session_ends_with_its_gateway(run):
    run.greet()
    run.gateway._socket.close()
    until(lambda: not run.process._gateways, "the loss")
    run.serve_anew()
    run.send((SESSION, b"", encode_message(Read(run.auction, 0)), b"", b""))
    assert run.next_reply().code == "no_session"
    run.greet()
    assert run.read() == [Kind.TERMS, Kind.GAP]


def test_a_greeting_that_comes_after_the_loss_of_its_gateway_begins_no_session_that_nothing_would_end(run):
    run.greet()
    body, signature = ClientGreeting(ANN, HOUSE_KEY.identity, "bidder").hello(bytes(16), 0)
    run.gateway._socket.close()
    until(lambda: not run.process._gateways, "the loss")
    run.send((SESSION, ANN.identity.signing, body, signature, ANN.identity.transport))
    run.serve_anew(SESSION + 1)
    run.send((SESSION + 1, b"", encode_message(List(0)), b"", b""))
    assert run.next_reply(SESSION + 1).code == "no_session"
    assert not run.process._house.presence.peers


def test_another_verifier_takes_the_place_of_a_dead_one_whose_last_words_count(run):
    run.greet()
    run.send(run.join())
    run.verifier._socket.close()
    assert isinstance(run.next_reply(), Acknowledged)
    run.verifier = run.pair(VerifierPipe(0))
    assert run.read() == [Kind.TERMS, Kind.JOINED]


def test_what_a_verifier_said_last_counts_though_its_successor_was_heard_first(run):
    run.greet()
    before = run.process._verifiers[0]
    run.stack.callback(before.close)
    run.pair(VerifierPipe(0))
    until(lambda: run.process._verifiers[0] is not before, "the successor")
    run.send(run.join())
    assert isinstance(run.next_reply(), Acknowledged)
    assert run.read() == [Kind.TERMS, Kind.JOINED]


def test_a_full_store_refuses_what_it_has_not_written_says_so_once_and_goes_on_when_there_is_room(run):
    run.greet()
    join = run.join()
    run.process._store.trouble = StoreFullError
    run.send(join, number=1)
    assert run.hear() == StoreFull("for the test", BALLAST_BYTES)
    run.send(join, number=2)
    for _ in range(2):
        reply = run.next_reply()
        assert (reply.code, reply.command, reply.retry_after_ns) == ("store_full", command_id(join[2]), SECOND_NS)
    run.process._store.trouble = None

    def is_taken() -> bool:
        run.send(join, number=3)
        return isinstance(run.next_reply(), Acknowledged)

    until(is_taken, "the next attempt")
    assert [kind for kind in run.read() if kind != Kind.GAP] == [Kind.TERMS, Kind.JOINED]
    run.control.settimeout(0.01)
    with pytest.raises(PipeClosedError):
        run.hear()
    run.control.settimeout(None)


def test_a_broken_store_ends_the_process(run):
    run.greet()
    run.process._store.trouble = StoreBrokenError
    run.send(run.join())
    run.thread.join(30)
    assert isinstance(run.ended_with[0], StoreBrokenError)


def test_a_lot_whose_announcement_meets_a_full_disk_waits_until_there_is_room(prepare, monkeypatch):
    run = prepare()
    monkeypatch.setattr(TroubledStore, "trouble", StoreFullError)
    run.thread.start()
    run.verifier = run.pair(VerifierPipe(0))
    run.serve_anew()
    assert run.hear() == Opened([])
    assert isinstance(run.hear(), StoreFull)
    assert run.hear() == Listening([])
    assert run.hear() == LotsWait(["vase"])
    monkeypatch.setattr(TroubledStore, "trouble", None)
    until(lambda: [log.auction.terms.listing for log in run.process._house.logs] == ["vase"], "the vase")


def test_it_ends_with_its_supervisor(run):
    run.control.close()
    run.thread.join(30)
    assert isinstance(run.ended_with[0], PipeClosedError)


def test_an_unknown_type_is_refused(run):
    run.greet()
    run.send((SESSION, b"", b"\x91\xa5dance", b"", b""))
    reply = run.next_reply()
    assert isinstance(reply, Refused)
    assert message_type(encode_message(reply)) == "refused"
    assert reply.code == "unknown_type"


def test_the_registry_is_read_beside_the_catalogue_and_grows_with_the_allow_list(run):
    run.greet()
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED]
    questions = [encode_message(Read(REGISTRY_ID, 0)), encode_message(List(0))]
    run.send(*[(SESSION, b"", body, b"", b"") for body in questions])
    assert {type(run.next_reply()) for _ in questions} == {Entries, Catalogue}
    run.allow(Entry(ANN.identity, "ann", "bidder+seller"), Entry(key_of("ben").identity, "ben"))
    assert len(run.next(Admit).transports) == 3
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ROLE, Kind.ADMITTED]


def test_a_seller_that_was_let_in_sells_and_the_same_terms_again_sell_nothing_more(run):
    run.allow(Entry(ANN.identity, "ann", "seller"))
    run.next(Admit)
    run.greet("seller")
    lot = replace(LOT, listing="bowl")
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    terms = sign_terms(lot, HOUSE_KEY.identity.signing, HOUSE_KEY.escrow_public, ANN, entropy)
    for _ in range(2):
        run.send((SESSION, ANN.identity.signing, *terms, b""))
        reply = run.next_reply()
        assert isinstance(reply, Acknowledged)
        assert [(each.auction, each.receipts[0].index) for each in reply.logs] == [(command_id(terms.body), 0)]
    assert run.read(command_id(terms.body)) == [Kind.TERMS]
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ROLE, Kind.ANNOUNCED]


def test_what_the_registry_could_not_say_while_the_store_was_full_is_said_when_there_is_room(run):
    run.greet()
    run.process._store.trouble = StoreFullError
    run.allow(Entry(ANN.identity, "ann"), Entry(key_of("ben").identity, "ben"))
    assert run.hear() == StoreFull("for the test", BALLAST_BYTES)
    assert len(run.next(Admit).transports) == 3, "whoever is on the list may come in all the same, and the house"
    run.process._store.trouble = None
    assert run.read(REGISTRY_ID) == [Kind.ADMITTED, Kind.ANNOUNCED, Kind.ADMITTED]
    assert len(list(run.process._store.read("registry"))) == 3


def test_the_first_word_to_a_gateway_is_without_whom_the_registry_has_ended(prepare):
    run = prepare(access=Access.OPEN).begin()
    run.greet()
    mine = ANN.identity.signing
    body, signature = sign_body(ANN, encode_registry_event(Revoke(HOUSE_KEY.identity.signing, mine, mine)))
    run.send((SESSION, mine, body, signature, b""))
    until(lambda: run.next(Admit).shut_out == [ANN.identity.transport], "its being in force")
    run.close()
    again = prepare(access=Access.OPEN)
    again.thread.start()
    again.verifier = again.pair(VerifierPipe(0))
    again.gateway = again.pair(GatewayPipe(0))
    first = again.next(Admit)
    assert (first.transports, first.shut_out) == ([HOUSE_KEY.identity.transport], [ANN.identity.transport])
