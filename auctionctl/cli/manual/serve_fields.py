"""What ``serve`` tells in JSON, on stdout and in its log, event by event; and what the log of a bidder holds.

Rule: a test compares the names with what is written.
"""

from __future__ import annotations

from typing import Final

_ADVICE: Final = "`reason` and `hint`, in words."
_AUCTION: Final = (
    "`id`, `listing`, `item`, `is_resumed` (it was there before) and `differs` (what the file says otherwise)"
)

EVENTS: Final = {
    "processes": "Who runs what: the process ids `house`, `gateway` (the first), `gateways` and `verifiers` (lists).",
    "serving": f"Bidders can connect to `address`; `auctions`: of each {_AUCTION}.",
    "announced, open, paused, closed": "An auction is in another phase: `id`, `listing`, `item`, `end_reason`,"
    " `winner`, `price` and `stage` of the settlement; null where there is none.",
    "admitted": "Somebody was entered in the registry: `name` and `role`.",
    "restarted": "A process had died, and has been started again: `process`, `pid` (the new one's) and `cause`.",
    "quarantined": "A log does not verify, and its auction stands still: `log` and `reason`.",
    "halted": "Nothing is written to a log any more: `log` and `reason`.",
    "allow_list_kept": "The new allow list is wrong, and the one before stays: `reason`.",
    "allow_list_replaced": "The allow list here differed, at a start or as another was changed at once, from that of"
    " all instances, and gave way; `unwritten` says why its file did not, or is null, and `kept` is the file that has"
    " what was changed here and is not in force, or null.",
    "limits_differ": "The settings here say other limits than those of all instances, which hold: `here` and `house`,"
    " by the names of the settings.",
    "revoked_listed, rotated_listed": "The allow list names keys that have ended: `reason`.",
    "reloaded": "The settings have been read again: `auctions`, as with `serving`, those that are new.",
    "settings_kept": f"The new settings are wrong, and those before stay: {_ADVICE}",
    "restart_needed": "`settings` that differ and are heeded when the house is started again.",
    "lots_wait": "There is no room yet for `listings`.",
    "archived": "The log of an auction was moved to a file: `id`, `listing` and `path`.",
    "archive_failed": f"Nothing can be archived: {_ADVICE}",
    "store_full": "Nothing is accepted: `reason`, and `released_bytes` of ballast given back to the disk.",
    "muted": "Somebody was cut off: `name`, `host`, `fault`, and for how many `seconds`.",
    "banned": "Somebody who ends gateways is kept out: `name`, `reason`, and for how many `seconds`.",
    "unwatched": "This system does not show what connections receive.",
    "all_closed": "Every auction has ended.",
    "draining": "Nothing more is taken, and the house ends.",
}
"""Event, or several that hold the same → what it says, and in which fields."""

_HEAD: Final = {
    "time": "When it was said, in RFC 3339, UTC, with nanoseconds.",
    "level": "`error`, `warning`, `notice` or `info`; for the journal the priorities 3, 4, 5 and 6.",
    "source": "The process that says it.",
    "event": "What it is, as below; further fields belong to the event.",
    "message": "The same in words, made safe for a terminal.",
    "traceback": "Of a fault in the program itself, where in it: the end of it, at most 2,500 characters.",
}

_COMMON_EVENTS: Final = {
    "note": "A remark, in words alone.",
    "failed": "Why the process ends: `code`, a status by its name, and `hint`.",
    "lost": "Nobody read what was written: so many `records` are missing here.",
}

SERVE: Final = {
    "auctionctl.serve/1": {"event": "What has happened, with further fields by the event: see the next table."},
    "auctionctl.serve/1, by event": EVENTS,
    "auctionctl.log/1": _HEAD
    | {"source": "The process that says it: `supervisor`, `house`, `gateway`, `verifier` or `replayer`."},
    "auctionctl.log/1, by event": {
        "auction": f"Before `serving` and `reloaded`, which have no `auctions` here, of each {_AUCTION}.",
        **_COMMON_EVENTS,
        "recovering": "The logs are being replayed, every 5 seconds: `done` of `total` entries.",
        "defect": "A process of the house ends by a fault in the program: `traceback`.",
        "no_memory": "A process of the house ends, having come to the limit of its memory.",
        "others": "All events of `auctionctl.serve/1`, with the same fields.",
    },
}

BIDDER_LOG: Final = {
    "auctionctl.log/1": _HEAD | {"source": "The process that says it: `bidder`."},
    "auctionctl.log/1, by event": {
        **_COMMON_EVENTS,
        "others": "All events of `auctionctl.bid/1` but `summary` and `clock_off`, with the same fields.",
    },
}
