"""A session is of the key that CURVE authenticated for each of its messages, whatever else a message looks like.

The sockets are real; whoever wants another's session has its routing id, which a client may choose for itself.
"""

from __future__ import annotations

import pytest
from gateway_run import know
from house_process import until

from auctionctl.net.hops import ToSession
from auctionctl.wire.messages import Bye, List, Ping, Pong, Read, Status, Subscribe
from auctionctl.wire.messages import encode as encode_message

ROUTE = b"the way of both"
BID = b"\x92\xa3bid" + bytes(80)


@pytest.mark.parametrize(
    "body",
    [
        BID,
        b"\x92\xa4join" + bytes(80),
        b"\x92\xa5pause" + bytes(80),
        encode_message(List(0)),
        encode_message(Read(b"", 0)),
        encode_message(Subscribe([])),
        encode_message(Status()),
        encode_message(Ping(1)),
        encode_message(Bye()),
    ],
    ids=["bid", "join", "pause", "list", "read", "subscribe", "status", "ping", "bye"],
)
def test_no_message_of_another_key_is_of_a_session_even_under_its_routing_id(served, connect, body):
    ann = connect(served, "ann", routing_id=ROUTE)
    number = know(served, ann)
    served.gateway._porter.guard = None  # which would notice within a second that the connection is gone
    ann.close()
    ben = connect(served, "ben", routing_id=ROUTE)
    ben.send(body, bytes(64))
    assert served.gateway._sessions.by_number[number].route == ROUTE, "her session is still there to be taken"
    assert ben.receive().code == "no_session"
    assert until(served.next_end, "the end of her session") == number
    assert not served.chunks, "nothing of it went to the house"


def test_what_one_session_says_in_anothers_name_is_checked_by_its_own_key(served, connect):
    ann, ben = connect(served), connect(served, "ben")
    of_ann, of_ben = know(served, ann), know(served, ben)
    ben.send(BID, bytes(64))
    ((number, signer, body, _, _),) = served.next_chunk().requests
    assert (number, signer, body) == (of_ben, ben.key.identity.signing, BID), "a bid of hers is forged, coming from him"
    served.release(ToSession(of_ann, encode_message(Pong(7, 0)), b""))
    assert ann.receive() == Pong(7, 0), "and her answers go to her"


def test_a_hello_in_anothers_name_carries_the_key_of_the_connection(served, connect):
    ben = connect(served, "ben")
    know(served, ben)
    ben.send(*ben.hello(key=connect(served, "ann").key))
    ((_, signer, _, _, transport),) = served.next_chunk().requests
    ann = connect(served, "ann").key.identity
    assert (signer, transport) == (ann.signing, ben.key.identity.transport), (
        "the house refuses what is not one identity"
    )
