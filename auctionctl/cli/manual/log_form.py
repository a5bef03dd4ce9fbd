"""Of auctionctl-log(5): the file and everything around its entries: identity text, notes, tree, proofs, receipts.

Rule: every number that the code holds as a constant is taken from it.
"""

from __future__ import annotations

from typing import Final

from auctionctl.cli.manual.roff import Code, Definitions, Heading, Paragraph, Part, Subheading
from auctionctl.cli.manual.shapes import number_text
from auctionctl.cli.verify import MAX_FILE_BYTES
from auctionctl.keys.encoding import PUBLIC_PREFIX
from auctionctl.replica.export import HEADER
from auctionctl.tlog.checkpoint import MAX_ORIGIN_BYTES
from auctionctl.tlog.merkle import MAX_PROOF_HASHES, SIZE_LIMIT
from auctionctl.tlog.note import MAX_HEADS, MAX_NOTE_BYTES, MIN_HEADS
from auctionctl.tlog.proof import HEADER as PROOF_HEADER
from auctionctl.tlog.proof import MAX_EXTRA_BYTES, MAX_PROOF_CHARACTERS

FILE_FORM: Final = f"""\
{HEADER.decode()}
NUMBER OF ENTRIES
BASE64 OF ENTRY 0
BASE64 OF ENTRY 1
...
(empty line)
SIGNED NOTE OF THE CHECKPOINT
(empty line)
PROOF OF THE ANNOUNCEMENT
"""

CHECKPOINT_FORM: Final = """\
ORIGIN
SIZE
BASE64 OF THE ROOT
(empty line)
\N{EM DASH} ORIGIN BASE64 OF THE SIGNATURE BLOB
"""

PROOF_FORM: Final = f"""\
{PROOF_HEADER}
extra BASE64
index DECIMAL
BASE64 OF A HASH OF 32 BYTES
...
(empty line)
SIGNED NOTE OF THE CHECKPOINT
"""


def file_parts() -> tuple[Part, ...]:
    """The export file."""
    return (
        Heading("The file"),
        Code(FILE_FORM),
        Paragraph(
            "Lines end with one byte 0A. There is no byte that is not accounted for here: one log under one checkpoint"
            " has exactly one file. It is cut up like this, in this order; what does not fit is `format`. `auctionctl"
            f" verify` reads files of at most {number_text(MAX_FILE_BYTES)} bytes: it has no verdict on larger ones."
        ),
        Definitions(
            (
                (
                    "head",
                    "What stands before the first two newlines in a row. Cut at its newlines, it has at least three"
                    f" lines: `{HEADER.decode()}`, the number of the lines after this one in its decimal form (no"
                    " sign, no leading zero), and that many entries.",
                ),
                (
                    "entries",
                    "Each line is standard base64 (RFC 4648 section 4: `+`, `/`, padding `=`) in its strict form:"
                    " decoded and encoded again it gives the same characters, so that the unused bits of the last"
                    " character are zero.",
                ),
                (
                    "rest",
                    f"What follows those two newlines. If it holds a newline, a newline, `{PROOF_HEADER}` and a"
                    " newline,"
                    " it is cut at the first such place: the note is what stands before, with the first of the two"
                    " newlines (which ends its last line); the announcement is what follows the second."
                    " Otherwise all of it is the note, and there is no announcement: that is the form of a registry.",
                ),
            )
        ),
    )


def identity_parts() -> tuple[Part, ...]:
    """The text of public keys."""
    return (
        Heading("Identities"),
        Paragraph(
            "A party is known by 64 bytes: its Ed25519 public key (the `signing` key, by which it stands in all"
            " entries) and then its Curve25519 public key (`transport`). As text it is bech32m (BIP-350) under the"
            f" human-readable part `{PUBLIC_PREFIX}`, in lower case, exactly 113 characters:"
            f" `{PUBLIC_PREFIX}1`, 103 characters of data, 6 of checksum. The limit of 90 characters of BIP-173 does"
            " not"
            " hold."
        ),
        Paragraph(
            "The data are the 512 bits, first bit first, in groups of 5; the last 3 bits of the last group are padding"
            " and must be zero. A group of value 0 to 31 is a character of"
            " `qpzry9x8gf2tvdw0s3jn54khce6mua7l`. The checksum is that of BIP-173 with the constant `0x2bc830a3` in"
            " place"
            " of 1: the polymod over the human-readable part expanded (each character's upper 3 bits; 0; each"
            " character's"
            " lower 5 bits), the data and the checksum must be that constant. The generators are `0x3b6a57b2`,"
            " `0x26508e6d`, `0x1ea119fa`, `0x3d4233dd` and `0x2a1462b3`. Text in another case, of another length, with"
            " another character or other padding is refused. Of the 64 bytes nothing is asked: a signing key that is no"
            " point of the curve has signed nothing."
        ),
    )


def tree_parts() -> tuple[Part, ...]:
    """The Merkle tree and its proofs."""
    return (
        Heading("The tree"),
        Paragraph(
            "The tree is that of RFC 6962 section 2.1 (RFC 9162 is the same). H is SHA-256 and | joins bytes. The root"
            " of no entries is H of nothing. The root of one entry is H(00 | entry), where `entry` is its canonical"
            " bytes. The root of n > 1 entries is H(01 | left | right): with k the largest power of two that is less"
            " than n, `left` is the root of the first k entries and `right` that of the others. So a tree of 9"
            " is a complete tree of 8 beside a single leaf."
        ),
        Subheading("Inclusion proofs"),
        Paragraph(
            "A proof is hashes of 32 bytes, the leaf's sibling first. To check that a leaf (its hash) is number"
            " `index`, from 0, of `size` under `root` (RFC 9162 section 2.1.3.2):"
        ),
        Code(
            "refuse unless 0 <= index < size\n"
            "node, at, last = leaf hash, index, size - 1\n"
            "for each hash p of the proof:\n"
            "    refuse if last == 0\n"
            "    if at is odd or at == last:\n"
            "        node = H(01 | p | node)\n"
            "        while at is even and at != 0: at, last = at >> 1, last >> 1\n"
            "    else:\n"
            "        node = H(01 | node | p)\n"
            "    at, last = at >> 1, last >> 1\n"
            "it holds if last == 0 and node == root"
        ),
    )


def checkpoint_parts() -> tuple[Part, ...]:
    """Signed notes, in both forms."""
    return (
        Heading("Checkpoints"),
        Paragraph(
            "A checkpoint says how many entries a log has and what their root is. It is a C2SP tlog-checkpoint"
            " (https://c2sp.org/tlog-checkpoint) without extension lines, in a C2SP signed note"
            " (https://c2sp.org/signed-note) with exactly one signature line:"
        ),
        Code(CHECKPOINT_FORM),
        Definitions(
            (
                (
                    "origin",
                    "‹HOUSE›`/auction/`‹ID› or ‹HOUSE›`/registry`. ‹HOUSE› is the identity of the house in text, ‹ID›"
                    " the"
                    " 64 lower-case hexadecimal digits of the auction's id, the SHA-256 of its terms as signed. It"
                    f" holds no space, plus sign or control character, and at most {MAX_ORIGIN_BYTES} bytes."
                    " It is the name of the key in the signature line, too.",
                ),
                (
                    "size",
                    f"A decimal number without leading zeros, below {number_text(SIZE_LIMIT)}.",
                ),
                ("root", "32 bytes in strict base64."),
                (
                    "signature line",
                    "U+2014 (bytes E2 80 94), a space, the origin, a space, strict base64 of the blob, a newline."
                    " The blob begins with 4 bytes of key ID, and its length says in which of two forms it is signed.",
                ),
            )
        ),
        Paragraph(
            f"The note is at most {MAX_NOTE_BYTES} bytes of UTF-8 and holds no control character (U+0000 to U+001F,"
            " U+007F"
            " to U+009F) but the newline. It is cut at its last two newlines in a row: what is before, with the first"
            " of"
            " the two, is the `text`, of three lines; what is after is the one signature line. Where any of this does"
            " not hold, the word is `checkpoint`, or `announcement` for the note within the announcement."
        ),
        Subheading("Signed alone"),
        Paragraph(
            "The blob has 68 bytes: key ID and an Ed25519 signature of `text`, without any prefix. The key ID is the"
            " first 4 bytes of H(origin | 0A | 01 | signing key of the house). Any C2SP verifier can check it."
        ),
        Subheading("Signed together with others"),
        Paragraph(
            "A house that adds to many logs at once signs for all of them with one signature. The blob is, in order:"
            " key ID (4 bytes); `index` and `count` (4 bytes each, big-endian); a proof of k hashes of 32 bytes; an"
            f" Ed25519 signature (64 bytes); so 76 + 32 k bytes, with k from 1 to {(MAX_HEADS - 1).bit_length()}."
            f" {MIN_HEADS} <= count <= {MAX_HEADS} and index < count. The key ID is the first 4 bytes of H(origin |"
            " 0A | FF | `auctionctl/heads/v1` | signing key of the house)."
        ),
        Paragraph(
            "The `text` of each of the checkpoints is a leaf of a tree as above. From the leaf hash H(00 | text),"
            " index,"
            " count and proof follows a root, as below; the proof must be used up exactly. The signature is over 56"
            " bytes: `auctionctl/heads/v1`, a byte 00, count (4 bytes, big-endian), that root."
        ),
        Code(
            "node, at, last = H(00 | text), index, count - 1\n"
            "while last != 0:\n"
            "    if at is odd:     node = H(01 | next hash of the proof | node)\n"
            "    elif at < last:   node = H(01 | node | next hash of the proof)\n"
            "    at, last = at >> 1, last >> 1\n"
            "refuse unless no hash of the proof is left\n"
            "root = node"
        ),
        Paragraph("A file may hold its checkpoint in either form; a verifier takes both."),
    )


def announcement_parts() -> tuple[Part, ...]:
    """The proof that the registry announces the auction."""
    return (
        Heading("The announcement"),
        Paragraph(
            "A house keeps a log of its own, the registry, in which it announces each auction once. That is proved by"
            " a C2SP tlog-proof (https://c2sp.org/tlog-proof), which is the third part of the file:"
        ),
        Code(PROOF_FORM),
        Paragraph(
            "`extra` holds bytes, here the entry of the registry, and is a line only if there are any; `index` is the"
            " place of that entry; then comes its inclusion proof, a hash a line, and, after an empty line, the note"
            " of a"
            " checkpoint, to the end of the file. All base64 is strict, all numbers are decimal without leading zeros"
            f" and below {number_text(SIZE_LIMIT)}. There are at most {MAX_PROOF_HASHES} hashes, {MAX_EXTRA_BYTES}"
            " bytes of"
            f" extra, {MAX_NOTE_BYTES} bytes of note and {MAX_PROOF_CHARACTERS} characters in all. Written anew from"
            " what"
            " was read, the text must be the same. Then, each of them `announcement`:"
        ),
        Definitions(
            (
                ("1", "The checkpoint is signed by the house, under the origin ‹HOUSE›`/registry`, in either form."),
                ("2", "The proof leads from H(00 | extra), at `index`, to the checkpoint's root of `size` entries."),
                ("3", "`extra` is a canonical entry, and its body one of the registry: see below."),
                ("4", "`size` is `index` + 1: it is the checkpoint that ends with the announcement."),
                ("5", "The entry is of kind `announced`, and its signature is empty."),
                ("6", "The body names this auction's id, and the seller and the listing that stand in its terms."),
                ("7", "The entry's time is that of entry 0 of the auction's log."),
            )
        ),
    )


def receipt_parts() -> tuple[Part, ...]:
    """What ``verify`` does with a receipt."""
    return (
        Heading("Receipts"),
        Paragraph(
            f"`auctionctl verify` takes the receipt of whatever a participant signed as well: a file that begins with"
            f" `{PROOF_HEADER.partition('@')[0]}@`. It is a tlog-proof as above whose `extra` is the participant's"
            " entry and whose checkpoint is of the auction's log. Checked are, in this order: the form (`format`); the"
            " house in the origin (`checkpoint`, or `format` if it is none); that there is an entry in it (`format`);"
            " the note (for which there is no word); the inclusion (`inclusion`); the entry (without a word, too);"
            " that the entry is of a kind that participants sign (`format`); its body, as a signed one (`entry`); its"
            " signature (`signature`); that it is of the auction that the origin names (`wrong_auction`). No rule of"
            " the auction is checked: that takes the log."
        ),
    )
