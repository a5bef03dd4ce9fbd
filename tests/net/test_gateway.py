"""The gateway by itself: the tests are its house, its verifiers and its bidders, over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
import zmq
from gateway_run import MANY, QUEUE, Served, chunks_from, know
from house_clients import RawSession
from house_process import until
from zmq.utils.monitor import parse_monitor_message

from auctionctl.auction.command_id import command_id
from auctionctl.net.child_words import Stop
from auctionctl.net.chunks import Chunk, decode_chunk
from auctionctl.net.control import tell_child
from auctionctl.net.edge import LEAST_SHARE
from auctionctl.net.gateway import SILENCE_NS
from auctionctl.net.gateway_orders import Drain, SetLimits
from auctionctl.net.hops import Admit, Ending, Following, Known, LastWord, ToFollowers, ToSession
from auctionctl.net.pipes import PipeClosedError
from auctionctl.wire.messages import Bye, List, Ping, Pong, Refused, decode_reply
from auctionctl.wire.messages import encode as encode_message


def test_sessions_and_chunks_are_numbered_from_where_the_supervisor_says(served, connect):
    ann = connect(served)
    assert know(served, ann) == 100
    assert know(served, connect(served, "ben")) == 101
    ann.send(encode_message(List(0)), b"")
    assert served.next_chunk().number == 102, "two hellos went before it"


def test_a_beat_goes_by_every_way_that_bids_take_while_the_gateway_serves(serve):
    served = serve(slots=2)
    for pipe in served.verifiers.values():
        until(lambda p=pipe: Chunk(100, []) in map(decode_chunk, p.receive()), "a first beat")
    served.replace_verifier(1)
    served.verifiers[0].close()
    until(lambda: Chunk(100, []) in map(decode_chunk, served.verifiers[1].receive()), "a beat by the new way")


def test_a_ping_is_answered_here_and_a_request_goes_to_the_house(served, connect):
    ann = connect(served)
    number = know(served, ann)
    assert ann.ask(encode_message(Ping(7)), b"").token == 7
    body = encode_message(List(0))
    ann.send(body, b"")
    assert served.next_chunk().requests == [(number, b"", body, b"", b"")]


def test_commands_beyond_the_queue_are_refused_as_busy_until_some_are_answered(served, connect):
    ann = connect(served)
    know(served, ann)
    bodies = [b"\x92\xa3bid" + bytes([count]) * 80 for count in range(QUEUE + 1)]
    for body in bodies:
        ann.send(body, bytes(64))
    reply = ann.receive()
    assert isinstance(reply, Refused)
    assert (reply.code, reply.retry_after_ns > 0) == ("busy", True)
    chunks: list[Chunk] = []
    while sum(len(chunk.requests) for chunk in chunks) < QUEUE:
        chunks.append(served.next_chunk())
    assert [request[2] for chunk in chunks for request in chunk.requests] == bodies[:QUEUE]
    assert {request[1] for chunk in chunks for request in chunk.requests} == {ann.key.identity.signing}
    served.release(answered=tuple(chunk.number for chunk in chunks))
    # The release and the bid come by different ways: what is refused meanwhile is sent again.
    until(lambda: (ann.send(bodies[QUEUE], bytes(64)), served.verifiers[0].receive())[1], "room in the queue")


def test_what_an_operator_commands_finds_room_in_a_full_queue(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    know(served, ann)
    number = know(served, ben)
    for count in range(QUEUE):
        ann.send(b"\x92\xa3bid" + bytes([count]) * 80, bytes(64))
    taken = 0
    while taken < QUEUE:
        taken += len(served.next_chunk().requests)
    cancel = b"\x92\xa6cancel" + bytes(80)
    ben.send(cancel, bytes(64))
    assert ben.receive().code == "busy", "no operator yet"
    served.release(Known(number, ben.key.identity.signing, "operator"))
    # The release and the command come by different ways.
    found = until(lambda: (ben.send(cancel, bytes(64)), chunks_from(served.verifiers[0]))[1], "room for it")
    assert found[0].requests[0][2] == cancel


def test_all_of_one_auction_goes_the_same_way(serve, connect):
    served = serve(slots=3)
    ann = connect(served)
    ann.send(*ann.hello())
    until(lambda: poll_slots(served), "a hello")
    chunk = served.chunks.popleft()
    served.release(Known(chunk.requests[0][0], ann.key.identity.signing, "bidder"), answered=(chunk.number,))
    for type_name in (b"\xa3bid", b"\xa4join"):
        for first_byte in range(6):
            auction = bytes([first_byte]) + bytes(31)
            body = b"\x97" + type_name + b"\xc4\x20" + bytes(32) + b"\xc4\x20" + auction + bytes(20)
            assert until(lambda b=body: slots_of(served, ann, b), "the command") == [first_byte % 3]


def poll_slots(served: Served) -> list[int]:
    found = []
    for slot, pipe in served.verifiers.items():
        for chunk in chunks_from(pipe):
            served.chunks.append(chunk)
            found.append(slot)
    return found


def slots_of(served: Served, session: RawSession, body: bytes) -> list[int]:
    """Where this command goes; nowhere if the session is not known yet."""
    session.send(body, bytes(64))
    slots = until(lambda: poll_slots(served) or session._socket.poll(0), "a chunk or a refusal")
    if not isinstance(slots, list):
        assert session.receive().code == "no_session"
        return []
    chunk = served.chunks.popleft()
    served.release(answered=(chunk.number,))
    assert chunk.requests[0][2] == body
    return slots


def test_what_a_dead_verifier_held_no_longer_counts(served, connect):
    ann = connect(served)
    know(served, ann)
    for count in range(QUEUE):
        ann.send(b"\x92\xa3bid" + bytes([count]) * 80, bytes(64))
    assert ann.ask(b"\x92\xa3bid" + bytes(80), bytes(64)).code == "busy"
    served.verifiers[0]._socket.close()
    served.replace_verifier(0)
    body = b"\x92\xa3bid" + b"again" * 16
    until(lambda: (ann.send(body, bytes(64)), served.verifiers[0].receive())[1], "the successor to be asked")


def test_a_dead_verifier_does_not_keep_the_gateway_busy(served, connect):
    ann = connect(served)
    know(served, ann)
    served.verifiers[0]._socket.close()
    pings = 50
    before = served.gateway.turns
    for count in range(pings):
        assert ann.ask(encode_message(Ping(count)), b"").token == count
    # A turn or two for each; polling the end of a stream would make thousands of them.
    assert served.gateway.turns - before < 4 * pings
    ann.send(encode_message(List(0)), b"")  # lost with the verifier, and nobody is the worse for it
    assert isinstance(ann.ask(encode_message(Ping(0)), b""), Pong)


def test_no_session_has_more_under_way_than_its_part_of_the_queue(serve, connect):
    served = serve(limits=replace(MANY, queue=4 * LEAST_SHARE + 4))
    ann, ben = connect(served), connect(served, "ben")
    know(served, ann)
    know(served, ben)
    for _ in range(LEAST_SHARE + 1):
        ann.send(encode_message(List(0)), b"")
    assert isinstance(ann.ask(encode_message(List(0)), b""), Refused)
    ben.send(encode_message(List(0)), b"")
    numbers = []
    while len(numbers) < LEAST_SHARE + 2:
        numbers += [request[0] for request in served.next_chunk().requests]
    assert len(set(numbers)) == 2, "there is room for the other"


def test_the_end_of_a_session_is_not_lost_with_a_verifier(served, connect):
    ann = connect(served)
    number = know(served, ann)
    dead = served.verifiers[0]
    ann.send(encode_message(Bye()), b"")
    until(lambda: served.gateway._under_way.count, "the end to be on its way")
    served.replace_verifier(0)
    assert until(served.next_end, "the end of a session, once more") == number
    dead.close()


def test_a_verifier_that_is_slow_gets_everything_in_the_end(serve, connect):
    served = serve(limits=replace(MANY, queue=1_000))
    ann = connect(served)
    know(served, ann)
    body = encode_message(List(0)) + bytes(15_000)
    count = 200
    for _ in range(count):
        ann.send(body, b"")
    assert isinstance(ann.ask(encode_message(Ping(1)), b""), Pong)
    requests = 0
    while requests < count:
        requests += len(served.next_chunk().requests)
    assert requests == count


def test_the_feed_goes_to_followers_until_they_leave(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    first, second = know(served, ann), know(served, ben)
    auction = bytes(32)
    served.release(Following(first, [auction]), Following(second, [auction]), Following(99, [auction]))
    served.release(ToFollowers(auction, encode_message(Pong(1, 1))), ToFollowers(b"another", b"body"))
    assert [ann.receive(), ben.receive()] == [Pong(1, 1)] * 2
    ann.send(encode_message(Bye()), b"")
    assert until(served.next_end, "the end of a session") == first
    served.release(
        ToFollowers(auction, encode_message(Pong(2, 2))), ToSession(99, b"body", b""), Known(99, b"", "bidder")
    )
    assert ben.receive() == Pong(2, 2)
    assert ann.ask(encode_message(Ping(1)), b"").code == "no_session", "no feed before it: its session was over"


def events_of(session: RawSession, stack: ExitStack) -> Callable[[], int | None]:
    """What happens to the connection of ``session`` from now on, one event a call."""
    monitor = session._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_HANDSHAKE_FAILED_AUTH)
    stack.callback(monitor.close, linger=0)
    stack.callback(session._socket.disable_monitor)

    def event() -> int | None:
        return parse_monitor_message(monitor.recv_multipart())["event"] if monitor.poll(20) else None

    return event


def test_who_is_taken_off_the_list_is_cut_off_and_refused_and_the_house_told(served, connect, stack):
    ann, ben = connect(served), connect(served, "ben")
    number = know(served, ann)
    know(served, ben)
    event = events_of(ann, stack)
    served.release(Admit([ben.key.identity.transport]))
    assert until(served.next_end, "the end of a session") == number
    assert until(event, "the end of the connection") == zmq.EVENT_DISCONNECTED
    assert until(event, "an attempt to come back") == zmq.EVENT_HANDSHAKE_FAILED_AUTH
    assert isinstance(ben.ask(encode_message(Ping(1)), b""), Pong)


def test_who_is_silent_for_too_long_is_ended(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    number = know(served, ann)
    know(served, ben)
    served.clock.ahead_ns = SILENCE_NS * 2 // 3
    assert isinstance(ben.ask(encode_message(Ping(1)), b""), Pong)
    served.clock.ahead_ns = SILENCE_NS * 4 // 3
    assert until(served.next_end, "the end of a session") == number
    assert isinstance(ben.ask(encode_message(Ping(1)), b""), Pong)


def test_who_has_gone_is_ended_when_something_is_sent_to_it(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    number = know(served, ann)
    know(served, ben)
    ann._socket.close(linger=0)

    def ended():
        served.release(ToSession(number, b"anybody there?", b""))
        assert isinstance(ben.ask(encode_message(Ping(1)), b""), Pong)
        return served.next_end()

    assert until(ended, "the end of a session") == number


def test_who_does_not_read_loses_messages_and_nobody_else_does(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    number = know(served, ann)
    know(served, ben)
    # More than the sockets and both queues take.
    for _ in range(40):
        served.release(*(ToSession(number, bytes(60_000), b"") for _ in range(100)))
        assert isinstance(ben.ask(encode_message(Ping(1)), b""), Pong)
        ann.send(encode_message(Ping(2)), b"")  # Only who says nothing for long has no session any more.
    got: list[bytes] = []

    def is_answered() -> bool:
        """Whether its session goes on: it has read what there was, and then asked something."""
        while ann._socket.poll(100):
            got.append(ann._socket.recv_multipart()[0])
        ann.send(encode_message(Ping(3)), b"")
        return any(len(each) < 100 and getattr(decode_reply(each), "token", None) == 3 for each in got)

    until(is_answered, "an answer")
    assert 0 < sum(len(each) == 60_000 for each in got) < 4_000


@pytest.mark.parametrize("gone", ["house", "control"])
def test_without_its_house_or_supervisor_it_ends(served, gone):
    {"house": served.house._socket, "control": served.control}[gone].close()
    served.thread.join(30)
    assert isinstance(served.ended_with[0], PipeClosedError)


def test_it_ends_when_it_is_told_to(served):
    tell_child(served.control, Stop())
    served.thread.join(30)
    assert served.ended_with == [None]
    assert served.gateway._context.closed


def test_a_gateway_that_is_drained_takes_nothing_more_and_sees_everything_answered(served, connect):
    ann = connect(served)
    number = know(served, ann)
    taken, late = (b"\x92\xa3bid" + bytes([count]) * 80 for count in (1, 2))
    ann.send(taken, bytes(64))
    chunk = served.next_chunk()
    tell_child(served.control, Drain())
    until(lambda: served.gateway._is_draining, "the beginning of the end")
    assert isinstance(ann.ask(encode_message(Ping(1)), b""), Pong), "and yet it says that it lives"
    closing = ann.ask(late, bytes(64))
    assert (closing.code, closing.command, closing.retry_after_ns > 0) == ("closing", command_id(late), True)
    assert served.hear(Ending) is None, "something is not answered yet"
    receipt = ToSession(number, encode_message(Pong(7, 7)), b"")
    served.release(receipt, answered=(chunk.number,))
    until(lambda: served.hear(Ending), "its word that it has nothing more")
    served.release(LastWord())
    assert ann.receive() == Pong(7, 7)
    goodbye = ann.receive()
    assert (goodbye.code, goodbye.command) == ("closing", b"")
    served.thread.join(30)
    assert served.ended_with == [None]


def test_what_was_sent_last_gets_to_a_slow_reader_before_it_ends(served, connect):
    ann = connect(served)
    number = know(served, ann)
    tell_child(served.control, Drain())
    until(lambda: served.hear(Ending), "its word that it has nothing more")
    answers = [ToSession(number, encode_message(Pong(count, 0)), b"") for count in range(60)]
    served.release(*answers, LastWord())
    served.thread.join(30)
    assert [ann.receive().token for _ in answers] == list(range(60))


def test_a_new_limit_of_the_queue_holds(served, connect):
    ann = connect(served)
    know(served, ann)
    tell_child(served.control, SetLimits(replace(MANY, queue=1)))
    until(lambda: served.gateway._edge.queue == 1, "the new limit")
    for count in range(2):
        ann.send(b"\x92\xa3bid" + bytes([count]) * 80, bytes(64))
    assert ann.receive().code == "busy"
