"""Command lines that are wrong in themselves, and places that are wrong: each is refused before anything is touched."""

from __future__ import annotations

from typing import Final

from hostile_case import BOB, Case, Fifo, Folder, Link

LONG: Final = "x" * 100_000
BIDI: Final = "\u202e\u2066gnp.exe"
CONTROLS: Final = "\x1b[31m\x9b2J\x07\x7f"
ZERO_WIDTH: Final = "1\u200b0EUR"
ARABIC_DIGITS: Final = "\u0661\u0662EUR"
TO_BOB: Final = ("allow", "add", BOB.identity.text)
ADDRESS: Final = f"auction://{BOB.identity.text}@127.0.0.1:9"

BID: Final = ("bid", "x", "--house", ADDRESS, "--key", "alice")
SMART: Final = ("--strategy", "smart", "--budget", "1EUR")

BUDGETS: Final = {
    "no currency": "1",
    "negative": "-5EUR",
    "huge": "9" * 41 + "EUR",
    "very long": "9" * 100_000 + "EUR",
    "more than there is": "10000000000000.01EUR",
    "nan": "NaNEUR",
    "infinite": "infEUR",
    "exponent": "1e5EUR",
    "hexadecimal": "0x10EUR",
    "unicode digits": ARABIC_DIGITS,
    "zero width": ZERO_WIDTH,
    "full-width": "\uff11\uff10EUR",
    "two points": "1.2.3EUR",
    "comma": "1,50EUR",
    "too many digits": "1.001EUR",
    "unknown currency": "1XXQ",
    "lower-case currency": "1eur",
    "markup": "[red]1[/red]EUR",
    "controls": CONTROLS + "1EUR",
    "bidi": BIDI,
    "empty": "",
    "blank": " ",
    "underscore": "1_000EUR",
    "plus": "+1EUR",
}

NAMES: Final = {
    "empty": "",
    "parent": "../../etc/passwd",
    "absolute": "/etc/passwd",
    "very long": LONG,
    "300 characters": "x" * 300,
    "33 characters": "x" * 33,
    "controls": CONTROLS,
    "bidi": BIDI,
    "zero width": "al\u200bice",
    "markup": "[/red]alice",
    "line end": "alice\nbob",
    "carriage return": "alice\r",
    "blank": "alice bob",
    "capital": "Alice",
    "not ASCII": "älice",
    "lone surrogate": "\udcff",
    "begins with a point": ".alice",
    "per cent": "%s%n{0}",
    "cyrillic": "\u0430lice",
}

ADDRESSES: Final = {
    "a key alone": (BOB.identity.text, "that is a key alone"),
    "another scheme": ("http://example.org", "--house: not the address"),
    "no identity": ("auction://host:8888", "--house: not the address"),
    "damaged identity": (f"auction://{BOB.identity.text[:-1]}q@h:1", "is damaged"),
    "capital identity": (f"auction://{BOB.identity.text.upper()}@h:1", "--house: not the address"),
    "port 0": (f"auction://{BOB.identity.text}@h:0", "there is no port 0"),
    "port 65536": (f"auction://{BOB.identity.text}@h:65536", "there is no port 65536"),
    "port 99999999": (f"auction://{BOB.identity.text}@h:99999999", "--house: not the address"),
    "negative port": (f"auction://{BOB.identity.text}@h:-1", "--house: not the address"),
    "unicode port": (f"auction://{BOB.identity.text}@h:\u0661", "--house: not the address"),
    "wildcard": (f"auction://{BOB.identity.text}@*:1", "--house: not the address"),
    "controls": (f"auction://{BOB.identity.text}@h{CONTROLS}:1", "--house: not the address"),
    "bidi": (f"auction://{BIDI}@h:1", "--house: not the address"),
    "very long": (f"auction://{LONG}@h:1", "is damaged"),
    "very long host": (f"auction://{BOB.identity.text}@{LONG}:1", "--house: "),
    "injected endpoint": (f"auction://{BOB.identity.text}@h:1;ipc:///tmp/x", "--house: not the address"),
    "a secret": (BOB.seed_text, "--house: "),
}

OPTIONS: Final = [
    Case("unknown command", ("frobnicate",), 2, "no such command"),
    Case("unknown command with controls", (CONTROLS,), 2, "no such command"),
    Case("unknown command, very long", (LONG,), 2, "no such command"),
    Case("unknown command, bidi", (BIDI,), 2, "no such command"),
    Case("unknown command, markup", ("[/red]",), 2, "no such command"),
    Case("empty command", ("",), 2, "no such command"),
    Case("unknown option", ("ls", "--frobnicate"), 2, "no such option"),
    Case("unknown option, very long", ("ls", "--" + LONG), 2, "no such option"),
    Case("unknown option, controls", ("ls", "--" + CONTROLS), 2, "no such option"),
    Case("unknown option before the command", ("--frobnicate", "ls"), 2, "no such option"),
    Case("unknown subcommand", ("key", "frobnicate"), 2, "no such command"),
    Case("value is missing", ("ls", "--house"), 2, "--house"),
    Case("argument is missing", ("verify",), 2, "missing argument"),
    Case("argument too many", ("ls", "x"), 2, "unexpected extra argument"),
    Case("ten thousand arguments", ("ls", *(["x"] * 10_000)), 2, "unexpected extra argument"),
    Case("option twice", (*BID, *SMART, "--budget", "1"), 2, "has no currency"),
    Case("parameter twice", (*BID, *SMART, "--param", "value=1EUR", "--param", "value=2EUR"), 2, "stands twice"),
    Case("parameter without a value", (*BID, *SMART, "--param", "value"), 2, "is no K=V"),
    Case("unknown parameter", (*BID, *SMART, "--param", f"{CONTROLS}=1"), 2, "--param: "),
    Case("parameter, very long", (*BID, *SMART, "--param", f"value={LONG}"), 2, "--param: "),
    Case("unknown strategy", (*BID, "--strategy", CONTROLS, "--budget", "1EUR"), 2, "--strategy: "),
    Case("strategy, very long", (*BID, "--strategy", LONG, "--budget", "1EUR"), 2, "--strategy: "),
    Case("port 0", ("serve", "x", "--port", "0"), 2, "--port"),
    Case("port 65536", ("serve", "x", "--port", "65536"), 2, "--port"),
    Case("port negative", ("serve", "x", "--port", "-1"), 2, "--port"),
    Case("port of unicode digits", ("serve", "x", "--port", "٨٨٨٨८"), 2, "--port"),
    Case("port huge", ("serve", "x", "--port", "9" * 5_000), 2, "--port"),
    Case("port NaN", ("serve", "x", "--port", "NaN"), 2, "--port"),
    Case("seed NaN", (*BID, *SMART, "--seed", "NaN"), 2, "--seed"),
    Case("duration negative", ("demo", "--duration", "-5s"), 2, "--duration"),
    Case("duration NaN", ("demo", "--duration", "NaN"), 2, "--duration"),
    Case("duration huge", ("demo", "--duration", "9" * 19 + "d"), 2, "--duration"),
    Case("duration very long", ("demo", "--duration", "9" * 100_000), 2, "--duration"),
    Case("duration of unicode digits", ("demo", "--duration", "\u0665s"), 2, "--duration"),
    Case("duration with controls", ("demo", "--duration", "5s" + CONTROLS), 2, "--duration"),
    Case("keep in a file", ("demo", "--keep", "f"), 78, "is there already", {"f": b"mine"}),
    Case("keep in a used directory", ("demo", "--keep", "d"), 78, "is there already", {"d/f": b"mine"}),
    Case("keep below a file", ("demo", "--keep", "f/d"), 78, "cannot create", {"f": b"mine"}),
    Case("keep in a dangling link", ("demo", "--keep", "l/d/e"), 78, "cannot create", {"l": Link("l")}),
    Case("keep where nobody may write", ("demo", "--keep", "d/e"), 78, "cannot create", {"d": Folder(0o500)}),
    Case("role of controls", ("allow", "add", BOB.identity.text, "bob", "--role", CONTROLS), 2, "is no role"),
    Case("role, very long", ("allow", "add", BOB.identity.text, "bob", "--role", LONG), 2, "is no role"),
    Case("role, empty", ("allow", "add", BOB.identity.text, "bob", "--role", ""), 2, "no role"),
    Case("a secret where a public key belongs", ("allow", "add", BOB.seed_text, "bob"), 2, "secret key"),
    Case("a key that is cut", ("allow", "add", BOB.identity.text[:-1], "bob"), 2, "113 characters"),
    Case("a key, very long", ("allow", "add", "auc1" + LONG, "bob"), 2, "113 characters"),
    Case("a key of controls", ("allow", "add", "auc1" + CONTROLS, "bob"), 2, "KEY: "),
    Case("all and some", ("bid", "--all", "x", *SMART), 2, "--all"),
    Case("neither all nor some", ("bid", *SMART), 2, "--all"),
    Case("two forms", ("allow", "ls", "--json", "-o", "table"), 2, "two forms"),
    Case("unknown form", ("allow", "ls", "-o", CONTROLS), 2, "--output"),
]

HOMES: Final = [
    Case("home is a file", ("keygen", "x"), 78, "cannot write", {"f": b"mine"}, {"AUCTIONCTL_HOME": "f"}),
    Case("home below a file", ("keygen", "x"), 78, "cannot write", {"f": b"mine"}, {"AUCTIONCTL_HOME": "f/x"}),
    Case("home is a loop of links", ("keygen", "x"), 78, "cannot read", {"l": Link("l")}, {"AUCTIONCTL_HOME": "l"}),
    Case("home is read-only", ("keygen", "x"), 78, "cannot write", {"d": Folder(0o500)}, {"AUCTIONCTL_HOME": "d"}),
    Case(
        "home is missing, and its parent is read-only",
        ("keygen", "x"),
        78,
        "cannot write",
        {"d": Folder(0o500)},
        {"AUCTIONCTL_HOME": "d/volume"},
    ),
    Case("home is in a missing volume, for reading", ("ls",), 78, "no house", {}, {"AUCTIONCTL_HOME": "/nowhere/x"}),
    Case(
        "home is empty text",
        ("key", "show", "x"),
        3,
        "there is no key file",
        {},
        {"AUCTIONCTL_HOME": ""},
    ),
    Case("home has a newline", ("key", "show"), 3, "there is no key", {}, {"AUCTIONCTL_HOME": "a\nb \t c"}),
    Case("home has controls", ("key", "show"), 3, "there is no key", {}, {"AUCTIONCTL_HOME": CONTROLS}),
    Case("home is very long", ("key", "show"), 78, "AUCTIONCTL_HOME is too long", {}, {"AUCTIONCTL_HOME": LONG}),
    Case(
        "home is very long, for a new key",
        ("keygen",),
        78,
        "AUCTIONCTL_HOME is too long",
        {},
        {"AUCTIONCTL_HOME": LONG},
    ),
    Case(
        "home is very long, for a list",
        ("allow", "ls"),
        78,
        "AUCTIONCTL_HOME is too long",
        {},
        {"AUCTIONCTL_HOME": LONG},
    ),
    Case("home is very long, for ls", ("ls",), 78, "AUCTIONCTL_HOME is too long", {}, {"AUCTIONCTL_HOME": LONG}),
    Case("home of an unknown user", ("key", "show"), 78, "AUCTIONCTL_HOME", {}, {"AUCTIONCTL_HOME": "~nobodyhere/x"}),
    Case("home is a pipe", ("key", "show"), 78, "cannot list", {"p": Fifo()}, {"AUCTIONCTL_HOME": "p"}),
    Case("home is a device", ("keygen",), 78, "cannot write", {}, {"AUCTIONCTL_HOME": "/dev/null"}),
    Case(
        "home is a file, for the allow list",
        ("allow", "add", BOB.identity.text, "bob"),
        78,
        "cannot create",
        {"f": b"mine"},
        {"AUCTIONCTL_HOME": "f"},
    ),
    Case(
        "home is read-only, for the allow list",
        ("allow", "add", BOB.identity.text, "bob"),
        78,
        "cannot create",
        {"d": Folder(0o500)},
        {"AUCTIONCTL_HOME": "d"},
    ),
    Case(
        "configuration cannot be written",
        ("allow", "add", BOB.identity.text, "bob"),
        78,
        "cannot write",
        {"home/config": Folder(0o500)},
    ),
    Case("state cannot be written", (*BID, *SMART), 78, "cannot create", {"home/state": b"mine"}),
    Case("house in the environment is none", ("ls",), 78, "AUCTIONCTL_HOUSE", {}, {"AUCTIONCTL_HOUSE": CONTROLS}),
    Case("house in the environment is very long", ("ls",), 78, "AUCTIONCTL_HOUSE", {}, {"AUCTIONCTL_HOUSE": LONG}),
    Case("key in the environment is none", ("key", "show"), 78, "is no name", {}, {"AUCTIONCTL_KEY": CONTROLS}),
    Case("key in the environment is missing", ("key", "show"), 3, "there is no key file", {}, {"AUCTIONCTL_KEY": "z"}),
    Case("context in the environment is missing", ("ls",), 3, "no context", {}, {"AUCTIONCTL_CONTEXT": LONG}),
]

ARGUMENTS: Final = [
    *OPTIONS,
    *HOMES,
    *(
        Case(f"budget: {name}", (*BID, "--strategy", "smart", "--budget", text), 2, "--budget: ")
        for name, text in BUDGETS.items()
    ),
    *(Case(f"keygen: {name}", ("keygen", text), 2, "is no name") for name, text in NAMES.items()),
    *(Case(f"allow add: {name}", (*TO_BOB, text), 2, "is no name") for name, text in NAMES.items()),
    *(
        Case(f"{' '.join(words)}: {name}", (*words, text, *more), 2, "")
        for words, more in {
            ("key", "export"): (),
            ("key", "rm"): ("--yes",),
            ("key", "import", "f"): (),
            ("context", "add"): (ADDRESS,),
        }.items()
        for name, text in NAMES.items()
    ),
    *(
        Case(f"{' '.join(words)}: {name}", (*words, text), 3, "")
        for words in (("allow", "rm"), ("context", "use"), ("context", "rm"))
        for name, text in NAMES.items()
    ),
    *(
        Case(f"context add, address: {name}", ("context", "add", "x", text), 2, says.removeprefix("--house: "))
        for name, (text, says) in ADDRESSES.items()
    ),
    *(Case(f"key show: {name}", ("key", "show", text), 2, "is no name") for name, text in NAMES.items() if text),
    *(
        Case(f"address: {name}", ("ls", "--key", "alice", "--house", text), 2, says)
        for name, (text, says) in ADDRESSES.items()
    ),
]
