"""The accounting of pauses: who is waited for, and how often and how long an auction may stand still."""


class Pauses:
    """Who is waited for, how often and how long; b is a bidder."""

    def __init__(self, rules):
        self.rules, self.absent, self.waits, self.waited, self.since, self.by_terms = rules, set(), {}, {}, {}, False
        self.count = self.spent = self.began = self.counted = self.needed = 0

    def may_wait(self, b):
        often, long = self.waits.get(b, 0), self.waited.get(b, 0)
        return often < self.rules.max_pauses_each and long < self.rules.max_pause_each

    def may_pause(self):
        return self.count < self.rules.max_pauses and self.spent < self.rules.max_pause

    def must_begin(self, below):
        wanted = {"continue": False, "pause_below_min_bidders": below, "pause": True}[self.rules.disconnection]
        return wanted and self.may_pause() and any(self.may_wait(b) for b in self.absent)

    def must_end(self, below):
        enough = self.rules.disconnection == "pause_below_min_bidders" and not below
        return self.by_terms and (enough or not self.since)

    def cap(self):
        in_all = self.counted + self.rules.max_pause - self.spent
        each = [since + self.rules.max_pause_each - self.waited.get(b, 0) for b, since in self.since.items()]
        return min(in_all, max([self.needed, *each])) if self.by_terms else in_all

    def wait(self, b, at):
        if self.may_wait(b):
            self.waits[b], self.since[b] = self.waits.get(b, 0) + 1, at

    def stop_waiting(self, b, at):
        if b in self.since:
            self.waited[b] = min(self.waited.get(b, 0) + at - self.since.pop(b), self.rules.max_pause_each)

    def back(self, b, at):
        self.absent.discard(b)
        if b in self.since:
            self.needed = max(self.needed, min(at, self.cap()))
        self.stop_waiting(b, at)

    def begin(self, at, by_terms):
        self.count, self.began, self.counted, self.by_terms = self.count + 1, at, at, by_terms
        self.needed = at
        for b in self.absent if by_terms else ():
            self.wait(b, at)

    def end(self, at):
        if self.since or not self.by_terms:
            at = min(at, self.cap())
        for b in list(self.since):
            self.stop_waiting(b, at)
        self.spent += at - self.counted
        return at - self.began

    def gap(self, since, until):
        self.counted += until - since
        for b, waiting in self.since.items():
            self.since[b] += max(0, until - max(since, waiting))
        self.needed += max(0, until - max(since, self.needed))
