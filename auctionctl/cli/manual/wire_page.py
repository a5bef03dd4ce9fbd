"""auctionctl-wire(7): the protocol between a house and its sessions, from which another client can be written.

Rule: what the code holds as data or types is drawn from it; the rest says what the code does.
"""

from __future__ import annotations

from auctionctl.auction.terms import SECOND_NS
from auctionctl.bidding.seat import RETRY_NS as COMMAND_RETRY_NS
from auctionctl.bidding.wallet import VOID_MARGIN_NS
from auctionctl.cli.manual.roff import Code, Definitions, Heading, Page, Paragraph, Part, Subheading
from auctionctl.cli.manual.wire_files import file_parts, key_parts
from auctionctl.cli.manual.wire_messages import message_parts, refusal_parts
from auctionctl.house.intake import COMMANDS
from auctionctl.house.presence import PRESENCE_GRACE_NS
from auctionctl.net.gateway import SILENCE_NS
from auctionctl.net.zap import ZAP_DOMAIN
from auctionctl.replica.follower import HEARTBEAT_NS
from auctionctl.replica.house_clock import TOLERANCE_NS
from auctionctl.replica.pending_reads import RETRY_NS
from auctionctl.wire.frames import CURVE_BYTES, MAX_REPLY_BYTES, MAX_REQUEST_BYTES, PROTOCOL_VERSION


def page() -> Page:
    """The page."""
    return Page(
        name="auctionctl-wire",
        section=7,
        title="the protocol between a house and its bidders, sellers and observers",
        parts=(
            *_description(),
            *_transport(),
            *_frames(),
            *key_parts(),
            *_session(),
            *message_parts(),
            *refusal_parts(),
            *_answers(),
            *_checks(),
            *_versions(),
            *file_parts(),
        ),
        see_also=("auctionctl(1)", "auctionctl-serve(1)", "auctionctl-log(5)", "auctionctl-house(5)"),
    )


def _description() -> tuple[Part, ...]:
    return (
        Heading("Description"),
        Paragraph(
            "Whoever bids, sells or looks on has one encrypted connection to the house, over which messages go both"
            " ways."
            " This page says what they are. What a log holds, how it is signed, the form of msgpack and the text of"
            " keys stand in auctionctl-log(5), and hold here too: H is SHA-256, | joins bytes, times are nanoseconds"
            " since 1970-01-01 UTC, `uint 0..9` and the like say types and bounds."
        ),
        Paragraph(
            "The house is believed in nothing that is not signed and proved. The log is the truth; messages only carry"
            " it, and any of them may be lost."
        ),
    )


def _transport() -> tuple[Part, ...]:
    return (
        Heading("Transport"),
        Paragraph(
            "ZeroMQ (ZMTP 3.1) over TCP: the house has a ROUTER socket, a session a DEALER socket, with the CURVE"
            " mechanism"
            " (RFC 26). The session knows the house's transport key from its address, and shows its own: the key pairs"
            " are those of Keys below, as raw 32 bytes. A house answers the handshake by ZAP (RFC 27), domain"
            f" `{ZAP_DOMAIN.decode()}`, and refuses every key that is not on its allow list with status 400; an"
            " open house only those that were revoked or banned. What passes by itself, such as too many connections,"
            " has status 300. Routing ids say nothing and are not set."
        ),
        Paragraph(
            "A connection is a session. After a reconnection everything begins anew: hello, subscriptions, and whatever"
            " has had no answer."
        ),
        Definitions(
            (
                (
                    "house",
                    f"MAXMSGSIZE {MAX_REQUEST_BYTES + CURVE_BYTES} (the limit and what CURVE adds), HANDSHAKE_IVL 2 s,"
                    " SNDHWM 64, LINGER 0.",
                ),
                ("session", "RECONNECT_IVL 100 ms, RECONNECT_IVL_MAX 500 ms, IMMEDIATE 1, LINGER 0."),
                ("both", "HEARTBEAT_IVL 5 s, HEARTBEAT_TTL and HEARTBEAT_TIMEOUT 15 s."),
            )
        ),
        Paragraph(
            "A house sends without waiting: to a session that does not take its messages fast enough (64 wait at most),"
            " further ones are lost."
        ),
    )


def _frames() -> tuple[Part, ...]:
    return (
        Heading("Frames and signatures"),
        Paragraph(
            "A message is exactly two frames: the body, and the signature, which is 64 bytes or empty. A body is at"
            " least"
            f" 1 byte, and at most {MAX_REQUEST_BYTES} bytes towards the house, {MAX_REPLY_BYTES} from it."
        ),
        Paragraph(
            "A body is one msgpack array of at most 15 elements, in the only form of auctionctl-log(5), whose first"
            " element"
            " is a str of at most 31 bytes: its type. So the type can be read from the bytes 1 and after. All fields"
            " are"
            " there, in order, even those that are empty; a body in any other form is refused as `malformed`."
        ),
        Paragraph(
            "A signature is Ed25519 by the signing key of its sender over: `auctionctl/`‹TYPE›`/v1`, a byte 00, the"
            " body as"
            " it is sent. Signed are `hello`, the commands, and `welcome`; all others have an empty signature"
            " frame, and where the house's word is needed, it is within. The commands are "
            + ", ".join(f"`{name}`" for name in sorted(COMMANDS))
            + ". The id of a command is H(body)."
        ),
        Paragraph(
            "Where a field `auction` names a log, it is the 32 bytes of the auction's id, or empty for the registry."
        ),
    )


def _session() -> tuple[Part, ...]:
    return (
        Heading("Session"),
        Paragraph(
            "First a session says `hello`; until it is welcomed, everything else is refused as `no_session`. The house"
            " checks, in this order:"
        ),
        Definitions(
            (
                ("1", "The hello is signed by its `identity` (else `bad_signature`)."),
                ("2", f"`version` is {PROTOCOL_VERSION}, and `house` the house's signing key."),
                ("3", "`transport` is the key that CURVE authenticated on this connection."),
                (
                    "4",
                    "`identity` is on the allow list, with this transport key; or, where strangers are let in, neither"
                    " key is on the list or was revoked.",
                ),
                ("5", "`role` is `observer`, or one of the roles of that line; a stranger's is `bidder`."),
            )
        ),
        Paragraph(
            "From 2 on, what fails is `not_authorised` with an empty `command`. `time_ns` is not judged. The session"
            " checks"
            " the `welcome`:"
        ),
        Definitions(
            (
                ("1", "It is signed by the house of the address."),
                ("2", f"`version` is {PROTOCOL_VERSION}."),
                (
                    "3",
                    "`nonce` is that of the last hello, `identity` and `transport` are one's own. (One for an earlier"
                    " hello of this connection is passed over.)",
                ),
                ("4", "`role` is the one asked for."),
                ("5", "`house_transport` is the transport key of the address."),
            )
        ),
        Paragraph(
            "A nonce is 16 fresh random bytes a hello. `time_ns` of welcome and pong is the house's clock, by which"
            " `not_after_ns` is judged: bid by it, not by your own."
        ),
        Subheading("Heartbeats"),
        Paragraph(
            f"A session that has sent nothing for {SILENCE_NS // SECOND_NS} s is over; so send `ping` every"
            f" {HEARTBEAT_NS // SECOND_NS} s. What comes after is answered with `no_session`: say hello again. A house"
            " that has"
            f" said nothing for {SILENCE_NS // SECOND_NS} s, although pinged, is greeted anew. A bidder without a"
            " session"
            " for"
            f" {PRESENCE_GRACE_NS // SECOND_NS} s leaves its auctions (the entry `left`);"
            " its bids stand, and terms may have the auction wait for it. After"
            " the close nobody leaves but whoever owes the price, where the terms limit that. The loss of"
            " a house's own gateway is"
            " nobody's leaving: it becomes a `gap` if no other one serves."
        ),
    )


def _answers() -> tuple[Part, ...]:
    return (
        Heading("Commands and answers"),
        Paragraph(
            "The house gathers requests into batches. A batch is judged at one time: first what is due, then requests"
            " (those of one session about one auction in the order in which they came; others may overtake one"
            " another). It becomes durable as a whole; only then is anything of it said, and in this order: the feed"
            " of the registry and of each log; receipts; rejections; then, when there is time,"
            " answers to `read` and pages of the catalogue. `refused` may come before all of them. Answers are matched"
            " by the id of the command, never by order."
        ),
        Definitions(
            (
                (
                    "receipt",
                    "Within `acknowledged`: log, checkpoint, and for each command of this session its entry's index and"
                    " time, and the inclusion proof towards that checkpoint. What has a receipt is durable.",
                ),
                (
                    "rejection",
                    "Within `rejections`. It is final for that time only: a bid that was rejected is in no log, but"
                    " the same"
                    " bytes may yet be accepted until their `not_after_ns`, if somebody sends them again.",
                ),
                ("refused", "It was not judged. `busy` and `no_session` call for the same bytes again."),
                ("nothing", "The message or its answer was lost. Send the same bytes again."),
            )
        ),
        Subheading("Retrying"),
        Paragraph(
            "Send the same bytes, never the same offer under another seq: H(body) names a command, and one that is in"
            " the"
            " log gets another receipt, under a newer checkpoint, and counts once. This holds without end, also after"
            " `not_after_ns`, and after the close. A command that repeats one in the batch under way is answered with"
            f" it. Unanswered commands are sent again after {COMMAND_RETRY_NS // SECOND_NS} s, `hello` and `read` after"
            f" {RETRY_NS // SECOND_NS} s. A bid without a receipt binds until its not_after_ns"
            f" has passed on the house's clock by {VOID_MARGIN_NS // SECOND_NS} s and the log, verified beyond that"
            " time,"
            " does not"
            " hold it."
        ),
        Paragraph(
            "A bidder's seq rises above its last bid in the log. A rejected bid uses none. Two different bids under one"
            " seq are two promises, of which the log takes one."
        ),
    )


def _checks() -> tuple[Part, ...]:
    return (
        Heading("What to check"),
        Definitions(
            (
                (
                    "listing",
                    "`terms` are canonical terms, name this house, and are signed by their seller; the auction is"
                    " H(terms)."
                    " `announcement` proves that the registry announces it, as in auctionctl-log(5) (but for the time,"
                    " which the log says). `size` is a hint.",
                ),
                (
                    "entries",
                    "The checkpoint is the house's, under the origin of this log, over `start` + number of entries or"
                    " more."
                    " Each entry passes the rules of auctionctl-log(5) as the next one. Entries beyond one's own end"
                    " are a hole: `read` from there. Entries before it are known; skip them. When one's copy has as"
                    " many entries as a checkpoint says, or more, the root at that size must be the checkpoint's."
                    " What is beyond the last checkpoint that agrees is not to be acted on.",
                ),
                (
                    "clock_head",
                    "The note is a clock head of this log. Keep the last one, and hold it against every entry, those"
                    " that come later too, as auctionctl-log(5) says. If it is over more entries than one's copy has,"
                    " `read` them. Its time is the house's when it was sent: if that is more than"
                    f" {TOLERANCE_NS // SECOND_NS} s from one's own, say so to whoever has to know; so, too, if that of"
                    " welcome, pong, or a new entry is, and no delay explains it.",
                ),
                (
                    "receipt",
                    "Build the entry from its kind (that which auctionctl-log(5) has for the type of the command), the"
                    " receipt's time, one's own body and"
                    " signature; the checkpoint is the house's; the proof leads from its leaf hash at `index` to the"
                    " root. Later the checkpoint must agree with one's copy of the log.",
                ),
                (
                    "rejections",
                    "The signature is over the domain of type `rejections_head` and the array `RejectionsHead` of"
                    " count and"
                    " root; each `rejection` is a leaf, H(00 | its bytes), number `index` of `count`, proved to root as"
                    " in a log; it is canonical, and names this house. If one's copy ends at `log_size`, the rules must"
                    " give the same code and values.",
                ),
                (
                    "registry",
                    "Whoever follows it compares: the root at the size of every announcement's checkpoint must be that"
                    " checkpoint's.",
                ),
            )
        ),
        Paragraph(
            "A house whose signature stands under what does not hold has broken its word: keep the message, and deal"
            " with"
            " it no more."
        ),
    )


def _versions() -> tuple[Part, ...]:
    return (
        Heading("Versions"),
        Paragraph(
            f"This is version {PROTOCOL_VERSION}, said in hello and welcome and in the domains of signatures (`/v1`)."
            " There"
            " is no negotiation: another version is refused. Arrays have a fixed number of elements, so any change of"
            " theirs is another version. New types of messages may come; a house refuses those that it does not know as"
            " `unknown_type`."
        ),
        Subheading("Example"),
        Paragraph("A session of a bidder, each line a message, > to the house:"),
        Code(
            "> hello      signed\n"
            "< welcome    signed\n"
            "> list       start 0\n"
            "< catalogue  1 listing of 1\n"
            "> subscribe  the auction\n"
            "> read       the auction, start 0\n"
            "< entries    from 0, under a checkpoint\n"
            "> join       signed\n"
            "< entries    the joining, and perhaps opened: the feed comes first\n"
            "< acknowledged\n"
            "> bid        signed\n"
            "< entries    the bid\n"
            "< acknowledged\n"
            "< clock_head over 6 entries\n"
            "> bye"
        ),
    )
