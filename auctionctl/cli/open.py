"""``open``: a seller offers one lot to a house, and has the proof that its auction is held."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from auctionctl.cli.arguments import ArgumentError
from auctionctl.cli.exit_status import ExitStatus
from auctionctl.cli.options import AtHouse, with_house
from auctionctl.cli.output import Form, write_document, write_facts, write_fields, write_line, write_note
from auctionctl.errors import NotAuthorisedError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from auctionctl.auction.terms import Terms
    from auctionctl.bidding.selling import Asked, SellerNotice, Taken
    from auctionctl.cli.offers import Offer
    from auctionctl.keys.signing import SecretKey
    from auctionctl.wire.address import HouseAddress
    from auctionctl.wire.frames import Message
    from auctionctl.wire.listing import LotDescription

SCHEMA: Final = "auctionctl.open/1"
JSON_SCHEMA: Final = {
    SCHEMA: {
        "id": "The auction: SHA-256 of its terms; null with `--dry-run`, which signs nothing.",
        "listing": "Its name at this house.",
        "item": "What is sold.",
        "house": "The address of the house.",
        "is_new": "Whether this run opened it: false if the house held it already; null with `--dry-run`.",
        "time_ns": "When the house accepted the terms; null with `--dry-run`.",
        "receipt": "The file of the receipt, a C2SP tlog-proof; null with `--dry-run`.",
        "terms": "What the seller signs: seller, description, estimate, prices, durations, reserve.",
    }
}
SILENCE_S: Final = 30.0
"""How long a house may leave the terms unanswered, busy or cut off."""
AGAIN_HINT: Final = "the same command again sends the same terms, and never opens a second auction"
LISTING_HINT: Final = "choose another name with --listing; the auction that is held stays as it is"

app = typer.Typer(rich_markup_mode=None)

Text = str | None
Money = "AMOUNT"
Span = "TIME"


@app.command("open", epilog='Example: auctionctl open --item "Gold watch" --starting-price 200EUR --key alice')
@with_house
def open_auction(
    at: AtHouse,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", readable=False, help="One lot, with the keys of an [[auction]] in AUCTIONS.toml."
        ),
    ] = None,
    *,
    item: Annotated[Text, typer.Option(help="What is sold.")] = None,
    listing: Annotated[Text, typer.Option(metavar="NAME", help="Its name at the house; else made of the item.")] = None,
    description: Annotated[Text, typer.Option(help="More about it.")] = None,
    starting_price: Annotated[Text, typer.Option(metavar=Money, help="The least first bid: 200.00EUR.")] = None,
    reserve_price: Annotated[Text, typer.Option(metavar=Money, help="Below it the lot is not sold; secret.")] = None,
    estimate: Annotated[Text, typer.Option(metavar=Money, help="What it may be worth, for everybody to see.")] = None,
    increment: Annotated[Text, typer.Option(metavar="STEP", help="The least step: 10.00EUR, or 5%.")] = None,
    duration: Annotated[Text, typer.Option(metavar=Span, help="From the opening to the end: 5m.")] = None,
    start_timeout: Annotated[Text, typer.Option(metavar=Span, help="How long bidders may take to join.")] = None,
    min_bidders: Annotated[int | None, typer.Option(metavar="N", help="How many it takes to open.")] = None,
    bid_timeout: Annotated[Text, typer.Option(metavar=Span, help="How long a bid may be under way.")] = None,
    soft_close: Annotated[Text, typer.Option(metavar=Span, help="A bid so late moves the end.")] = None,
    max_extension: Annotated[Text, typer.Option(metavar=Span, help="By no more than this in all.")] = None,
    on_disconnect: Annotated[
        Text, typer.Option(metavar="WHAT", help="When a bidder leaves: continue, pause_below_min_bidders, pause.")
    ] = None,
    payment_timeout: Annotated[Text, typer.Option(metavar=Span, help="How long the winner has to pay: 7d.")] = None,
    on_default: Annotated[Text, typer.Option(metavar="WHAT", help="If it does not: revert, or offer.")] = None,
    min_reputation: Annotated[
        Text, typer.Option(metavar="SHARE", help="What a bidder's reputation has to be at least: 40%.")
    ] = None,
    format_: Annotated[Text, typer.Option("--format", metavar="NAME", help="The rules: english.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Write the id of the auction alone.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be signed, and sign nothing.")] = False,
) -> int:
    """Offer a lot to a house as its seller; the same lot again finds the auction that there is."""
    if quiet and dry_run:
        raise ArgumentError("--quiet shows an id, and --dry-run makes none", hint="give one of the two")
    given = {
        "item": item,
        "listing": listing,
        "description": description,
        "starting_price": starting_price,
        "reserve_price": reserve_price,
        "estimate": estimate,
        "increment": increment,
        "duration": duration,
        "start_timeout": start_timeout,
        "min_bidders": min_bidders,
        "bid_timeout": bid_timeout,
        "soft_close": soft_close,
        "max_extension": max_extension,
        "on_disconnect": on_disconnect,
        "payment_timeout": payment_timeout,
        "on_default": on_default,
        "min_reputation": min_reputation,
        "format": format_,
    }
    return _open(at, file, {key: value for key, value in given.items() if value is not None}, quiet, dry_run)


def _open(at: AtHouse, file: Path | None, options: dict[str, Any], quiet: bool, dry_run: bool) -> int:
    from auctionctl.cli.settings.offered_lot import read_offered_lot  # noqa: PLC0415

    if file is None and not options:
        raise ArgumentError("say what is sold: a FILE, or --item and --starting-price", hint="see auctionctl open -h")
    lot = read_offered_lot(file, options)
    address, secret = at.address(), at.secret()
    if dry_run:
        _write_terms(at, lot, address, secret)
        return ExitStatus.OK
    offering = Offering(at, lot, address, secret)
    taken = offering.run()
    _write_taken(at, offering, taken, quiet)
    return ExitStatus.OK


class Offering:
    """One run: terms made or found again, kept, sent, and taken."""

    def __init__(self, at: AtHouse, lot: LotDescription, address: HouseAddress, secret: SecretKey) -> None:
        from auctionctl.bidding.selling import Seller  # noqa: PLC0415
        from auctionctl.net.clock import Clock  # noqa: PLC0415

        self.is_new = False
        self.address = address
        self.receipt: Path | None = None
        self._receipts = at.paths.receipts
        self._lot = lot
        self._secret = secret
        self._clock = Clock()
        self._seller = Seller(secret, address.identity, lot.listing)
        self._path = at.paths.offer_file(secret.identity.text, address.identity.text, lot.listing)
        self._taken: Taken | None = None
        self._said: set[str] = set()
        self._heard_s = time.monotonic()

    def run(self) -> Taken:
        """Until the auction is held. Raises RefusedError, NotAuthorisedError, UnreachableError, and so on."""
        from auctionctl.net.dealer import Dealer  # noqa: PLC0415 - imports zmq

        dealer = Dealer(self._seller, self.address, self._secret)
        try:
            dealer.run(self._notice, lambda: self._taken is not None, on_tick=self._check_silence)
        except NotAuthorisedError as error:
            key = self._secret.identity.text
            raise NotAuthorisedError(
                str(error),
                hint=f"its operator lets you sell with: auctionctl allow add {key} NAME --role seller (--replace)",
            ) from error
        finally:
            dealer.close()
        assert self._taken is not None
        return self._taken

    def _check_silence(self) -> None:
        if time.monotonic() - self._heard_s > SILENCE_S:
            raise UnreachableError(
                f"the house at {self.address.where} has not answered for {SILENCE_S:.0f} s", hint=AGAIN_HINT
            )

    def _notice(self, notice: SellerNotice) -> None:
        from auctionctl.bidding.selling import Asked, PutOff, Refusal, Taken  # noqa: PLC0415
        from auctionctl.cli.offers import forget_offer, read_offer  # noqa: PLC0415
        from auctionctl.client.receipts import ReceiptFiles  # noqa: PLC0415
        from auctionctl.views.peer_text import safe_text  # noqa: PLC0415

        self._heard_s = time.monotonic()
        match notice:
            case Asked():
                self._seller.offer(self._message(notice), self._clock.now_ns())
            case Refusal(words=words):
                kept = read_offer(self._path)
                if kept is not None:
                    forget_offer(self._path, kept.auction)
                raise RefusedError(f"the house does not take these terms: {words}", hint=_hint_of(words))
            case PutOff(code=code, words=words):
                if code not in self._said:
                    self._said.add(code)
                    write_note(f"the house does not take these terms for now, trying again: {safe_text(words, 300)}")
            case Taken(evidence=evidence):
                self.receipt = ReceiptFiles(self._receipts).keep_terms(self._lot.listing, evidence)
                self._taken = notice

    def _message(self, asked: Asked) -> Message:
        """The terms to send: those that the house holds, those of an earlier run, or new ones, kept before they go."""
        from secrets import token_bytes  # noqa: PLC0415

        from auctionctl.auction.terms import encode_terms  # noqa: PLC0415
        from auctionctl.cli.offers import Offer, keep_offer, read_offer  # noqa: PLC0415
        from auctionctl.wire.frames import sign_body  # noqa: PLC0415
        from auctionctl.wire.listing import Entropy, sign_terms  # noqa: PLC0415

        kept = read_offer(self._path)
        if asked.held is not None:
            # Ed25519 is deterministic: what we sign again is what the house holds, byte by byte.
            message = sign_body(self._secret, encode_terms(asked.held))
            self._check_same(asked.held, kept if kept is not None and kept.message == message else None)
            return message
        self.is_new = True
        house = self.address.identity.signing
        if kept is not None and kept.terms.house == house and not _differences(self._lot, kept.terms, kept):
            return kept.message
        entropy = Entropy(token_bytes(16), token_bytes(32), token_bytes(32))
        message = sign_terms(self._lot, house, asked.escrow, self._secret, entropy)
        keep_offer(self._path, Offer(message, self._lot.reserve_minor))
        return message

    def _check_same(self, held: Terms, kept: Offer | None) -> None:
        differences = _differences(self._lot, held, kept)
        if differences:
            listing = self._lot.listing
            raise RefusedError(
                f"the house holds your listing {listing} already, with other terms: {', '.join(differences)}",
                hint=LISTING_HINT,
            )


def _differences(lot: LotDescription, terms: Terms, kept: Offer | None) -> list[str]:
    """What ``lot`` describes otherwise than ``terms``, in words; a reserve that nobody here knows is passed over."""
    from auctionctl.auction.terms import ReserveOpening  # noqa: PLC0415
    from auctionctl.wire.listing import differences  # noqa: PLC0415

    reserve = None
    if terms.rules.reserve is not None:
        known = lot.reserve_minor if kept is None else kept.reserve_minor
        # Without a reserve in the lot, any at all is another one.
        reserve = ReserveOpening(known or 0, bytes(32))
    return [
        name.removesuffix("_minor").removesuffix("_ns").replace("_", " ") for name in differences(lot, terms, reserve)
    ]


def _hint_of(words: str) -> str:
    """What a seller can do about a refusal; the house's words, which are nobody's promise, only choose among ours."""
    if "limit is" in words:
        return "wait until an auction has ended, or ask the operator for a higher max_concurrent_auctions"
    return LISTING_HINT if "announced" in words else "`auctionctl open --dry-run` shows what would be signed"


def _write_terms(at: AtHouse, lot: LotDescription, address: HouseAddress, secret: SecretKey) -> None:
    """What would be signed, but for the nonce, and the salt and seal of a reserve."""
    from auctionctl.auction.auction import Auction  # noqa: PLC0415
    from auctionctl.auction.price import format_minor  # noqa: PLC0415
    from auctionctl.cli.terms_words import terms_facts, terms_record  # noqa: PLC0415
    from auctionctl.keys.signing import SecretKey as AnyKey  # noqa: PLC0415
    from auctionctl.wire.listing import Entropy, describe_terms  # noqa: PLC0415

    # Sealed to a key of nobody's: the house's own is known only once it has answered.
    escrow = AnyKey(bytes(32)).escrow_public
    seller = secret.identity.signing
    entropy = Entropy(bytes(16), bytes(32), bytes(32))
    terms = describe_terms(lot, address.identity.signing, escrow, seller, entropy)
    if at.form.is_json:
        unknown = {"nonce", "reserve_commitment"}
        shown = {name: value for name, value in terms_record(terms).items() if name not in unknown}
        nothing = dict.fromkeys(("id", "is_new", "time_ns", "receipt"))
        common = {"listing": lot.listing, "item": lot.title, "house": address.text}
        write_document(SCHEMA, nothing | common | {"terms": shown})
        return
    facts = dict(terms_facts(Auction(bytes(32), terms, 0), {seller: "you"}))
    del facts["auction"]
    if lot.reserve_minor is not None:
        facts["reserve"] = f"{format_minor(lot.reserve_minor, lot.currency)}, which only the house is told"
    _write_facts(at, [("house", address.text), *facts.items()])
    write_note("nothing was signed or sent")


def _write_taken(at: AtHouse, offering: Offering, taken: Taken, quiet: bool) -> None:
    from auctionctl.cli.terms_words import terms_record  # noqa: PLC0415
    from auctionctl.tlog.entry import decode  # noqa: PLC0415

    auction, terms, house = taken.auction.hex(), taken.terms, offering.address.text
    if at.form.is_json:
        record = {
            "id": auction,
            "listing": terms.listing,
            "item": terms.lot.title,
            "house": house,
            "is_new": offering.is_new,
            "time_ns": decode(taken.evidence.entry).time_ns,
            "receipt": str(offering.receipt),
            "terms": terms_record(terms),
        }
        write_document(SCHEMA, record)
    elif quiet:
        write_line(auction)
    else:
        _write_facts(
            at,
            [
                ("auction", auction),
                ("listing", terms.listing),
                ("item", terms.lot.title),
                ("house", house),
                ("receipt", str(offering.receipt)),
            ],
        )
        if not offering.is_new:
            write_note("the house held this auction already; nothing was opened a second time")
        write_note(f"bidders take part with: auctionctl bid {terms.listing} --house {house} …")


def _write_facts(at: AtHouse, facts: list[tuple[str, str]]) -> None:
    if at.form is Form.TABLE:
        write_facts(facts)
        return
    for fact in facts:
        write_fields(fact)
