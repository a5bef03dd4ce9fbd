"""What stands in the JSON of commands: command → schema → field → meaning, in the marks of roff.

Rule: a test compares it with what the commands write. A command may state the same in its own module instead, as
``JSON_SCHEMA``. Every object has ``schema`` besides; amounts are objects of ``minor`` and ``currency``, times
nanoseconds since 1970 (UTC), keys and ids lower-case hex unless they begin with ``auc1``.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.serve_fields import BIDDER_LOG, SERVE

AUCTION: Final = {
    "id": "The auction: SHA-256 of its terms.",
    "listing": "Its name at this house.",
    "item": "What is sold, in the seller's words.",
    "phase": "`announced`, `open`, `paused` or `closed`.",
    "end_reason": "`completed`, `reserve_not_met`, `no_bids`, `cancelled` or `reverted`; null before the end.",
    "winner": "The signing key of who buys it; null without a sale.",
    "price": "The price of the sale; null without one.",
    "standing": "The best bid so far; null without one.",
    "leader": "The signing key of whose it is.",
    "minimum": "The least bid that the rules would take now.",
    "bids": "How many bids were accepted.",
    "bidders": "How many bidders are present.",
    "min_bidders": "How many it takes to open.",
    "deadline_ns": "When the next deadline runs out; null without one.",
    "pauses": "`count`: how often it stood still; `paused_ns`: for how long, as far as that is over.",
    "settlement": "Of a sale that is paid for: `stage` (`pending_payment`, `paid`, `defaulted`, `offered`, `settled` or"
    " `reverted`), `debtor`, `price` and `bid_index` (who owes what, for which bid), `due_ns`, `payment` (the id of the"
    " last payment that was reported, or null) with its `reference`, and `offered_to` (a signing key) at"
    " `offered_price`, null while no offer stands. Null where no sale is paid for.",
    "extensions": "How often the end was moved by late bids.",
    "log_size": "How many entries its log has.",
}

ENTRY: Final = {
    "auction": "The id of the auction.",
    "index": "The entry's place in the log.",
    "kind": "`terms`, `joined`, `left`, `opened`, `bid`, `gap`, `takeover`, `paused`, `resumed`, `closed`, `cancelled`,"
    " `payment`, `payment_rejected`, `settled`, `defaulted`, `offered`, `accepted`, `declined` or `reverted`.",
    "time_ns": "When the house accepted it.",
    "listing": "Of terms: the auction's name.",
    "item": "Of terms: what is sold.",
    "seller": "Of terms: the seller's signing key.",
    "bidder": "Of joined, left, bid, payment, defaulted, offered, accepted and declined: the bidder's signing key.",
    "seq": "Of a bid: its number among the bidder's.",
    "amount": "Of a bid, a payment and an offer: how much.",
    "since_ns": "Of a gap: from when on nobody could bid.",
    "until_ns": "Of a gap: until when; running deadlines moved by as much.",
    "cause": "Of a gap, of defaulted, and of a pause and its end by the terms: why.",
    "instance": "Of a takeover: the instance of the house that writes from there on.",
    "epoch": "Of the same: rises from one takeover to the next.",
    "operator": "Of paused, resumed and cancelled by an operator: its signing key.",
    "reason": "Of cancelled, and of what an operator did or a payment was rejected for: why, in its words.",
    "reference": "Of a payment: by what the seller finds it.",
    "by": "Of settled and payment_rejected: the signing key of who did it.",
    "capacity": "Of the same: whether as `seller` or as `operator`.",
    "payment": "Of the same: the id of the payment.",
    "bid_index": "Of offered: the entry that holds the bid.",
    "offer": "Of accepted and declined: the id of the offer; where nobody signed it, the offer has lapsed.",
    "end_reason": "Of closed: as in `auctionctl-ls`(1).",
    "winner": "Of closed: the winner's signing key, or null.",
    "price": "Of closed: the price, or null.",
}

CLOCK: Final = {
    "event": "`clock_off`: the house's clock and this machine's differ by more than 5 s; told once.",
    "ahead_ns": "By how much, at least, the house's is ahead; less than 0 if it is behind.",
}

_ALLOWED: Final = {
    "name": "What the house calls the holder of the key.",
    "role": "The role, or several joined by `+`.",
    "public_key": "The key, `auc1…`.",
    "limits": "Limits of the house that are other ones for this identity: name → number.",
}

_CONTEXT: Final = {
    "name": "The context's name.",
    "house": "The address of its house.",
    "key": "The name of the key to use there, or null.",
    "is_current": "Whether it holds where no other is named.",
}

_LIST: Final = " With `--output jsonl` each is a line of its own, under the same schema."

_FINDINGS: Final = {
    "findings": f"What was found, each with the fields below.{_LIST}",
    "state": "`ok`, `warning` or `wrong`.",
    "subject": "What it is about.",
    "finding": "What is the matter.",
    "remedy": "What mends it, or null.",
}

FIELDS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "keygen": {
        "auctionctl.keygen/1": {
            "name": "The key's name.",
            "path": "The file that holds it.",
            "public_key": "Its public half, `auc1…`.",
        }
    },
    "key-ls": {
        "auctionctl.key-ls/1": {
            "keys": f"All keys, each with the fields below.{_LIST}",
            "name": "The key's name.",
            "public_key": "Its public half, `auc1…`; null if the file does not say.",
            "short": "Its beginning, for people; null if the file does not say.",
            "created": "When it was made (UTC); null if the file does not say.",
            "path": "The file that holds it.",
            "has_passphrase": "Whether it is under a passphrase; null if the file cannot be read.",
            "problem": "Why the key cannot be used; null if it can.",
            "hint": "What mends that, or null.",
        }
    },
    "key-export": {
        "auctionctl.key-export/1": {
            "name": "The key's name.",
            "public_key": "Its public half, `auc1…`.",
            "file": "The file that was written; null without one.",
        }
    },
    "key-import": {
        "auctionctl.key-import/1": {
            "name": "The key's name from now on.",
            "path": "The file that holds it.",
            "public_key": "Its public half, `auc1…`.",
        }
    },
    "key-passwd": {
        "auctionctl.key-passwd/1": {
            "name": "The key's name.",
            "path": "Its file.",
            "public_key": "Its public half, `auc1…`, which has not changed.",
            "has_passphrase": "Whether it is under a passphrase now.",
        },
    },
    "key-rm": {
        "auctionctl.key-rm/1": {
            "name": "The name that the key had.",
            "path": "The file that was removed.",
            "public_key": "Its public half, `auc1…`; null if the file did not say.",
        }
    },
    "key-show": {
        "auctionctl.key-show/1": {
            "public_key": "The public half, `auc1…`.",
            "short": "Its beginning, for people.",
            "signing_key": "What of it signs, in hex; streams in a cluster are called by the first 16 digits of it.",
        }
    },
    "allow-add": {"auctionctl.allow-add/1": _ALLOWED | {"change": "`added`, `replaced` or `unchanged`."}},
    "allow-rm": {"auctionctl.allow-rm/1": _ALLOWED | {"change": "Always `removed`."}},
    "allow-roles": {
        "auctionctl.allow-roles/1": {
            "messages": f"What can be said to a house, each with the fields below.{_LIST}",
            "message": "The type of a message, as auctionctl-wire(7) has it.",
            "roles": "The roles that may send it.",
            "commands": "The commands that send it; none if the program does so by itself.",
        }
    },
    "allow-ls": {
        "auctionctl.allow-ls/1": {"entries": f"Who may come in, each with the fields below.{_LIST}"} | _ALLOWED
    },
    "init": {
        "auctionctl.init/1": {
            "made": "The directories and files that were made.",
            "kept": "Those that were there already.",
            "keys": "Name → public key, of the keys `default` and `house` as far as they are there.",
            "next": "What to do next, in words.",
        }
    },
    "config-path": {
        "auctionctl.config-path/1": {"path": "Where config.toml is, or would be.", "exists": "Whether it is there."}
    },
    "config-show": {
        "auctionctl.config-show/1": {
            "settings": f"All settings, each with the fields below.{_LIST}",
            "of": "`person`, `house`, or `defaults` for what lots inherit.",
            "setting": "The setting's name.",
            "value": "Its value; null where nobody says one and the default is no fixed value.",
            "origin": "Who says it: an option, a variable, a context, a file, or `default`.",
            "default": "What holds otherwise, in words.",
        }
    },
    "config-check": {"auctionctl.config-check/1": _FINDINGS},
    "doctor": {"auctionctl.doctor/1": _FINDINGS},
    "context-add": {"auctionctl.context-add/1": _CONTEXT},
    "context-use": {"auctionctl.context-use/1": _CONTEXT},
    "context-rm": {"auctionctl.context-rm/1": _CONTEXT},
    "context-ls": {
        "auctionctl.context-ls/1": {"contexts": f"All contexts, each with the fields below.{_LIST}"} | _CONTEXT
    },
    "ls": {"auctionctl.ls/1": {"auctions": f"All auctions, each with the fields below.{_LIST}"} | AUCTION},
    "show": {
        "auctionctl.show/1": AUCTION
        | {
            "terms": "What the seller signed: seller, description, estimate, prices, durations, reserve.",
            "reserve": "The reserve, once the close has opened it; else null.",
            "present": "The signing keys of the bidders who are present.",
            "start_deadline_ns": "Until when enough bidders have to join.",
            "opened_at_ns": "When it opened; null before.",
            "end_ns": "When it ends or ended; null before it opens.",
            "max_end_ns": "Beyond which late bids move the end no more; null before it opens.",
            "head": "The head of the log that the house signed: `size` and `root`.",
            "bid_entries": "The bids, newest first: `index`, `time_ns`, `bidder`, `seq`, `amount`.",
        }
    },
    "result": {
        "auctionctl.result/1": AUCTION
        | {
            "is_finished": "Whether it has ended.",
            "ended_at_ns": "When it ended; null before.",
            "bid_index": "The place of the winning bid in the log; null without a sale.",
            "head": "The head of the log that the house signed: `size` and `root`.",
        }
    },
    "events": {
        "auctionctl.entry/1": ENTRY
        | {"body": "With `--raw`: the entry's body, hex.", "signature": "With `--raw`: its signature, hex."},
        "auctionctl.summary/1": {
            "auction": "With `--summaries`, of one auction when its bidding has ended, and once: its id. That of a"
            " house that was killed in that moment may be missing.",
            "listing": "Its name.",
            "end_reason": "As in `auctionctl-ls`(1).",
            "winner": "The signing key of who bought it, or null.",
            "price": "What for, or null.",
            "bids": "How many bids the rules took.",
            "bidders": "Of how many bidders.",
            "invalid": "How many bids they refused by their bidders' fault, since the house's process began.",
            "extensions": "How often late bids moved the end.",
            "pauses": "How often it stood still.",
            "announced_ns": "When it was announced.",
            "opened_ns": "When it opened; 0 if it never did.",
            "ended_ns": "When bidding ended.",
            "answered_p50_ns": "In how many nanoseconds half of all requests of the house were answered in the minute"
            " before; 0 if there were none.",
            "answered_p99_ns": "The same, 99 of 100.",
        },
        "auctionctl.security-event/1": {
            "kind": "With `--security`, of one event or of several alike: `refused_key`, a key that was not let in;"
            " `refused_role`, what the sender's role may not do; `rate`, more than a limit allows; `bad_signature`;"
            " `mute`, when nothing more is taken of somebody for a while; `cut`, the end of a connection or session by"
            " the house; `ban`; `restart` of a process; `allow_list`, another one is in force; `allow_list_refused`;"
            " `halted` and `quarantined`, logs that stand still.",
            "who": "A name on the allow list, a key in hex, an address, a process or a log; `others` beyond the first"
            " few of a flood; empty where it is nobody.",
            "count": "How often.",
            "words": "What was said of it, the last time.",
            "first_ns": "When it happened for the first time.",
            "last_ns": "And for the last.",
        },
    },
    "watch": {"auctionctl.entry/1": ENTRY, "auctionctl.clock/1": CLOCK},
    "bid": {
        "auctionctl.bid/1": {
            "event": "By a strategy, one an event: `joined`, `waiting`, `resumed`, `placed`, `accepted`, `rejected`,"
            " `join_rejected`, `outbid`, `paused`, `continued`, `skipped`, `ended`, `sale`, `clock_off`, and at the end"
            " `summary`. Of one bid, a single object: `accepted`, `rejected`, `not_opened`, `paused`, `not_heard`,"
            " `unanswered`, `void` or `halted`; with `--dry-run`, `acceptable` or `unacceptable`.",
            "auction": "The id of the auction.",
            "listing": "Its name at this house.",
            "seq": "The bid's number among the bidder's.",
            "amount": "What is offered.",
            "index": "The entry's place in the log.",
            "time_ns": "When the house accepted or refused it.",
            "receipt": "The file that holds the proof.",
            "is_leading": "Whether the bid leads; null where that is not known.",
            "code": "The name of the rule that refused.",
            "rule": "The rule, or the reason to wait, in words.",
            "observed": "The values that were compared, by name: amounts in minor units, times, counts.",
            "log_size": "How many entries the log had when this was judged.",
            "reason": "Why nothing is bid: `bidders`, `budget`, `cap`, `value`, `patience`, `limit` or `failed`; why an"
            " auction is left out.",
            "is_earlier": "Of an accepted single bid: whether an earlier run made it, and this one none.",
            "earlier_bids": "Of resumed: how many bids of an earlier run the log holds.",
            "price": "The price.",
            "leader": "The signing key of who leads.",
            "result": "Of an end: `won`, `lost` or `no_sale`; or `unknown`, if the house archived it before that was"
            " seen, `halted`, if the house stopped it, as its log is not what it had signed, or `refused`, if one's"
            " reputation is less than the terms ask for.",
            "winner": "Of an end: the signing key of who won; null without a sale.",
            "cause": "Of a pause and its end: `operator`, `terms`, or `cap`, if the terms allow no longer one.",
            "words": "Of a pause and its end: the operator's words.",
            "until_ns": "Of a pause: when it ends at the latest; of its end: until when bids are taken.",
            "stage": "Of a sale, and of an end: how far it has been settled, as in `auctionctl-ls`(1).",
            "is_ours": "Of a sale: whether the lot is ours; where it is offered, whether to us.",
            "due_ns": "Of a sale, and of an end: until when we are to pay, or to answer the offer.",
            "end_reason": "Of an end: as in `auctionctl-ls`(1); or `archived`, if it is unknown.",
            "bids": "Of an end: how many bids of ours were accepted.",
            "auctions": "Of the summary: every auction, with the fields of its end.",
            "won": "Of the summary: how many lots are ours.",
            "lost": "Of the summary: how many are another's.",
            "other": "Of the summary: how many auctions ended otherwise, or in a way that is not known.",
            "budget": "Of the summary: the budget.",
            "spent": "Of the summary: what the logs say that we owe or have paid.",
            "tied_up": "Of the summary: what may yet have to be paid besides.",
            "saved": "Of the summary: what is left of the budget; less than nothing if more was spent by hand.",
            "ahead_ns": "Of clock_off: by how much, at least, the house's clock is ahead of this machine's, or behind"
            " (less than 0), where that is more than 5 s; told once.",
            "joined": "Of not_opened: how many bidders have joined.",
            "needed": "Of not_opened: how many it takes.",
            "not_after_ns": "After this the bid cannot be accepted any more.",
        },
        **BIDDER_LOG,
    },
    "serve": SERVE,
    "wallet": {
        "auctionctl.wallet/1": {
            "bidder": "The signing key of the bidder.",
            "running": "The process that bids under it now, or null.",
            "accounts": "One for each house at which it has bid within a budget, each with `house`, `time_ns` (as of"
            " when), `budget`, `committed`, `free` and `auctions`; each of these with `auction`, `listing`, `leading`,"
            " `unanswered` (sent, and may yet be accepted), `won`, `is_paid` (whether the log says that it is paid),"
            " `cap`, `committed` (what it may cost at worst) and `result` (of an end, as in `auctionctl-bid`(1)).",
        }
    },
    "export": {
        "auctionctl.export/1": {
            "log": "`auction` or `registry`.",
            "id": "The auction: SHA-256 of its terms; null for a registry.",
            "listing": "Its name at this house; null for a registry.",
            "is_finished": "Whether the auction has ended; a registry never has.",
            "file": "The file that was written.",
            "entries": "How many entries it holds.",
            "bytes": "How long it is.",
        }
    },
    "backup": {
        "auctionctl.backup/1": {
            "file": "The file that was written.",
            "house": "The house, `auc1…`.",
            "source": "The state directory that was read, or the address of the house.",
            "logs": "How many logs it holds, the registry among them.",
            "entries": "How many entries it holds, in all logs.",
            "new_entries": "How many of them it did not hold before.",
            "up_to_ns": "Until when the house was alive by then: what happened later is not in it.",
            "left_out": f"The logs that do not verify and so are not in it, each with `log` and `reason`.{_LIST}",
            "missing": "The ids of auctions that are announced, and whose logs the house has archived or lost.",
        }
    },
    "restore": {
        "auctionctl.restore/1": {
            "file": "The backup.",
            "house": "The house, `auc1…`.",
            "state": "The state directory that holds it now.",
            "logs": "How many logs were restored, the registry among them.",
            "entries": "How many entries, in all logs.",
            "up_to_ns": "Until when the house was alive by then: what it acknowledged later, it does not know.",
            "taken_ns": "When the backup was taken.",
            "set_aside": "Where the state before is kept; null if there was none.",
            "lacking": "How many entries of the state before are not in the backup; null if it could not be read.",
            "missing": "The ids of auctions that are announced and not in the backup.",
        }
    },
    "verify": {
        "auctionctl.verify/1": {
            "verified": "Always true: what does not hold is an error.",
            "house_is_claimed": "Whether the house is only the one that the file names: give `--house`.",
            "kind": "`log`, `registry` or `receipt`.",
            "members": "Of a registry: all whom the house ever let in, as in `auctionctl-bidders`(1).",
            "head": "Of a registry: the head that the house signed, `size` and `root`, to compare with other copies'.",
            "announced": "Of a registry: its auctions, each with `id`, `listing`, `seller` and `time_ns`.",
            "house": "The house, `auc1…`.",
            "is_finished": "Of a log: whether it has come to its end, a sale that is to be paid for included.",
            "contested": "Of a log: the indexes of bids that claim to have seen another history.",
            "registry_checked": "Of a log: whether it was found announced in the registry given by `--registry`.",
            "clock_heads_checked": "Of a log or a receipt: how many clock heads were given, which all agree with it.",
            "entry": "Of a receipt: the kind of the entry; the fields of a log are not there.",
            "index": "Of a receipt: the entry's place in the log.",
            "bidder": "Of a receipt of a bid or a joining: the signing key of whose it is.",
            "seller": "Of a receipt of terms: the signing key of whose they are.",
            "seq": "Of a receipt of a bid: its number among the bidder's.",
            "amount": "Of a receipt of a bid: what is offered.",
            "time_ns": "Of a receipt: when the house accepted the entry.",
        }
        | AUCTION
    },
    "demo": {
        "auctionctl.demo/1": {
            "seconds": "How long it took.",
            "killed": "The instance that was killed, with --cluster; else null.",
            "auctions": "The lots, each with the fields below.",
            **{name: AUCTION[name] for name in ("id", "item", "end_reason", "price", "bids", "extensions", "log_size")},
            "winner": "The winner's name in the demo, or null.",
            "verified": "Whether another process found the log in order.",
        }
    },
}
