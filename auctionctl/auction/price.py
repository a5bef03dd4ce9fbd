"""Exact money: integers in minor units with a currency (DESIGN.md section 6). No float anywhere.

Currencies are the ISO 4217 codes in circulation, with their minor digits, or a free unit: a lower-case word such as
``credits``, which has no minor digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from auctionctl.errors import MoneyError

MAX_SHOWN: Final = 60

MAX_MINOR: Final = 10**15
"""The largest amount, in minor units: sums and percentages of it stay well within 64 bits."""

_TWO_DIGITS = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP"
    " CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES"
    " KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK"
    " NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB"
    " TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG"
)
_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"

MINOR_DIGITS: Final[dict[str, int]] = {
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
}
"""ISO 4217 code → digits after the decimal point."""

# Two letters at least: 1e5 and 3x10 are no amounts of a unit called e5 or x10.
_FREE_UNIT = re.compile(r"[a-z]{2}[a-z0-9_-]{0,14}")
_AMOUNT = re.compile(r"([0-9]{1,40})(?:\.([0-9]{1,40}))?[ ]?([A-Za-z][A-Za-z0-9_-]{0,15})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Money:
    """``minor`` units (an integer ≥ 0) of ``currency``."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return format_minor(self.minor, self.currency)


def minor_digits(currency: str) -> int:
    """Digits after the decimal point of ``currency``. Raises MoneyError for a currency that is none."""
    digits = MINOR_DIGITS.get(currency)
    if digits is not None:
        return digits
    if currency.upper() in MINOR_DIGITS:
        raise MoneyError(f"unknown currency {currency!r}", hint=f"did you mean {currency.upper()}?")
    if _FREE_UNIT.fullmatch(currency):
        return 0
    raise MoneyError(
        f"unknown currency {currency!r}",
        hint="use an ISO 4217 code such as EUR, or a lower-case unit of your own such as credits",
    )


def parse_money(text: str, *, currency: str | None = None) -> Money:
    """Read ``12.50EUR``, ``12.5 EUR`` or, where ``currency`` is known from elsewhere, ``12.50``; exactly.

    Raises MoneyError when the text is no amount, its currency is unknown or another one, it has more digits than the
    currency, or it exceeds MAX_MINOR.
    """
    match = _AMOUNT.fullmatch(text.strip())
    text = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"  # in messages
    if match is None:
        raise MoneyError(f"not an amount: {text!r}", hint="write it as 12.50EUR")
    whole, fraction, unit = match[1], match[2] or "", match[3]
    if unit is None and currency is None:
        raise MoneyError(f"the amount {text!r} has no currency", hint=f"write it as {text.strip()}EUR")
    if unit is not None and currency is not None and unit != currency:
        raise MoneyError(f"{text!r} is in {unit}, where {currency} is needed")
    unit = unit or currency or ""
    digits = minor_digits(unit)
    if len(fraction) > digits:
        raise MoneyError(f"{text!r} has {len(fraction)} digits after the point, and {unit} has {digits}")
    minor = int(whole) * 10**digits + int(fraction.ljust(digits, "0") or "0")
    if minor > MAX_MINOR:
        raise MoneyError(f"{text!r} is more than the largest amount, {format_minor(MAX_MINOR, unit)}")
    return Money(minor, unit)


def format_minor(minor: int, currency: str) -> str:
    """``1250`` of ``EUR`` → ``12.50EUR``: what :func:`parse_money` reads back as the same amount."""
    digits = minor_digits(currency)
    if digits == 0:
        return f"{minor}{currency}"
    sign = "-" if minor < 0 else ""
    whole, fraction = divmod(abs(minor), 10**digits)
    return f"{sign}{whole}.{fraction:0{digits}d}{currency}"
