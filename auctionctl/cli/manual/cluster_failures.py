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
        "5 to 7 s",
    ),
    Failure("a NATS server that follows is killed", "Nothing that anybody notices; doctor warns.", "none"),
    Failure(
        "a NATS server stops without a word, or its wire is cut",
        "The house gives it up after two unanswered pings, and connects to the next one of its address.",
        "some seconds",
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
        "some seconds",
    ),
    Failure(
        "the machine of the house is lost",
        "Start the house on another one, with the same key. A gap is entered.",
        "until then",
    ),
    Failure(
        "a second house under the same key",
        "Whoever writes behind a message that it has not seen is refused by the servers; one of the two ends.",
        "none",
    ),
    Failure(
        "the clock of the house is set back",
        "It stamps no entry before the last one; behind that by more than a few seconds it waits, and says so.",
        "until it is right",
    ),
    Failure(
        "the cluster has no more room (max_file_store)",
        "The house takes no more, says so in status, and keeps what it acknowledged; it goes on when there is room.",
        "until there is room",
    ),
    Failure(
        "a stream is rolled back, or lost",
        "A machine whose mark it does not hold refuses to start. Restore a newer backup of the stream.",
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
