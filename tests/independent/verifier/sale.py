"""The settlement of a sale."""


class Sale:
    """The settlement of a sale: who owes what, until when; best: amount and index of each bidder's last bid."""

    def __init__(self, rules, best, reserve):
        self.rules, self.best, self.reserve, self.excluded = rules, best, reserve, set()
        self.payment = self.offer = self.offered_to = self.by = None

    def owe(self, debtor, at, present):
        self.debtor, (self.price, self.bid_index), self.due = debtor, self.best[debtor], at + self.rules.due
        self.absent_since, self.rejected = None if debtor in present else at, False

    def exclude(self, bidder, at):
        self.excluded.add(bidder)
        self.by = at + self.rules.offer

    def next_bidder(self):
        left = [(*best, b) for b, best in self.best.items() if b not in self.excluded]
        amount, index, b = max(left, default=(0, 0, None))
        return (b, amount, index) if b and self.rules.on_default == "offer" and amount >= self.reserve else None

    def deadline(self):
        if self.absent_since is None or not self.rules.absence:
            return self.due
        return min(self.due, self.absent_since + self.rules.absence)

    def gap(self, pending, since, until):
        if not pending:
            self.by += until - since if self.by > since else 0
            return
        self.due += until - since if self.due > since else 0
        away = self.absent_since
        if away is not None and self.rules.absence and away + self.rules.absence > since:
            self.absent_since += max(0, until - max(since, away))
