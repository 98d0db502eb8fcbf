//! Values that change.

/// A till.
#[derive(Debug)]
pub struct Till {
    coins: u32,
    notes: u32,
}

impl Till {
    pub fn new() -> Self {
        Till { coins: 0, notes: 0 }
    }
    pub fn add(&mut self, amount: u8) {
        if amount < 5 {
            self.coins += fee(amount);
        } else {
            self.notes += u32::from(amount);
        }
    }
    pub fn worth(&self) -> u32 {
        self.coins + self.notes * 2
    }
}

/// Methods of a value.
pub fn taken(amounts: &[u8]) -> u32 {
    filled(amounts).worth()
}
pub fn filled(amounts: &[u8]) -> Till {
    let mut till = Till::new();
    for amount in amounts {
        till.add(*amount);
    }
    till
}
pub fn fee(amount: u8) -> u32 {
    u32::from(amount) + 1
}

/// A purse, which tells nobody what is in it.
pub struct Purse {
    coins: u32,
}

impl Purse {
    pub fn new() -> Self {
        Purse { coins: 0 }
    }
    pub fn put(&mut self, amount: u8) -> u32 {
        self.coins += doubled(amount);
        self.coins
    }
}

/// Methods of a value that cannot be looked at.
pub fn saved(amounts: &[u8]) -> u32 {
    kept(amounts) + 1
}
pub fn kept(amounts: &[u8]) -> u32 {
    let mut purse = Purse::new();
    let mut last = 0;
    for amount in amounts {
        last = purse.put(*amount);
    }
    last
}
pub fn doubled(amount: u8) -> u32 {
    u32::from(amount) * 2
}
