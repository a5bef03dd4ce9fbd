"""Files that are broken, huge, empty, binary, or no files at all, for every kind of file that is read."""

from __future__ import annotations

from typing import Final

from hostile_arguments import BIDI, CONTROLS, LONG
from hostile_case import ALICE, BOB, HOUSE, KEYS, Case, Fifo, File, Folder, Link, Lying, Materials, key_file

MIB: Final = 1024 * 1024

ODD_FILES: Final[dict[str, Lying]] = {
    "directory": Folder(),
    "loop of links": Link("odd"),
    "dangling link": Link("nowhere"),
    "unreadable": File(b"", 0),
    "link to a device that never ends": Link("/dev/zero"),
}
LOT: Final = '[[auction]]\nitem = "X"\nstarting_price = "1EUR"\n'


def _toml(name: str, content: str | bytes, says: str, status: int = 78) -> Case:
    return Case(f"AUCTIONS.toml: {name}", ("serve", "odd"), status, says, {"odd": content})


def _lot(name: str, line: str, says: str = "odd: auction 1") -> Case:
    return _toml(name, LOT + line + "\n", says)


TOMLS: Final = [
    _toml("empty", b"", "there is no auction"),
    _toml("binary", bytes(range(256)), "not UTF-8"),
    _toml("UTF-16", LOT.encode("utf-16"), "not UTF-8"),
    _toml("NUL", LOT + 'x = "\0"', "odd: "),
    _toml("too large", b"#" * (MIB + 1), "larger than"),
    _toml("nested deeply", "a = " + "[" * 50_000, "nested too deep"),
    _toml("tables nested deeply", "[" + "a." * 20_000 + "a]\n", "odd: "),
    _toml("a very long key", f"{LONG} = 1\n", "unknown key"),
    _toml("a key of controls", '"\\u001b[31m\\u202e" = 1\n', "unknown key"),
    _toml("a half line", '[[auction]]\nitem = "X', "odd: "),
    _toml("twice the same key", LOT + 'item = "Y"\n', "odd: "),
    _toml("auction is no list", "auction = 5\n", "is no list of tables"),
    _toml("auction is a list of numbers", "auction = [1]\n", "is no list of tables"),
    _toml("house is no table", "house = 5\n" + LOT, "house is no table"),
    _toml("a million lots", "[[auction]]\n" * 20_000, "odd: "),
    _toml("house called controls", f'[house]\nname = "\\u001b"\n{LOT}', "is no name"),
    _toml("house called ..", f'[house]\nname = "../x"\n{LOT}', "is no name"),
    _toml("bind is no host", f'[house]\nbind = "a;b"\n{LOT}', "is no host"),
    _toml("port 0", f"[house]\nport = 0\n{LOT}", "port"),
    _toml("port true", f"[house]\nport = true\n{LOT}", "port"),
    _toml("port nan", f"[house]\nport = nan\n{LOT}", "port"),
    _toml("port huge", f"[house]\nport = {'9' * 4000}\n{LOT}", "port"),
    _toml("port too huge to read", f"[house]\nport = {'9' * 5000}\n{LOT}", "odd: "),
    _toml("verifiers negative", f"[house]\nverifiers = -1\n{LOT}", "verifiers"),
    _toml("queue 2^64", f"[house]\nqueue = {2**64}\n{LOT}", "queue"),
    _lot("title empty", 'description = ""'),
    _toml("title of nothing visible", '[[auction]]\nitem = "\\u200b\\u202e"\nstarting_price = "1EUR"\n', "listing"),
    _toml("title very long", f'[[auction]]\nitem = "{LONG}"\nstarting_price = "1EUR"\n', "characters"),
    _lot("description very long", f'description = "{LONG}"', "characters"),
    _lot("listing very long", f'listing = "{LONG}"', "characters"),
    _lot("listing of controls", 'listing = "\\u001b[2J"'),
    _lot("listing with a tab", 'listing = "a\\tb"'),
    _lot("listing bidi", 'listing = "a\\u202eb"'),
    _lot("listing looks like a path", 'listing = "../../x"'),
    _lot("reserve in another currency", 'reserve_price = "1USD"'),
    _lot("reserve nan", "reserve_price = nan"),
    _lot("estimate negative", 'estimate = "-1EUR"'),
    _lot("increment 0", 'increment = "0EUR"'),
    _lot("increment 0 %", 'increment = "0%"'),
    _lot("increment huge", f'increment = "{"9" * 50}%"'),
    _lot("increment table is no table", "increment = [[1, 2]]"),
    _lot("increment table of nothing", "increment = []"),
    _lot("increment table falls", 'increment = [["100", "1"], ["0", "1"]]'),
    _lot("increment table is huge", "increment = [" + '["0", "1"],' * 5_000 + "]"),
    _lot("duration 0", 'duration = "0s"'),
    _lot("duration a number", "duration = 5"),
    _lot("duration infinite", "duration = inf"),
    _lot("duration huge", f'duration = "{"9" * 19}d"'),
    _lot("a date", "duration = 2026-01-31"),
    _lot("no bidders", "min_bidders = 0"),
    _lot("bidders by the million", "min_bidders = 1000000000"),
    _lot("unknown format", 'format = "[red]"'),
    _toml("price in unicode digits", '[[auction]]\nitem = "X"\nstarting_price = "\\u0661EUR"\n', "starting_price"),
    _toml("price zero width", '[[auction]]\nitem = "X"\nstarting_price = "1\\u200b0EUR"\n', "starting_price"),
    _toml("price huge", f'[[auction]]\nitem = "X"\nstarting_price = "{"9" * 1000}EUR"\n', "starting_price"),
    *(
        Case(f"AUCTIONS.toml is a {name}", ("serve", "odd"), 3 if "dangling" in name else 78, "odd", {"odd": odd})
        for name, odd in ODD_FILES.items()
    ),
    Case("AUCTIONS.toml is a pipe", ("serve", "odd"), 78, "there is no auction", {"odd": Fifo()}),
    Case("AUCTIONS.toml is /dev/null", ("serve", "/dev/null"), 78, "there is no auction"),
    Case("AUCTIONS.toml is missing", ("serve", "odd.toml"), 3, "there is no file odd.toml"),
    Case("AUCTIONS.toml below a file", ("serve", "f/odd"), 3, "there is no file f/odd", {"f": b""}),
    Case("AUCTIONS.toml has a very long name", ("serve", LONG), 78, "name too long"),
    Case("AUCTIONS.toml has a name of controls", ("serve", CONTROLS), 3, "there is no file"),
    Case("AUCTIONS.toml has a name of bidi", ("serve", BIDI), 3, "there is no file"),
    Case("AUCTIONS.toml is empty text", ("serve", ""), 78, "cannot read"),
]

CASED_KEY: Final = key_file(ALICE)
KEY_CONTENTS: Final[dict[str, str | bytes]] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "NUL": b"\0" * 100,
    "byte-order mark": b"\xef\xbb\xbf" + CASED_KEY.encode(),
    "UTF-16": CASED_KEY.encode("utf-16"),
    "too large": b"#" * (MIB + 1),
    "two secrets": CASED_KEY + BOB.seed_text + "\n",
    "another's public key": CASED_KEY.replace(ALICE.identity.text, BOB.identity.text),
    "cut": CASED_KEY[:-10],
    "lower case": CASED_KEY.lower(),
    "one long line": LONG,
    "controls": CONTROLS.encode("latin-1"),
    "a public key": ALICE.identity.text + "\n",
    "another format": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + CONTROLS.replace("\x9b", ""),
    "under a passphrase": "auctionctl-key/v9\n",
}


def _key(name: str, lying: Lying, status: int = 78, says: str = "alice.key") -> Case:
    return Case(f"key file: {name}", ("key", "show", "alice"), status, says, {f"{KEYS}/alice.key": lying})


KEY_FILES: Final = [
    *(_key(name, content) for name, content in KEY_CONTENTS.items()),
    _key("directory", Folder()),
    _key("loop of links", Link("alice.key")),
    _key("dangling link", Link("nowhere"), 3),
    _key("link to a device", Link("/dev/zero")),
    _key("pipe", Fifo()),
    _key("unreadable", File(CASED_KEY, 0)),
    _key("readable by the group", File(CASED_KEY, 0o640), says="run: chmod 600"),
    _key("readable by all", File(CASED_KEY, 0o604), says="run: chmod 600"),
    _key("CRLF is harmless", CASED_KEY.replace("\n", "\r\n"), 0, ALICE.identity.text),
    *(
        Case(f"key import: {name}", ("key", "import", "f", "new"), 78, "", {"f": content})
        for name, content in KEY_CONTENTS.items()
    ),
    Case("key import: missing", ("key", "import", "f", "new"), 3, "f"),
    Case("key import: directory", ("key", "import", "f", "new"), 78, "f", {"f": Folder()}),
    Case("key import: pipe", ("key", "import", "f", "new"), 78, "f", {"f": Fifo()}),
    Case("key import: readable by all", ("key", "import", "f", "new"), 78, "chmod 600", {"f": File(CASED_KEY, 0o644)}),
    Case("key import: over another", ("key", "import", "f", "alice"), 78, "exists already", {"f": CASED_KEY}),
    Case("key import: stdin never ends", ("key", "import", "-", "new"), 78, "", stdin="/dev/zero"),
    Case("key import: stdin is empty", ("key", "import", "-", "new"), 78, ""),
    Case("key export: over a file", ("key", "export", "alice", "-o", "f"), 78, "exists already", {"f": b"mine"}),
    Case("key export: below a file", ("key", "export", "alice", "-o", "f/x"), 78, "cannot write", {"f": b"mine"}),
    Case("key export: secret on a terminal or not", ("key", "rm", "alice"), 2, "--yes"),
    Case("key directory is loose", ("key", "show", "alice"), 78, "chmod go-w", {KEYS: Folder(0o777)}),
    Case("key directory is unreadable", ("key", "show"), 78, "cannot list", {KEYS: Folder(0o000)}),
    Case("key directory is a file", ("key", "show"), 78, "cannot list", {KEYS: b""}, has_keys=False),
    Case("keygen over a directory", ("keygen", "x"), 78, "exists already", {f"{KEYS}/x.key": Folder()}),
    Case("keygen over a dangling link", ("keygen", "x"), 78, "exists already", {f"{KEYS}/x.key": Link("nowhere")}),
    Case(
        "keygen --force over a directory", ("keygen", "x", "--force"), 78, "cannot write", {f"{KEYS}/x.key": Folder()}
    ),
]

GOOD_LINE: Final = f"{BOB.identity.text} bob\n"
ALLOW_CONTENTS: Final[dict[str, str | bytes]] = {
    "nonsense": "nonsense\n",
    "binary": bytes(range(256)),
    "NUL": GOOD_LINE + "\0\n",
    "byte-order mark": "\ufeff" + GOOD_LINE,
    "CRLF": GOOD_LINE.replace("\n", "\r\n"),
    "UTF-16": GOOD_LINE.encode("utf-16"),
    "controls": f"# {CONTROLS}\n".encode("latin-1"),
    "bidi": f"# {BIDI}\n",
    "twice": GOOD_LINE * 2,
    "no name": BOB.identity.text + "\n",
    "unknown option": f"{BOB.identity.text} bob colour=red\n",
    "secret": f"{BOB.seed_text} bob\n",
    "too large": b"#" * (4 * MIB + 1),
    "too many": "x\n" * 20_000,
    "one long line": LONG,
    "long name": f"{BOB.identity.text} {LONG}\n",
    "markup": f"{BOB.identity.text} [/red]\n",
}


def _allow(name: str, lying: Lying, says: str = "config/allow") -> Case:
    return Case(f"allow list: {name}", ("allow", "ls"), 78, says, {"home/config/allow": lying})


ALLOW_LISTS: Final = [
    *(_allow(name, content) for name, content in ALLOW_CONTENTS.items()),
    *(
        _allow(name, odd if name != "loop of links" else Link("allow"))
        for name, odd in ODD_FILES.items()
        if name != "dangling link"
    ),
    Case("allow list: pipe", ("allow", "ls"), 0, "nobody is on the list", {"home/config/allow": Fifo()}),
    Case("allow list for serve", ("serve", "A"), 78, "line 1", {"home/config/allow": "x\n", "A": LOT}),
    Case(
        "allow list is a directory, for add",
        ("allow", "add", BOB.identity.text, "bob"),
        78,
        "config/allow",
        {"home/config/allow": Folder()},
    ),
    Case(
        "already on the allow list",
        ("allow", "add", BOB.identity.text, "other"),
        78,
        "this key is on the list",
        {"home/config/allow": GOOD_LINE},
    ),
]


def _log_cut(materials: Materials) -> bytes:
    return materials.log[: len(materials.log) // 2]


def _log_crlf(materials: Materials) -> bytes:
    return materials.log.replace(b"\n", b"\r\n")


def _log_bom(materials: Materials) -> bytes:
    return b"\xef\xbb\xbf" + materials.log


def _log_longer(materials: Materials) -> bytes:
    return materials.log + b"\n"


def _log_more(materials: Materials) -> bytes:
    return materials.log.replace(b"\n", b"\nQUFB\n", 2)


def _log_huge_count(materials: Materials) -> bytes:
    lines = materials.log.split(b"\n")
    lines[1] = b"9" * 5_000
    return b"\n".join(lines)


def _log_nested(materials: Materials) -> bytes:
    import base64

    lines = materials.log.split(b"\n")
    lines[2] = base64.b64encode(b"\x91" * 12_000)
    return b"\n".join(lines)


def _receipt_cut(materials: Materials) -> bytes:
    return materials.receipt[: len(materials.receipt) // 2]


def _receipt_binary(materials: Materials) -> bytes:
    return materials.receipt + bytes(range(256))


def _receipt_huge_index(materials: Materials) -> bytes:
    return materials.receipt.replace(b"index ", b"index " + b"9" * 5_000)


def _receipt_other_house(materials: Materials) -> bytes:
    return materials.receipt.replace(b"auc1", b"auc2")


DAMAGED: Final[dict[str, Lying]] = {
    "empty": b"",
    "text": b"hello\n",
    "binary": bytes(range(256)) * 100,
    "controls": CONTROLS,
    "mark alone": b"auctionctl-log/v1\n",
    "another version": b"auctionctl-log/v2\n1\nQUFB\n\nx\n",
    "no entries": b"auctionctl-log/v1\n0\n\n",
    "negative count": b"auctionctl-log/v1\n-1\n\n",
    "checkpoint of controls": f"auctionctl-log/v1\n1\nQUFB\n\n{CONTROLS}\n",
    "checkpoint of bidi": f"auctionctl-log/v1\n1\nQUFB\n\n{BIDI}/auction/x\n1\nQUFB\n\n",
    "checkpoint very long": f"auctionctl-log/v1\n1\nQUFB\n\n{LONG}\n",
    "log cut": _log_cut,
    "log with CRLF": _log_crlf,
    "log with a byte-order mark": _log_bom,
    "log with an end line too many": _log_longer,
    "log with an entry too many": _log_more,
    "log with a huge count": _log_huge_count,
    "log nested deeply": _log_nested,
    "receipt cut": _receipt_cut,
    "receipt with binary behind it": _receipt_binary,
    "receipt with a huge index": _receipt_huge_index,
    "receipt of no house": _receipt_other_house,
    "receipt mark alone": b"c2sp.org/tlog-proof@v1\n",
    "link to a device that never ends": Link("/dev/zero"),
    "pipe": Fifo(),
}

BESIDE: Final = ("verify", "log", "--clock-head", "odd")
CLOCK_HEADS: Final[list[tuple[str, int, str, Lying]]] = [
    ("empty", 7, "no clock head", b""),
    ("binary", 7, "no clock head", bytes(range(256))),
    ("lines of nothing", 7, "no clock head", b"\n" * 4_000),
    ("controls", 7, "no clock head", CONTROLS),
    ("an identity and no more", 7, "no clock head", f"{HOUSE.identity.text}\n"),
    ("too large", 78, "larger than", b"\n" * 4_097),
    ("a device that never ends", 78, "larger than", Link("/dev/zero")),
    ("a pipe", 7, "no clock head", Fifo()),
    *((name, 78, "cannot read odd", ODD_FILES[name]) for name in ("directory", "loop of links", "unreadable")),
    ("dangling link", 3, "there is no file odd", Link("nowhere")),
]

LOGS: Final = [
    *(Case(f"verify: {name}", ("verify", "odd"), 7, "", {"odd": odd}) for name, odd in DAMAGED.items()),
    *(
        Case(f"verify --json: {name}", ("verify", "odd", "--house", HOUSE.identity.text), 7, "", {"odd": odd})
        for name, odd in {"log cut": _log_cut, "receipt cut": _receipt_cut}.items()
    ),
    *(
        Case(f"verify: {name}", ("verify", "odd"), 78, "cannot read odd", {"odd": ODD_FILES[name]})
        for name in ("directory", "loop of links", "unreadable")
    ),
    Case("verify: dangling link", ("verify", "odd"), 3, "there is no file odd", {"odd": Link("nowhere")}),
    Case("verify: missing", ("verify", "odd"), 3, "there is no file odd"),
    Case("verify: very long name", ("verify", LONG), 78, "name too long"),
    Case("verify: name of controls", ("verify", CONTROLS), 3, "there is no file"),
    Case("verify: stdin is a directory", ("verify", "-"), 78, "stdin", stdin="."),
    Case("verify: stdin is empty", ("verify", "-"), 7, "empty"),
    Case("verify: stdin never ends", ("verify", "-"), 7, "", stdin="/dev/zero"),
    Case(
        "verify: log of another house",
        ("verify", "odd", "--house", BOB.identity.text),
        7,
        "another house",
        {"odd": lambda materials: materials.log},
    ),
    Case(
        "verify: receipt of another house",
        ("verify", "odd", "--house", BOB.identity.text),
        7,
        "another house",
        {"odd": lambda materials: materials.receipt},
    ),
    Case("verify: house is nonsense", ("verify", "odd", "--house", CONTROLS), 2, "--house: "),
    Case("verify: house is a secret", ("verify", "odd", "--house", BOB.seed_text), 2, "secret key"),
    *(
        Case(f"verify --clock-head: {name}", BESIDE, status, says, {"log": lambda materials: materials.log, "odd": odd})
        for name, status, says, odd in CLOCK_HEADS
    ),
    Case("export: over a file", ("export", "x", "-o", "odd"), 78, "exists already", {"odd": b"mine"}),
    Case("export: over a dangling link", ("export", "x", "-o", "odd"), 78, "exists already", {"odd": Link("nowhere")}),
]

ADDRESS_CONTENTS: Final[dict[str, Lying]] = {
    "empty": b"",
    "nonsense": "nonsense\n",
    "binary": bytes(range(256)),
    "controls": CONTROLS,
    "too large": b"x" * MIB,
    "directory": Folder(),
    "unreadable": File(b"", 0),
    "pipe": Fifo(),
    "loop of links": Link("house.address"),
}
ADDRESSES: Final = [
    Case(f"address file: {name}", ("ls", "--key", "alice"), 78, "house", {"home/run/house.address": lying})
    for name, lying in ADDRESS_CONTENTS.items()
]

CONTEXT_CONTENTS: Final[dict[str, Lying]] = {
    "broken": "[",
    "binary": bytes(range(256)),
    "unknown key": "colour = 1\n",
    "no table": "contexts = 5\n",
    "current is missing": 'current = "x"\n',
    "address of controls": 'current = "x"\n[contexts.x]\nhouse = "\\u001b[31m"\n',
    "key of controls": 'current = "x"\n[contexts.x]\nhouse = "\\u202e"\nkey = "\\u001b"\n',
    "name of controls": '[contexts."\\u001b[31m"]\nhouse = 5\n',
    "very long": f'[contexts.x]\nhouse = "{LONG}"\n',
    "directory": Folder(),
    "unreadable": File(b"", 0),
}
CONTEXTS: Final = [
    Case(f"contexts.toml: {name}", ("ls", "--key", "alice"), 78, "", {"home/config/contexts.toml": lying})
    for name, lying in CONTEXT_CONTENTS.items()
]

FILES: Final = [*TOMLS, *KEY_FILES, *ALLOW_LISTS, *LOGS, *ADDRESSES, *CONTEXTS]
