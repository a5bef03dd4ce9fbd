"""The library: what a program does at a house, in a few typed, asynchronous calls; ``from auctionctl import connect``.

It is a layer of its own, between the commands and the network, which DESIGN.md section 4 does not have: whoever writes
a bidder in Python needs what ``bid`` has besides its words for people, and has to keep the same promises. So what is
kept on disk (:mod:`bid_journal`, :mod:`receipts`, :mod:`seen_logs`, :mod:`evidence`) lies here, where both use it; a
program and a command under one key know of one another's bids. Nothing here prints: warnings go to :mod:`logging`.
"""
