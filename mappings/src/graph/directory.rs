//! Whom a name means, looked up rather than searched for.
//!
//! In a port with 3,000 files thousands of methods are called `new` or `__init__`, and tens of thousands of texts mention
//! them. Every mention asks the same in turn: who of that name stands in the caller's type, in its module, beside a type
//! that the caller mentions, or alone. So the candidates are sorted by that beforehand.

use std::borrow::Cow;

use foldhash::{HashMap, HashMapExt as _};

use super::named::Named;

/// The names of each crate, or of a port.
pub(super) struct Directory<'n, 'a, Key> {
    all: &'n [Named<'a, Key>],
    crates: HashMap<&'n str, HashMap<&'n str, Entry<'n>>>,
}

/// What a word is in a crate.
#[derive(Default)]
struct Entry<'n> {
    /// Whom it may name, by their places among all.
    pool: Pool<'n>,
    /// Whether members stand in a type of this name.
    owns: bool,
}

/// Candidates of one name.
#[derive(Default)]
enum Pool<'n> {
    #[default]
    Nobody,
    /// Mostly a name is one's alone.
    One(usize),
    /// Several, as code that runs sees them, which never calls a test, and as tests see them.
    Several(Box<[Sorted<'n>; 2]>),
}

/// Several candidates of one name, by what tells them apart.
#[derive(Default)]
struct Sorted<'n> {
    all: Vec<usize>,
    /// Whether they are variants of one.
    are_one: bool,
    by_module: HashMap<&'n str, Vec<usize>>,
    by_owner: HashMap<&'n str, Vec<usize>>,
    /// Those in no type, where they are variants of one.
    free: Vec<usize>,
}

impl<'n, 'a, Key> Directory<'n, 'a, Key> {
    pub(super) fn of(all: &'n [Named<'a, Key>]) -> Self {
        let mut named: HashMap<(&str, &str), Vec<usize>> = HashMap::with_capacity(all.len());
        let mut crates: HashMap<&str, HashMap<&str, Entry<'_>>> = HashMap::new();
        for (at, candidate) in all.iter().enumerate() {
            named.entry((&candidate.krate, candidate.name)).or_default().push(at);
            if let Some(owner) = &candidate.owner {
                crates.entry(&candidate.krate).or_default().entry(owner.as_ref()).or_default().owns = true;
            }
        }
        for candidate in all {
            // With the first of a name come the others.
            let Some(candidates) = named.remove(&(candidate.krate.as_ref(), candidate.name)) else {
                continue;
            };
            let pool = if let [only] = candidates[..] {
                Pool::One(only)
            } else {
                let runs = candidates.iter().filter(|at| all.get(**at).is_some_and(|one| !one.is_test));
                let runs = Sorted::of(runs.copied().collect(), all);
                Pool::Several(Box::new([runs, Sorted::of(candidates, all)]))
            };
            crates.entry(&candidate.krate).or_default().entry(candidate.name).or_default().pool = pool;
        }
        Self { all, crates }
    }

    /// What one caller is told by.
    pub(super) fn seeker<'d>(&'d self, caller: &'d Named<'a, Key>) -> Seeker<'d, 'n, 'a, Key> {
        let names = self.crates.get(caller.krate.as_ref());
        let looked_up = |word: &'d str| (word, names.and_then(|names| names.get(word)));
        let words: Vec<_> = caller.mentions.iter().map(looked_up).collect();
        let owns = |entry: &Entry<'_>| entry.owns;
        let owners =
            words.iter().filter(|(_, entry)| entry.is_some_and(owns)).map(|(word, _)| *word).collect();
        Seeker { all: self.all, caller, words, owners }
    }
}

impl<'n> Sorted<'n> {
    fn of<Key>(candidates: Vec<usize>, all: &'n [Named<'_, Key>]) -> Self {
        let mut sorted = Self { are_one: are_one(&candidates, all), ..Self::default() };
        for at in &candidates {
            let Some(candidate) = all.get(*at) else { continue };
            sorted.by_module.entry(&candidate.module).or_default().push(*at);
            match &candidate.owner {
                Some(owner) => sorted.by_owner.entry(owner).or_default().push(*at),
                None => sorted.free.push(*at),
            }
        }
        if !are_one(&sorted.free, all) {
            sorted.free.clear();
        }
        Self { all: candidates, ..sorted }
    }
}

/// Whether a caller has a word behind a module wherever it has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Everywhere {
    Yes,
    No,
}

/// One caller, and the types that it mentions.
pub(super) struct Seeker<'d, 'n, 'a, Key> {
    all: &'n [Named<'a, Key>],
    caller: &'d Named<'a, Key>,
    /// The words of the caller's text, each with what it is in its crate.
    words: Vec<(&'d str, Option<&'d Entry<'n>>)>,
    /// The words of the caller's text that types with members are called.
    owners: Vec<&'d str>,
}

impl<Key> Seeker<'_, '_, '_, Key> {
    /// Whom the caller means by each word of its text, by their places among all; nobody where that cannot be told.
    pub(super) fn meant(&self) -> impl Iterator<Item = (&str, Cow<'_, [usize]>)> {
        self.words.iter().map(|(word, entry)| (*word, self.meant_by(word, *entry)))
    }

    fn meant_by<'s>(&'s self, word: &str, entry: Option<&'s Entry<'_>>) -> Cow<'s, [usize]> {
        let nobody = Cow::Borrowed(&[][..]);
        match entry.map(|entry| &entry.pool) {
            None | Some(Pool::Nobody) => nobody,
            Some(Pool::One(at)) => {
                let may_call = |candidate: &Named<'_, Key>| self.caller.is_test || !candidate.is_test;
                let is_callable = self.all.get(*at).is_some_and(may_call);
                if is_callable { Cow::Borrowed(std::slice::from_ref(at)) } else { nobody }
            }
            Some(Pool::Several(pools)) => {
                let [runs, with_tests] = &**pools;
                let sorted = if self.caller.is_test { with_tests } else { runs };
                match self.behind_modules(word, sorted) {
                    (_, named) if named.is_empty() => self.among(sorted),
                    (Everywhere::No, mut named) => {
                        named.extend(self.among(sorted).iter());
                        named.sort_unstable();
                        named.dedup();
                        Cow::Owned(named)
                    }
                    (Everywhere::Yes, named) => Cow::Owned(named),
                }
            }
        }
    }

    /// Those in no type that the caller names by their modules, as `rfc2822::parse` does, and whether it names so
    /// whatever it means by the word.
    fn behind_modules(&self, word: &str, sorted: &Sorted<'_>) -> (Everywhere, Vec<usize>) {
        let is_free = |at: &&usize| self.all.get(**at).is_some_and(|candidate| candidate.owner.is_none());
        let free: Vec<usize> = sorted.all.iter().filter(is_free).copied().collect();
        let (mut everywhere, mut named) = (Everywhere::Yes, Vec::new());
        if free.is_empty() {
            return (everywhere, named);
        }
        for front in self.caller.in_front_of(word) {
            let is_in = |at: &&usize| {
                let module = self.all.get(**at).map(Named::last_of_module);
                module.is_some_and(|module| !module.is_empty() && front == Some(module))
            };
            let before = named.len();
            named.extend(free.iter().filter(is_in));
            if named.len() == before {
                everywhere = Everywhere::No;
            }
        }
        (everywhere, named)
    }

    /// Those in the caller's own type, else in its module, else in the whole crate.
    fn among<'s>(&self, sorted: &'s Sorted<'_>) -> Cow<'s, [usize]> {
        if let Some(in_module) = sorted.by_module.get(self.caller.module.as_ref()) {
            let is_of_type = |at: &&usize| {
                let owner = self.all.get(**at).and_then(|candidate| candidate.owner.as_ref());
                owner.is_some() && owner == self.caller.owner.as_ref()
            };
            let in_type: Vec<usize> = in_module.iter().filter(is_of_type).copied().collect();
            for near in [&in_type, in_module] {
                let meant = self.distinguish(near);
                if !meant.is_empty() {
                    return Cow::Owned(meant);
                }
            }
        }
        if sorted.are_one {
            return Cow::Borrowed(&sorted.all);
        }
        let of_mentioned = self.owners.iter().filter_map(|owner| sorted.by_owner.get(owner));
        let of_mentioned: Vec<usize> = of_mentioned.flatten().copied().collect();
        if of_mentioned.is_empty() { Cow::Borrowed(&sorted.free) } else { Cow::Owned(of_mentioned) }
    }

    /// Of several candidates, those whose type the caller mentions too, or the one that has no type.
    fn distinguish(&self, candidates: &[usize]) -> Vec<usize> {
        if are_one(candidates, self.all) {
            return candidates.to_vec();
        }
        let owner = |at: &usize| self.all.get(*at).and_then(|candidate| candidate.owner.as_deref());
        let is_mentioned = |at: &&usize| owner(at).is_some_and(|owner| self.owners.contains(&owner));
        let of_mentioned: Vec<usize> = candidates.iter().filter(is_mentioned).copied().collect();
        if !of_mentioned.is_empty() {
            return of_mentioned;
        }
        let free: Vec<usize> = candidates.iter().filter(|at| owner(at).is_none()).copied().collect();
        if are_one(&free, self.all) { free } else { Vec::new() }
    }
}

/// Whether all candidates are one item, variants of it counted once.
fn are_one<Key>(candidates: &[usize], all: &[Named<'_, Key>]) -> bool {
    let base = |at: &usize| all.get(*at).map(|candidate| candidate.base);
    candidates.windows(2).all(|pair| matches!(pair, [one, other] if base(one) == base(other)))
}
