"""A bidder without a socket: what to bid, with which money, how to insist on answers (DESIGN.md sections 2, 6, 8).

:mod:`wallet` holds one budget over all auctions; :mod:`strategy` says what a strategy is given and may answer, and
:mod:`strategies` holds those that come along; :mod:`answers` checks what a house answers; :mod:`seat` is the place in
one auction; :mod:`agent` drives them over one session. No clock, socket, file or thread in here; chance is handed in.

Two decisions that the design left open are taken here:

* an unanswered or rejected bid is released on evidence, not on our own watch: a receipt may be late, so a bid counts as
  void once everything that the house accepted until ``not_after`` is known, by the times of verified entries or of
  rejections that the house signed;
* the wallet follows the verified log alone. A receipt is checked and reported, and frees nothing.
"""
