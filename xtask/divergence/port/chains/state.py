"""Values that change."""


class Till:
    """A till."""

    def __init__(self):
        self.coins = 0
        self.notes = 0

    def add(self, amount):
        if amount < 5:
            self.coins += fee(amount)
        else:
            self.notes += amount

    def worth(self):
        return self.coins + self.notes * 2


def taken(amounts):
    return filled(amounts).worth()


def filled(amounts):
    till = Till()
    for amount in amounts:
        till.add(amount)
    return till


def fee(amount):
    return amount + 1


class Purse:
    """A purse, which tells nobody what is in it."""

    def __init__(self):
        self.coins = 0

    def put(self, amount):
        self.coins += doubled(amount)
        return self.coins


def saved(amounts):
    return kept(amounts) + 1


def kept(amounts):
    purse = Purse()
    last = 0
    for amount in amounts:
        last = purse.put(amount)
    return last


def doubled(amount):
    return amount * 2
