//! The lock of a port that has nothing yet.

use std::collections::BTreeMap;

use upstream::ItemPath;
use upstream::snapshot::Item;

use super::NOT_YET;
use crate::convention::is_test_function;
use crate::lock::{Adoption, Disposition, Lock, ParkedItem, RecordedRevision};
use crate::mapping::{PlaceError, Placement};

/// The lock of a port that was begun and has nothing yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct First {
    /// The lock: every item that has a place waits.
    pub lock: Lock,
    /// The file that each of these items goes to, in the port.
    pub files: BTreeMap<ItemPath, String>,
}

/// Makes the first lock. The symbols of the adoption are not looked at: there are none. What only helps the upstream's
/// tests does not wait; `hidden` says whether what the upstream does not export does.
pub fn first_lock(adoption: &Adoption<'_>, hidden: bool) -> Result<First, PlaceError> {
    let revision = &adoption.baseline.revision;
    let (mut parked, mut files) = (BTreeMap::new(), BTreeMap::new());
    for (path, item) in &adoption.baseline.items {
        let Placement::Mapped { symbol, file, .. } = adoption.mapping.place(item)? else { continue };
        let is_wanted = is_asked_for(item)
            && (hidden || item.is_test || adoption.mapping.needs_no_symbol(item).is_none());
        if !is_wanted {
            continue;
        }
        let waiting = ParkedItem {
            item: path.clone(),
            symbol,
            revision: revision.label.clone(),
            reason: NOT_YET.to_owned(),
        };
        parked.insert(path.clone(), waiting);
        files.insert(path.clone(), file);
    }
    let recorded = RecordedRevision {
        revision: revision.label.clone(),
        commit: revision.commit.clone(),
        disposition: Disposition::Adopted,
        reason: "the port was begun here".to_owned(),
    };
    let lock = Lock {
        source: adoption.source.to_owned(),
        baseline: revision.label.clone(),
        commit: revision.commit.clone(),
        links: BTreeMap::new(),
        revisions: vec![recorded],
        parked,
        held: BTreeMap::new(),
    };
    Ok(First { lock, files })
}

/// Whether a port is to have a symbol for it: any code, and of test code the tests themselves.
fn is_asked_for(item: &Item) -> bool {
    !item.is_test || is_test_function(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use crate::symbol::SymbolTable;
    use crate::testing::{function, path, private, snapshot, test_function, test_helper};

    fn begun(hidden: bool) -> Vec<String> {
        let baseline = snapshot(
            "1.0.0",
            [
                function("k::f", "1"),
                private(function("k::inner", "2")),
                function("k::ffi::raw", "3"),
                test_helper("k::tests::helper", "4"),
                test_function("k::tests::t", "5"),
                function("other::g", "6"),
            ],
        );
        let rules = "[[map]]\nitems = 'k::**'\nsymbol = 'p.{module}.{name}'\nfile = 'p/{module}.py'\n\
                     [[map]]\nitems = 'k::ffi::**'\nstrategy = 'ignore'\nreason = 'no C'\n";
        let mapping = Mapping::new(toml::from_str(rules).unwrap()).unwrap();
        let symbols = SymbolTable::default();
        let adoption = Adoption { source: "x", baseline: &baseline, mapping: &mapping, symbols: &symbols };
        let First { lock, files } = first_lock(&adoption, hidden).unwrap();
        assert!(lock.links.is_empty());
        assert_eq!(Lock::parse(&lock.render()).as_ref(), Ok(&lock), "it is one that can be read");
        assert_eq!(files[&path("k::f")], "p/__init__.py");
        assert!(lock.parked.values().all(|parked| parked.reason == NOT_YET));
        lock.parked.into_keys().map(|item| item.to_string()).collect()
    }

    #[test]
    fn all_that_has_a_place_waits_but_not_what_helps_tests() {
        assert_eq!(begun(true), ["k::f", "k::inner", "k::tests::t"]);
    }

    #[test]
    fn what_the_upstream_hides_waits_where_that_is_asked_for() {
        assert_eq!(begun(false), ["k::f", "k::tests::t"]);
    }
}
