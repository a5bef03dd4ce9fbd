"""What fails in a cluster, and what happens then: for auctionctl-cluster(7).

Rule: each is what a test of ``tests/conformance`` or ``tests/faults`` makes happen, or what the code says by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Failure:
    """``what`` fails, what ``happens``, and how long nobody is answered (``away``)."""

    what: str
    happens: str
    away: str


FAILURES: Final = (
    Failure(
        "a NATS server that leads a stream is killed",
        "The other two elect another leader. What was under way is sent again, with the same bytes and under the same"
        " name, and is stored once.",
        "5 to 8 s",
    ),
    Failure("a NATS server that follows is killed", "Nothing that anybody notices; doctor warns.", "none"),
    Failure(
        "a NATS server stops without a word, or its wire is cut",
        "The house gives it up after two unanswered pings, and connects to the next one of its address.",
        "as long as it stands still, and 1 to 5 s",
    ),
    Failure(
        "two of three NATS servers are away",
        "Nothing is acknowledged. The house says that the cluster does not answer, and tries again until it does;"
        " bidders send the same bytes again.",
        "until one is back",
    ),
    Failure(
        "all NATS servers lose power",
        "As above. Every acknowledged bid is on the disks of two of them, and is there when they are back.",
        "until two are back",
    ),
    Failure(
        "the house's process is killed",
        "Its supervisor starts another one, which reads the stream and resumes. A gap is entered, and deadlines move.",
        "2 to 4 s",
    ),
    Failure(
        "the machine of a house without instances is lost",
        "Start the house on another one, with the same key. A gap is entered.",
        "until then",
    ),
    Failure(
        "one of several instances is killed, or its machine is lost",
        "Once its lease is over the others take its logs over, with a gap. The auctions of the others go on"
        " undisturbed.",
        "3 to 5 s, for its auctions",
    ),
    Failure(
        "one of several instances is ended (SIGTERM)",
        "It gives its logs to others, without a gap, and takes nothing more.",
        "1 to 2 s, for its auctions, and no gap",
    ),
    Failure(
        "one of several instances stands still, or loses its way to the cluster",
        "For less than its lease: a gap, where it was for more than a second. For longer: as if it had been killed;"
        " when it goes on, it can write to nothing that others have, and is given its share anew.",
        "4 to 5 s, for its auctions",
    ),
    Failure(
        "a second process under the same key, and the same instance or none",
        "Whoever writes behind a message that it has not seen is refused by the servers; one of the two ends.",
        "none",
    ),
    Failure(
        "the clock of a machine is set back",
        "Nothing is dated before the last entry; behind that by more than a few seconds a house by itself waits, and an"
        " instance takes no log over; both say so.",
        "until it is right, or another instance does it",
    ),
    Failure(
        "a file of credentials or for TLS is missing, or wrong, when the house's process is started again",
        "Its supervisor says which file and why, and starts it again every 5 s until it can be used. Until then a house"
        " by itself answers nobody; what one of several instances had is taken over by the others.",
        "until it is right, or 3 to 5 s",
    ),
    Failure(
        "the cluster has no more room (max_file_store)",
        "The house takes no more, says so in status, and keeps what it acknowledged; it goes on when there is room.",
        "until there is room",
    ),
    Failure(
        "a stream is rolled back, or lost",
        "A machine whose mark it does not hold refuses to start, with status 78: a house that is started again finds"
        " the same. Restore a newer backup of the stream.",
        "until then",
    ),
    Failure(
        "a stream is set up otherwise, or another house's",
        "Refused at the start, with the setting and the command that mends it. What may lose something is taken with"
        " --allow-lossy, and status warns.",
        "until then",
    ),
    Failure(
        "a server does not sync, or says nothing of it",
        "Refused at the start, unless --allow-lossy is given.",
        "until then",
    ),
)
