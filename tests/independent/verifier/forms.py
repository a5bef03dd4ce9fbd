"""Bytes to values: base64, the text of an identity, msgpack in its one form, and the arrays of entries and bodies."""

import base64
import io
import re
from hashlib import sha256
from types import SimpleNamespace

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATORS = 0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3
KINDS = """terms joined left opened bid gap closed cancelled announced admitted role paused resumed payment
    payment_rejected settled defaulted offered accepted declined reverted takeover key_rotated key_revoked conduct"""
CODES = """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
    RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
    TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG"""
COMMAND = "house bin 32; auction bin 32; actor bin 32; nonce bin 16; placed uint 0..2^62; not_after uint 0..2^62"
LONG = {0xCC: (int, 1, 128), 0xCD: (int, 2, 256), 0xCE: (int, 4, 2**16), 0xCF: (int, 8, 2**32)}  # type, width, least
LONG |= {0xC4: (bytes, 1, 0), 0xC5: (bytes, 2, 256), 0xD9: (str, 1, 32), 0xDA: (str, 2, 256), 0xDC: (list, 2, 16)}
FORMS = {  # fields in the notation of the manual page; ? allows nil; the type that begins an array is not among them
    "entry": "kind str; time uint 0..9223372036854775807; body bin; signature bin 0..64",
    "terms": "house bin 32; seller bin 32; nonce bin 16; listing str; lot lot; rules rules",
    "lot": "title str 1..200; description str 0..4000; estimate uint 0..10^15?",
    "rules": "format str; currency str; starting_price uint 0..10^15; increment increment; duration uint 1..366d; "
    "start_timeout uint 1..366d; min_bidders uint 1..10000; bid_timeout uint 10^8..3600000000000; "
    "soft_close uint 0..366d; max_extension uint 0..366d; reserve reserve?; pauses pauses; payment payment; "
    "cancellation of before_first_bid before_close; min_reputation uint 0..10^6",
    "pauses": "disconnection of continue pause_below_min_bidders pause; max_pauses uint 0..1000; "
    "max_pause uint 0..366d; max_pauses_each uint 0..1000; max_pause_each uint 0..366d",
    "payment": "due uint 0..366d; absence uint 0..366d; on_default of revert offer; offer uint 0..366d",
    "reserve": "commitment bin 32; sealed bin 1..512",
    "fixed": "step uint 1..10^15",
    "percent": "basis_points uint 1..10^5",
    "table": "rows rows",
    "row": "bound uint 0..10^15; step uint 1..10^15",
    "join": "house bin 32; auction bin 32; bidder bin 32; nonce bin 16; placed uint 0..2^62; not_after uint 0..2^62; "
    "reputation uint 0..10^6",
    "bid": "house bin 32; auction bin 32; bidder bin 32; seq uint 1..2^53; amount uint 1..10^15; currency str 1..16; "
    "placed uint 0..2^62; not_after uint 0..2^62; head_size uint 0..2^53; head_root bin 0..32",
    "opened": "",
    "left": "bidder bin 32",
    "gap": "since uint 0..2^62; until uint 0..2^62; cause of restart gateway_lost stalled takeover",
    "takeover": "instance str 1..32; epoch uint 1..2^53",
    "paused": "cause of terms cap",
    "resumed": "cause of terms cap",
    "cancelled": "reason str 0..64",
    "closed": "end_reason str; winner bin 32?; price uint 0..10^15?; bid_index uint?; reserve opening?",
    "defaulted": "bidder bin 32; cause of late absent",
    "declined": "offer bin 32",
    "reverted": "",
    "pause": f"{COMMAND}; reason str 0..200",
    "resume": f"{COMMAND}; reason str 0..200",
    "cancel": f"{COMMAND}; reason str 0..200",
    "pay": f"{COMMAND}; amount uint 1..10^15; currency str 1..16; reference str 0..200",
    "settle": f"{COMMAND}; capacity of seller operator; payment bin 32",
    "reject_payment": f"{COMMAND}; capacity of seller operator; payment bin 32; reason str 0..200",
    "offer": f"{COMMAND}; bidder bin 32; amount uint 1..10^15; currency str 1..16; bid_index uint 1..2^53",
    "accept": f"{COMMAND}; offer bin 32",
    "decline": f"{COMMAND}; offer bin 32",
    "opening": "minor uint 0..10^15; salt bin 32",
    "admitted": "signing bin 32; transport bin 32; name str 0..32; role str 0..64",
    "role": "signing bin 32; name str 0..32; role str 0..64",
    "revoke": "house bin 32; actor bin 32; key bin 32",
    "rotate": "house bin 32; key bin 32; signing bin 32; transport bin 32; consent bin 64",
    "conduct": "auction bin 32; deeds deeds",
    "deed": "bidder bin 32; stood uint 0..1; won uint 0..1; paid uint 0..1; defaulted uint 0..1; left uint 0..10^6; "
    "invalid uint 0..10^6",
    "announced": "auction bin 32; seller bin 32; listing str 1..64",
}


class Refused(ValueError):
    """By the word of a rule; or without one, as a wrong form, whose word the caller knows. So with the index."""

    def __init__(self, reason, rule=None, index=None):
        super().__init__(reason)
        self.rule, self.index = rule, index


def need(holds, *reason):
    if not holds:
        raise Refused(*reason)


def h(*parts):
    return sha256(b"".join(parts)).digest()


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "not base64 in its strict form")
    return data


def identity_key(identity):
    """The signing key of a party by its text in bech32m."""
    need(re.fullmatch(f"auc1[{BECH32}]{{109}}", identity), "not an identity")
    values, check = [BECH32.index(character) for character in identity[4:]], 1
    for value in [3, 3, 3, 0, 1, 21, 3, *values]:  # auc, expanded
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    bits = int("".join(f"{value:05b}" for value in values[:-6]), 2)
    need(check == 0x2BC830A3 and bits & 7 == 0, "checksum or padding of an identity")
    return (bits >> 3).to_bytes(64, "big")[:32]


def unpack(stream, depth=8):
    """The next value in msgpack, which must be in its shortest form."""

    def take(size):
        need(len(data := stream.read(size)) == size, "cut off")
        return data

    byte = take(1)[0]
    if byte < 0x80 or byte == 0xC0:
        return None if byte == 0xC0 else byte
    need(depth and (byte in LONG or 0x90 <= byte < 0xC0), "another type, or nested too deeply")
    kind, number = (list, byte - 0x90) if byte < 0xA0 else (str, byte - 0xA0)
    if byte in LONG:
        kind, width, least = LONG[byte]
        number = int.from_bytes(take(width), "big")
        need(number >= least, "not the shortest form")
    if kind is list:
        return [unpack(stream, depth - 1) for _ in range(number)]
    return number if kind is int else take(number).decode() if kind is str else take(number)


def read(value, form, word=None):
    """The value if it has the form, else ValueError; an array, after word if one is given, as a namespace of fields."""
    if form.endswith("?"):
        return None if value is None else read(value, form[:-1])
    if form == "increment":
        need(isinstance(value, list) and value and value[0] in ("fixed", "percent", "table"), "not an increment")
        return read(value, value[0], value[0])
    if form in ("rows", "deeds"):
        need(isinstance(value, list) and 1 <= len(value) <= {"rows": 64, "deeds": 100}[form], f"too few or many {form}")
        return [read(row, form[:-1]) for row in value]
    if form.startswith("of "):
        need(value in form.split()[1:], f"not one {form}")
        return value
    if form not in FORMS:
        kind, _, bounds = form.replace("366d", "31622400000000000").partition(" ")
        powers = [number.split("^") for number in (bounds or "0..2^64").split("..")]
        numbers = [int(power[0]) ** int(power[-1] if power[1:] else 1) for power in powers]
        need(isinstance(value, {"uint": int, "str": str, "bin": bytes}[kind]), f"not {form}")
        need(numbers[0] <= (value if kind == "uint" else len(value)) <= numbers[-1], f"not {form}")
        return value
    need(isinstance(value, list) and (not word or value[:1] == [word]), f"not an array of {form}")
    fields, values = [field.split(" ", 1) for field in FORMS[form].split("; ") if field], value[1:] if word else value
    need(len(values) == len(fields), f"{form} of {len(values)} fields")
    return SimpleNamespace(word=word, **{name: read(item, of) for (name, of), item in zip(fields, values, strict=True)})


def read_bytes(data, form, most, word=None):
    """All of data, one array of the form in canonical msgpack, and what its fields have to say to one another."""
    need(len(data) <= most, f"{form} too long")
    array = read(unpack(stream := io.BytesIO(data)), form, word)
    need(not stream.read(1), "bytes after the array")
    if form == "terms":
        rules, currency = array.rules, array.rules.currency
        need(
            rules.format == "english" and re.fullmatch("[a-z0-9][a-z0-9._-]{0,63}", array.listing), "format or listing"
        )
        own = re.fullmatch("[a-z]{2}[a-z0-9_-]{0,14}", currency) and currency.upper() not in CODES.split()
        need(own or currency in CODES.split(), "not a currency")
        need(rules.soft_close <= rules.duration and (not rules.soft_close) == (not rules.max_extension), "soft close")
        due, absence, offer = rules.payment.due, rules.payment.absence, rules.payment.offer
        need((offer > 0) == (rules.payment.on_default == "offer"), "an offer without its time, or a time for nothing")
        need(due or not (absence or offer), "no payment is waited for")
        bounds = [row.bound for row in rules.increment.rows] if rules.increment.word == "table" else [0]
        need(bounds[0] == 0 and bounds == sorted(set(bounds)), "bounds do not rise from 0")
    need(form != "entry" or (array.kind in KINDS.split() and len(array.signature) in (0, 64)), "kind or signature")
    need(form != "bid" or len(array.head_root) == (32 if array.head_size else 0), "root of a head")
    return array
