"""Whatever bytes a decoder is given, one of its documented errors comes of it, or what it accepts is canonical.

A failure names its input as SEED:BLOCK:NUMBER, and ``python tests/fuzz/replay_input.py TARGET SEED:BLOCK:NUMBER`` makes
it again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest
from mutator import BLOCK, Mutator
from replay_input import judge, mutator_of
from targets import TARGETS, Malleable, Target

SEED = int(os.environ.get("AUCTIONCTL_FUZZ_SEED", "20261127"))
SOAK_INPUTS = 5_000_000
MOST_REMEMBERED = 150_000
"""Inputs that are known again. Of small seeds more than half of what comes has come before."""


@pytest.fixture(scope="module")
def said(say_at_the_end: Callable[[str], None]) -> Iterator[list[str]]:
    lines: list[str] = []
    yield lines
    say_at_the_end(f"damaged inputs of {len(lines)} decoders, seed {SEED}: {'; '.join(lines)}")


def run(name: str, inputs: int) -> str:
    """Judge so many inputs, each text of them once, for a decoder remembers nothing; returns what is said of them."""
    target = TARGETS[name]
    mutator = mutator_of(name)
    started_s = time.perf_counter()
    accepted = judged = 0
    seen: set[bytes] = set()
    for block in range(inputs // BLOCK):
        if len(seen) > MOST_REMEMBERED:
            seen.clear()
        for number, data in enumerate(mutator.block(SEED, block)):
            if data in seen:
                continue
            seen.add(data)
            judged += 1
            try:
                accepted += target.check(data)
            except target.errors:
                pass
            except BaseException as error:
                place = f"{SEED}:{block}:{number}"
                raise AssertionError(f"{name}, input {place}: {type(error).__name__} of {data!r}") from error
    took_us = (time.perf_counter() - started_s) / inputs * 1e6
    return f"{name} {inputs:,} ({judged:,} judged, {accepted:,} accepted, {took_us:.0f} µs each)"


@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors_come_out_and_what_is_accepted_is_canonical(said: list[str], name: str) -> None:
    said.append(run(name, TARGETS[name].inputs))


@pytest.mark.soak
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", TARGETS)
def test_millions_of_inputs_bring_nothing_else(said: list[str], name: str) -> None:
    said.append(run(name, SOAK_INPUTS))


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_accepted_as_it_is(name: str) -> None:
    target = TARGETS[name]
    if name not in ("frames", "config.toml and contexts.toml"):
        assert all(target.check(seed) for seed in target.seeds())


def test_the_same_numbers_make_the_same_input() -> None:
    mutator, again = mutator_of("entries"), mutator_of("entries")
    block = list(mutator.block(7, 3))
    assert block == list(again.block(7, 3))
    assert again.find(7, 3, 500) == block[500]
    assert len(set(block)) > BLOCK * 0.8
    assert block != list(mutator.block(8, 3))


def test_a_decoder_that_takes_two_forms_of_one_thing_would_be_found() -> None:
    def careless(data: bytes) -> bool:
        if data.strip() != data:
            raise Malleable("blanks are passed over")
        return True

    mutator = Mutator([b"a b"], is_text=True)
    target = Target(careless, (), lambda: [b"a b"])
    verdicts = {judge(target, data) for data in mutator.block(1, 1)}
    assert verdicts == {"accepted", "Malleable: blanks are passed over"}
