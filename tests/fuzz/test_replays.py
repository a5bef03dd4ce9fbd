"""No signature is good for anything but what it was made for: not in another place, nor as another thing."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from corpus import corpus
from msgspec.structs import replace
from scenes import FORGED, opened, populated, scene, send, state

import auctionctl
from auctionctl.auction import bid, commands, terms
from auctionctl.bidding.answers import check_rejections
from auctionctl.errors import NoteError, RemoteProtocolError, VerificationError
from auctionctl.house.effects import Send
from auctionctl.keys.signing import SecretKey, verify
from auctionctl.replica import registry
from auctionctl.tlog.checkpoint import CheckpointSigner, open_checkpoint, origin_of
from auctionctl.tlog.cosignature import Cosigner, cosigned_message, open_timed
from auctionctl.tlog.heads import sign_heads
from auctionctl.tlog.note import heads_message
from auctionctl.tlog.proof import TlogProof, verify_proof
from auctionctl.wire import messages
from auctionctl.wire.frames import Message, domain, is_signed_by, message_type, sign_body
from auctionctl.wire.messages import Rejections, Welcome, decode_rejection, decode_reply, encode
from auctionctl.wire.session import ClientGreeting

PACKAGE = Path(auctionctl.__file__).parent
KEY, OTHER = SecretKey(b"k" * 32), SecretKey(b"o" * 32)
SIGNING_FORMS = ("domain(", "heads_message(", "cosigned_message(")


def tags() -> list[str]:
    """Every type of a message, from the structs themselves."""
    found = {
        str(tag)
        for module in (messages, bid, commands, terms, registry)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and (tag := each.__struct_config__.tag)
    }
    return sorted(found)


# Domains


def test_whatever_is_signed_in_this_package_is_signed_under_a_domain_of_the_table() -> None:
    """A note's text is its own domain: it begins with the name of its house's log."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sign"
            if is_call and len(node.args) == 1 and not path.match("benchmarks/*.py"):
                signed = ast.unparse(node.args[0])
                is_note = path.match("tlog/*.py") and signed in ("text", "_encode(text)", "self.text(size, root)")
                assert is_note or signed.startswith(SIGNING_FORMS), f"{path}:{node.lineno} signs {signed}"


def test_no_domain_is_the_beginning_of_another() -> None:
    domains = {domain(tag) for tag in tags()}
    assert len(domains) == len(tags()) > 25
    assert all(each.endswith(b"\0") and each.count(b"\0") == 1 for each in domains)
    domains |= {heads_message(2, bytes(32))[:20], cosigned_message(b"", 0)[:20], b"auc1"}
    assert len(domains) == len(tags()) + 3
    assert [(one, two) for one in domains for two in domains if one != two and two.startswith(one)] == []


def test_a_signature_of_one_type_of_message_is_none_of_any_other() -> None:
    rest = b"\x01" * 40
    bodies = {tag: b"\x92" + msgspec.msgpack.encode(tag) + rest for tag in tags()}
    for tag, body in bodies.items():
        signature = sign_body(KEY, body).signature
        assert message_type(body) == tag
        assert [other for other, its in bodies.items() if is_signed_by(KEY.identity.signing, its, signature)] == [tag]
        assert not verify(KEY.identity.signing, body, signature)


# What a house signs


def welcomed(stage: Any) -> tuple[ClientGreeting, Welcome, Message]:
    greeting = ClientGreeting(KEY, stage.key.identity, "bidder")
    greeting.hello(b"n" * 16, stage.now_ns)
    mine = KEY.identity
    house = stage.key.identity
    answer = Welcome(
        1, b"n" * 16, mine.signing, mine.transport, house.transport, stage.key.escrow_public, "bidder", stage.now_ns, 9
    )
    return greeting, answer, sign_body(stage.key, encode(answer))


def others(value: Any) -> Iterator[Any]:
    match value:
        case bytes():
            yield from (bytes(len(value)), value[:-1] + bytes([value[-1] ^ 1]))
        case int():
            yield from (value + 1, 0)
        case str():
            yield from ("seller", "observer")


def test_every_field_of_a_welcome_is_bound_and_one_of_another_greeting_is_refused(stage: Any) -> None:
    greeting, welcome, message = welcomed(stage)
    greeting.check(welcome, *message)
    for name in welcome.__struct_fields__:
        for value in others(getattr(welcome, name)):
            changed = replace(welcome, **{name: value})
            with pytest.raises(RemoteProtocolError):
                greeting.check(changed, encode(changed), message.signature)
            if name not in ("time_ns", "queue_limit", "escrow"):  # what only the house can know
                with pytest.raises(RemoteProtocolError):
                    greeting.check(changed, *sign_body(stage.key, encode(changed)))
    with pytest.raises(RemoteProtocolError):
        greeting.check(welcome, *sign_body(OTHER, message.body))
    greeting.hello(b"m" * 16, stage.now_ns)
    with pytest.raises(RemoteProtocolError):
        greeting.check(welcome, *message)


def rejected(stage: Any) -> Rejections:
    """Two bids of ann, refused in one batch."""
    auction = opened(stage)
    effects = stage.handle(*(stage.bid(1, auction, minor, seq=20 + minor) for minor in (1, 2)))
    replies = [decode_reply(each.message.body) for each in effects if isinstance(each, Send) and each.session == 1]
    (batch,) = [reply for reply in replies if isinstance(reply, Rejections)]
    assert len(batch.rejections) == 2
    return batch


def test_every_field_of_a_rejection_is_bound_and_one_of_another_bid_is_refused(staging: Any) -> None:
    stage = populated(staging)
    batch = rejected(stage)
    house = stage.key.identity
    check_rejections(house, batch)
    first, second = batch.rejections
    leaf = decode_rejection(first.rejection)
    changed = [replace(batch, count=3), replace(batch, root=bytes(32)), replace(batch, signature=bytes(64))]
    swapped = (replace(first, rejection=second.rejection), replace(first, index=1), replace(first, proof=b""))
    changed += [
        replace(batch, rejections=(each,)) for each in (*swapped, replace(first, proof=first.proof + bytes(32)))
    ]
    for name in leaf.__struct_fields__:
        for value in others(getattr(leaf, name)):
            other = encode(replace(leaf, **{name: value}))
            changed.append(replace(batch, rejections=(replace(first, rejection=other),)))
    for each in changed:
        with pytest.raises(VerificationError, match="rejection"):
            check_rejections(house, each)
    with pytest.raises(VerificationError, match="rejection"):
        check_rejections(OTHER.identity, batch)


def test_a_receipt_is_good_for_one_entry_at_one_place_of_one_log(staging: Any) -> None:
    stage = populated(staging)
    auction, second = opened(stage), opened(stage)
    log, house = stage.log(auction), stage.key.identity
    index, size = 2, log.tree.size
    entry = stage.data(auction)[index]
    good = TlogProof(index, log.tree.inclusion(index, size), log.sign_head())
    origin = origin_of(house.text, log.name)
    verify_proof(good, entry, origin, house.signing)
    another = stage.log(second)
    wrong = [
        (TlogProof(index + 1, good.proof, good.checkpoint_note), entry, origin, house),
        (TlogProof(index, good.proof[32:], good.checkpoint_note), entry, origin, house),
        (TlogProof(index, good.proof, another.sign_head()), entry, origin, house),
        (good, stage.data(auction)[index + 1], origin, house),
        (good, entry[:-1] + bytes([entry[-1] ^ 1]), origin, house),
        (good, entry, origin_of(house.text, another.name), house),
        (good, entry, origin_of(house.text, "registry"), house),
        (good, entry, origin_of(OTHER.identity.text, log.name), OTHER.identity),
    ]
    for proof, data, where, whose in wrong:
        with pytest.raises((NoteError, VerificationError)):
            verify_proof(proof, data, where, whose.signing)


def test_a_clock_head_is_no_checkpoint_nor_a_checkpoint_a_clock_head_nor_either_of_another_log() -> None:
    house = corpus().key
    log, other = (f"auction/{each.hex()}" for each in (corpus().auction, b"o" * 32))
    origin, elsewhere = (origin_of(house.identity.text, each) for each in (log, other))
    note, timed = corpus().note, corpus().clock_head
    signers = [CheckpointSigner(each, house) for each in (origin, elsewhere)]
    together = sign_heads([(each, 5, bytes(range(32))) for each in signers], house)
    line = timed[len(note) :]
    second = signers[0].sign(6, bytes(range(32)))
    open_checkpoint(note, origin, house.identity.signing)
    open_checkpoint(together[0], origin, house.identity.signing)
    open_timed(timed, origin, house.identity.text, house.identity.signing)
    for wrong in (timed, line, together[1], note.replace(b"\n5\n", b"\n6\n"), note + note):
        with pytest.raises(NoteError):
            open_checkpoint(wrong, origin, house.identity.signing)
    cosigner = Cosigner(house.identity.text, house)
    for wrong in (note, second + line, together[0], cosigner.stamp(together[0], 1), timed + line):
        with pytest.raises(NoteError):
            open_timed(wrong, origin, house.identity.text, house.identity.signing)
    for wrong in (note, together[0]):
        with pytest.raises(NoteError):
            open_checkpoint(wrong, elsewhere, house.identity.signing)


# What is caught and sent again


def test_a_hello_opens_no_session_on_another_connection_at_another_house_or_in_another_role(staging: Any) -> None:
    stage = populated(staging)
    request = stage.hello(30, "dora")
    message = Message(request.body, request.signature)
    assert send(stage, 31, message, OTHER.identity.transport) == ["not_authorised"]
    elsewhere = ClientGreeting(staging.key_of("dora"), OTHER.identity, "bidder").hello(b"n" * 16, stage.now_ns)
    assert send(stage, 31, elsewhere, request.transport) == ["not_authorised"]
    as_operator = ClientGreeting(staging.key_of("dora"), stage.key.identity, "operator").hello(b"n" * 16, stage.now_ns)
    assert send(stage, 31, as_operator, request.transport) == ["not_authorised"]
    assert 31 not in stage.house.presence.peers
    assert send(stage, 31, message, request.transport) == []


@pytest.mark.parametrize("name", ["revoke", "rotate", "finish"])
def test_what_changes_a_key_does_so_once_and_for_nobody_else(staging: Any, name: str) -> None:
    of = scene(staging, name)
    others = [session for session in of.stage.house.presence.peers if session != of.session]
    assert {code for session in others for code in send(of.stage, session, of.message)} == {FORGED}
    assert send(of.stage, of.session, of.message) == []
    before = state(of.stage)
    again = {"revoke": ["not_revoked"], "rotate": ["no_session"], "finish": []}  # the last gets its receipt again
    assert send(of.stage, of.session, of.message) == again[name]
    assert state(of.stage) == before


def test_what_was_accepted_once_is_never_entered_again_by_anybody(staging: Any) -> None:
    stage = populated(staging)
    auction = opened(stage)
    request = stage.bid(1, auction, 2_000, seq=50)
    message = Message(request.body, request.signature)
    assert send(stage, 1, message) == []
    size = len(stage.data(auction))
    for session in (1, 2, 3, 4, 8, 9, 10):
        assert send(stage, session, message) in ([], ["forged"])
    stage.until(stage.log(auction).auction.end_ns)
    assert send(stage, 1, message) == [], "its sender gets its receipt again, though the auction has ended"
    assert len(stage.data(auction)) == size + 1
    assert stage.kinds(auction).count("bid") == 5


@pytest.mark.parametrize("placed_at_ns", [0, 1, 10**18, 2**62])
def test_a_bidder_s_clock_decides_nothing_but_how_long_its_bid_may_be_accepted(staging: Any, placed_at_ns: int) -> None:
    stage = populated(staging)
    auction = opened(stage)
    timeout_ns = stage.log(auction).auction.terms.rules.bid_timeout_ns
    for not_after_ns, expected in (
        (0, ["expired"]),
        (stage.now_ns - 1, ["expired"]),
        (stage.now_ns + timeout_ns + 1, ["not_after_too_far"]),
        (2**62, ["not_after_too_far"]),
        (stage.now_ns, []),
    ):
        request = stage.bid(1, auction, 2_000, placed_at_ns=placed_at_ns, not_after_ns=not_after_ns)
        assert send(stage, 1, Message(request.body, request.signature)) == expected
    assert stage.entries(auction)[-1].time_ns == stage.now_ns
