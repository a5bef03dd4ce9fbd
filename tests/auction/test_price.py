"""Money is read exactly, written so that it reads back the same, or refused."""

from __future__ import annotations

import dataclasses
import re
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from auctionctl.auction.price import MAX_MINOR, MINOR_DIGITS, Money, format_minor, minor_digits, parse_money
from auctionctl.errors import MoneyError

FREE_UNITS = st.from_regex(r"[a-z]{2}[a-z0-9_-]{0,14}", fullmatch=True).filter(
    lambda unit: unit.upper() not in MINOR_DIGITS
)
CURRENCIES = st.sampled_from(sorted(MINOR_DIGITS)) | FREE_UNITS


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("12.50EUR", Money(1_250, "EUR")),
        ("12.5EUR", Money(1_250, "EUR")),
        ("12 EUR", Money(1_200, "EUR")),
        ("  12.50 EUR\n", Money(1_250, "EUR")),
        ("0.01EUR", Money(1, "EUR")),
        ("0EUR", Money(0, "EUR")),
        ("007.70EUR", Money(770, "EUR")),
        ("1.00XCG", Money(100, "XCG")),
        ("1500JPY", Money(1_500, "JPY")),
        ("1.234BHD", Money(1_234, "BHD")),
        ("1BHD", Money(1_000, "BHD")),
        ("40credits", Money(40, "credits")),
        ("40 gpu-hours_2", Money(40, "gpu-hours_2")),
        ("0.29EUR", Money(29, "EUR")),
        ("1.15USD", Money(115, "USD")),
        ("9999999999999.99EUR", Money(999_999_999_999_999, "EUR")),
    ],
)
def test_an_amount_is_read_exactly(text: str, money: Money) -> None:
    assert parse_money(text) == money


def test_an_amount_without_currency_takes_the_one_that_is_known() -> None:
    assert parse_money("12.50", currency="EUR") == Money(1_250, "EUR")
    assert parse_money("12.50EUR", currency="EUR") == Money(1_250, "EUR")


@given(CURRENCIES, st.integers(0, MAX_MINOR))
@example("JPY", MAX_MINOR)
@example("EUR", MAX_MINOR)
@example("BHD", MAX_MINOR)
@example("ee5", 1)
@example("eur2", 1)
def test_what_is_written_is_read_back_as_the_same_amount(currency: str, minor: int) -> None:
    text = format_minor(minor, currency)
    assert parse_money(text) == Money(minor, currency)
    assert parse_money(text, currency=currency) == Money(minor, currency)
    assert str(Money(minor, currency)) == text


@pytest.mark.parametrize("currency", sorted(MINOR_DIGITS))
def test_every_currency_takes_the_digits_it_has_and_not_one_more(currency: str) -> None:
    digits = MINOR_DIGITS[currency]
    fits = "1" + ("." + "0" * (digits - 1) + "7" if digits else "")
    assert parse_money(fits + currency).minor == (10**digits + 7 if digits else 1)
    for tail in ("0", "1"):
        longer = (fits if "." in fits else fits + ".") + tail
        with pytest.raises(MoneyError, match=rf"has {digits + 1} digits after the point, and {currency} has {digits}"):
            parse_money(longer + currency)


def test_the_currencies_without_cents_and_with_thousandths_are_these() -> None:
    without = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
    assert {code for code, digits in MINOR_DIGITS.items() if digits == 0} == set(without.split())
    assert {code for code, digits in MINOR_DIGITS.items() if digits == 3} == {
        "BHD",
        "IQD",
        "JOD",
        "KWD",
        "LYD",
        "OMR",
        "TND",
    }
    assert set(MINOR_DIGITS.values()) == {0, 2, 3}
    assert all(re.fullmatch("[A-Z]{3}", code) for code in MINOR_DIGITS)


def test_the_caribbean_guilder_is_a_currency_and_what_it_and_the_euro_replaced_is_none() -> None:
    assert MINOR_DIGITS["XCG"] == 2
    for withdrawn in ("ANG", "BGN", "HRK"):
        with pytest.raises(MoneyError):
            minor_digits(withdrawn)


@given(CURRENCIES, st.decimals(0, 10**13, allow_nan=False, places=4))
def test_reading_agrees_with_decimal_arithmetic(currency: str, amount: Decimal) -> None:
    digits = minor_digits(currency)
    text = f"{amount:f}".rstrip("0").rstrip(".")
    scaled = Decimal(text).scaleb(digits)
    if scaled != int(scaled) or scaled > MAX_MINOR:
        with pytest.raises(MoneyError):
            parse_money(text + currency)
    else:
        assert parse_money(text + currency).minor == scaled


@pytest.mark.parametrize("currency", ["JPY", "EUR", "BHD", "credits"])
def test_the_largest_amount_is_read_and_one_more_is_refused(currency: str) -> None:
    assert parse_money(format_minor(MAX_MINOR, currency)).minor == 10**15
    with pytest.raises(MoneyError, match=re.escape(f"more than the largest amount, {format_minor(10**15, currency)}")):
        parse_money(format_minor(MAX_MINOR + 1, currency))


@pytest.mark.parametrize("whole", ["9" * 16, "9" * 17, "9" * 40, "9" * 5_000, "0" * 41])
def test_huge_numbers_are_refused(whole: str) -> None:
    with pytest.raises(MoneyError):
        parse_money(whole + "EUR")


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "EUR", ".", "-", ".5EUR", "1.EUR", "1..5EUR", "1.2.3EUR", "-1EUR", "+1EUR", "−1EUR", "1€", "1\0EUR"],
        *["1,50EUR", "1_000EUR", "1'000EUR", "1.5e3", "nan", "inf", "1  EUR", "1\tEUR", "1\nEUR", "1\xa0EUR", "EUR1"],
        *["1 EUR EUR", "１２EUR", "١٢EUR", "1²EUR", "Ⅻ", "1.५EUR", "1ＥＵＲ", "1" + "a" * 17, "0x1.8p1"],
    ],
)
def test_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_money(text)
    with pytest.raises(MoneyError):
        parse_money(text, currency="EUR")


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,17}(\.[0-9]{1,4})? ?[A-Za-z]{0,4}", fullmatch=True))
def test_any_text_is_an_amount_or_a_money_error(text: str) -> None:
    try:
        money = parse_money(text)
    except MoneyError:
        return
    assert 0 <= money.minor <= MAX_MINOR
    assert parse_money(str(money)) == money


@pytest.mark.parametrize(
    "currency",
    [
        *["XXX", "EURO", "", "EU", "credits!", "-x", "9x", "a" * 17, "é", "XAU", "EUR\n", "xx\n"],
        *["e", "x", "e5", "x10", "e-5", "k_"],
    ],
)
def test_an_unknown_currency_is_refused_with_a_hint(currency: str) -> None:
    with pytest.raises(MoneyError, match=re.escape(f"unknown currency {currency!r}")) as caught:
        minor_digits(currency)
    assert "ISO 4217" in caught.value.hint
    with pytest.raises(MoneyError):
        parse_money("1", currency=currency)
    with pytest.raises(MoneyError):
        format_minor(1, currency)


@pytest.mark.parametrize("code", sorted(MINOR_DIGITS))
def test_a_currency_in_lower_case_is_no_unit_of_ones_own_but_a_slip(code: str) -> None:
    for spelling in (code.lower(), code.capitalize(), code.swapcase()):
        with pytest.raises(MoneyError, match=f"unknown currency '{spelling}'") as caught:
            minor_digits(spelling)
        assert caught.value.hint == f"did you mean {code}?"
        with pytest.raises(MoneyError):
            parse_money(f"100 {spelling}")
    assert minor_digits(f"{code.lower()}s") == 0


@pytest.mark.parametrize("text", ["1e5", "1E5", "3x10", "0x10", "1e-5", "1.0e5"])
def test_a_number_in_another_notation_is_no_amount_of_a_unit_with_that_name(text: str) -> None:
    with pytest.raises(MoneyError):
        parse_money(text)


def test_a_unit_of_ones_own_begins_with_two_letters() -> None:
    assert parse_money("1ee5") == Money(1, "ee5")
    assert parse_money("7" + "a" * 16) == Money(7, "a" * 16)


def test_an_amount_in_another_currency_is_refused() -> None:
    with pytest.raises(MoneyError, match="'5USD' is in USD, where EUR is needed"):
        parse_money("5USD", currency="EUR")


def test_an_amount_in_no_currency_is_refused_with_a_hint() -> None:
    with pytest.raises(MoneyError, match=r"the amount ' 12\.50' has no currency") as caught:
        parse_money(" 12.50")
    assert caught.value.hint == "write it as 12.50EUR"


def test_a_difference_below_zero_is_written_with_its_sign() -> None:
    assert format_minor(-1, "EUR") == "-0.01EUR"
    assert format_minor(-12_345, "BHD") == "-12.345BHD"
    assert format_minor(-7, "JPY") == "-7JPY"
    assert format_minor(0, "EUR") == "0.00EUR"


def test_money_does_not_change() -> None:
    money = Money(1, "EUR")
    with pytest.raises(dataclasses.FrozenInstanceError):
        money.minor = 2  # type: ignore[misc]
    assert not hasattr(money, "__dict__")
