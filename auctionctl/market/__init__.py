"""The market: auctions under a virtual clock, in one process, for whoever compares strategies or rules.

The rules, the strategies and the wallets are those of a real house and of real bidders: what stands here is only the
clock, the values and the sums. What a house has besides is left out, for it changes no price: signatures, the log, the
network. So nothing here proves anything to anybody; it says what would happen, not what did.
"""
