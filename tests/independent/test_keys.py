"""Both programs take the same texts for identities, and the same signatures for true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auctionctl.errors import KeyTextError
from auctionctl.keys.encoding import decode_words, encode_words
from auctionctl.keys.signing import Identity


def test_the_same_texts_are_identities(book: Any, verifier: Any) -> None:
    words = decode_words(book.house.identity.text)[1]
    texts = [encode_words("auc", [*words[:-1], words[-1] ^ bits]) for bits in range(32)]
    texts += [encode_words(prefix, words) for prefix in ("auc", "auk", "aucc", "")]
    texts += [encode_words("auc", words[:-1]), encode_words("auc", [*words, 0]), texts[0].upper(), texts[0] + "\n", ""]
    texts += [texts[0][:at] + letter + texts[0][at + 1 :] for at in range(113) for letter in ("q", "b", "Q", "\u017f")]
    accepted = 0
    for text in texts:
        try:
            signing = Identity.from_text(text).signing
        except KeyTextError:
            with pytest.raises(ValueError, match=r"not an identity|of an identity"):
                verifier.identity_key(text)
        else:
            accepted += 1
            assert verifier.identity_key(text) == signing
    assert accepted >= 5


def test_the_same_signatures_hold(proofs: Any) -> None:
    lines = json.loads((Path(__file__).parents[1] / "vectors" / "keys.json").read_text())["ed25519"]
    for line in lines:
        parts = (bytes.fromhex(line[name]) for name in ("public", "message", "signature"))
        assert proofs.signed(*parts) is line["accepted"], line
    assert len(lines) > 10
