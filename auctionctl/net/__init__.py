"""Processes, sockets and clocks around the pure cores (DESIGN.md section 3).

``auctionctl serve`` is the :mod:`supervisor`; it starts the house (:mod:`daemon`), N verifiers and a gateway as
processes of their own (:mod:`child`), joined by Unix socket pairs (:mod:`pipes`) that it hands out and replaces over a
control socket (:mod:`control`). What they say to one another stands in a file for each hop, so that a process imports
no more than it needs and is there at once: :mod:`chunks`, :mod:`hops`; from and to the supervisor :mod:`child_words`,
:mod:`house_words`, :mod:`gateway_orders`, :mod:`gateway_words`. :mod:`dealer` is the other end: one connection of a
bidder or a board.

All bids of one auction take the same way through one verifier, so that their order of arrival is kept; a verifier or a
gateway that dies takes unanswered requests with it, and their senders send the same bytes again.
"""
