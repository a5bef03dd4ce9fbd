"""Verify the exported log of an English auction: python verifier FILE [HOUSE_KEY [REGISTRY]]

A second implementation, written from the manual page auctionctl-log(5) alone and sharing nothing with auctionctl: only
the standard library and libsodium's Ed25519. One JSON object is printed, the verdict; exit status 0 if the log holds,
1 if it does not. HOUSE_KEY is the identity of the house that you know, auc1...; without it the file is believed.
REGISTRY is the exported registry of that house, in which the auction then has to be announced.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

from forms import identity_key, need, unbase64
from proofs import check_announcement, read_note
from registry import Registry, compare
from replay import Replay


def read_log(data, known, log, rules, at):
    """An exported file whose log has a name like this, and its entries by the rules of such logs; at: the word so far.

    Returns the identity of the house, the state after the last entry, and the announcement or None.
    """
    at.rule, at.index = "format", None
    head, cut, rest = data.partition(b"\n\n")
    lines = head.decode("latin-1").split("\n")
    need(cut and len(lines) >= 3 and lines[0] == "auctionctl-log/v1", "not a log")
    need(lines[1] == str(len(lines) - 2), "another number of entries")
    entries = []
    for at.index, line in enumerate(lines[2:]):
        entries.append(unbase64(line))
    at.rule, at.index = "checkpoint", None
    note, announced, proof = rest.partition(b"\n\nc2sp.org/tlog-proof@v1\n")
    identity = note.split(b"/")[0].decode()
    house = identity_key(identity)
    need(known in (None, identity), "of another house")
    note = (note + b"\n" if announced else note).decode()
    origin, size, root = read_note(note, f"{identity}/{log}", house)
    need(not announced or log != "registry", "the registry is not announced")
    at.rule, state = "entry", rules(house, origin)
    for at.index, entry in enumerate(entries):
        state.add(entry)
    at.index = None
    need(size == len(entries), "of another number of entries", "checkpoint")
    need(root == state.tree.roots[-1], "of other entries", "root")
    return identity, state, proof if announced else None


def read_auction(data, known, at):
    """The identity of the house, the state after the last entry, and size and root of the announcement's checkpoint."""
    rules = lambda house, origin: Replay(house, bytes.fromhex(origin[-64:]))  # noqa: E731
    identity, replay, proof = read_log(data, known, "auction/[0-9a-f]{64}", rules, at)
    at.rule = "announcement"
    need(proof is not None, "it is missing")
    return identity, replay, check_announcement(proof.decode(), identity, replay.house, replay)


def read_registry(data, known, at):
    return read_log(data, known, "registry", lambda house, _: Registry(house), at)[1]


def refusal(error, at):
    rule, index = getattr(error, "rule", None), getattr(error, "index", None)
    index = at.index if index is None else index
    return {"verified": False, "rule": rule or at.rule, "index": index, "reason": str(error)}


def check_registry(data, known):
    """The verdict on the exported registry of the house with this identity."""
    at = SimpleNamespace()
    try:
        return {"verified": True, "entries": len(read_registry(data, known, at).tree.roots)}
    except ValueError as error:
        return refusal(error, at)


def check(data, known=None, registry=None):
    """The verdict on a file, as a dictionary; known is the identity of the house, registry its exported registry."""
    at = SimpleNamespace()
    try:
        identity, replay, announced = read_auction(data, known, at)
        if registry is not None:
            compare(replay, *announced, read_registry(registry, identity, at))
    except ValueError as error:
        return refusal(error, at)
    finished, (winner, price) = replay.phase in ("closed", "settled", "reverted"), replay.buyer()
    result = {"phase": replay.phase, "end_reason": replay.end_reason, "winner": winner, "price": price}
    result |= {"currency": replay.rules.currency, "bids": replay.bids, "entries": len(replay.tree.roots)}
    result |= {"extensions": replay.extensions, "contested": replay.contested, "deadline": replay.deadline()}
    result |= {"pauses": replay.pauses.count, "paused": replay.pauses.spent, "operators": replay.operators}
    return {"verified": True, "finished": finished, **result}


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    registry_file = Path(sys.argv[3]).read_bytes() if len(sys.argv) == 4 else None
    verdict = check(Path(sys.argv[1]).read_bytes(), *sys.argv[2:3], registry=registry_file)
    print(json.dumps(verdict))
    sys.exit(not verdict["verified"])
