"""Verify the exported log of an English auction: python verifier FILE [HOUSE_KEY]

A second implementation, written from the manual page auctionctl-log(5) alone and sharing nothing with auctionctl: only
the standard library and libsodium's Ed25519. One JSON object is printed, the verdict; exit status 0 if the log holds,
1 if it does not. HOUSE_KEY is the identity of the house that you know, auc1...; without it the file is believed.
"""

import json
import sys
from pathlib import Path

from forms import identity_key, need, unbase64
from proofs import check_announcement, read_note
from replay import Replay


def check(data, known=None):
    """The verdict on a file, as a dictionary; known is the identity of the house."""
    rule, index = "format", None
    try:
        head, cut, rest = data.partition(b"\n\n")
        lines = head.decode("latin-1").split("\n")
        need(cut and len(lines) >= 3 and lines[0] == "auctionctl-log/v1", "not a log")
        need(lines[1] == str(len(lines) - 2), "another number of entries")
        entries = []
        for index, line in enumerate(lines[2:]):  # noqa: B007 - the refusal below names it
            entries.append(unbase64(line))
        rule, index = "checkpoint", None
        note, announced, proof = rest.partition(b"\n\nc2sp.org/tlog-proof@v1\n")
        identity = note.split(b"/")[0].decode()
        house = identity_key(identity)
        need(known in (None, identity), "of another house")
        note = (note + b"\n" if announced else note).decode()
        origin, size, root = read_note(note, f"{identity}/auction/[0-9a-f]{{64}}", house)
        rule, replay = "entry", Replay(house, bytes.fromhex(origin[-64:]))
        for index, entry in enumerate(entries):  # noqa: B007
            replay.add(entry)
        index = None
        need(size == len(entries), "of another number of entries", "checkpoint")
        need(root == replay.roots[-1], "of other entries", "root")
        rule = "announcement"
        need(announced, "it is missing")
        check_announcement(proof.decode(), identity, house, replay)
    except ValueError as error:
        rule = error.args[1] if len(error.args) == 2 else rule
        return {"verified": False, "rule": rule, "index": index, "reason": str(error.args[0])}
    finished, (winner, price) = replay.phase in ("closed", "settled", "reverted"), replay.buyer()
    result = {"phase": replay.phase, "end_reason": replay.end_reason, "winner": winner, "price": price}
    result |= {"currency": replay.rules.currency, "bids": replay.bids, "entries": len(entries)}
    result |= {"extensions": replay.extensions, "contested": replay.contested, "deadline": replay.deadline()}
    result |= {"pauses": replay.pauses.count, "paused": replay.pauses.spent, "operators": replay.operators}
    return {"verified": True, "finished": finished, **result}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    verdict = check(Path(sys.argv[1]).read_bytes(), *sys.argv[2:])
    print(json.dumps(verdict))
    sys.exit(not verdict["verified"])
