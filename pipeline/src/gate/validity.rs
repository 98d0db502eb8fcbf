//! Validity: the oracle is out of the candidate's reach.

use std::collections::BTreeSet;

use mappings::{SymbolPath, SymbolTable};
use reports::Verdict;
use reports::record::{Finding, GateRecord};

use super::record;

/// What a revision's units may touch.
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// The files of their symbols, and the lock.
    pub files: &'a BTreeSet<&'a str>,
    /// Their symbols.
    pub symbols: &'a BTreeSet<SymbolPath>,
    /// Whether a rename may follow references into other symbols and files.
    pub renames: bool,
    /// What the port declares its own, which nothing may change: not even as a part of a planned class.
    pub extensions: &'a BTreeSet<SymbolPath>,
}

/// What changed and may not: files outside the plan, symbols outside the plan, and above all tests and the
/// configuration. Code outside the plan may be new (helpers), never different.
pub fn intrusions(
    reach: Reach<'_>,
    changed: &[String],
    before: &SymbolTable,
    after: &SymbolTable,
) -> Vec<Finding> {
    let foreign = changed.iter().filter(|file| !reach.files.contains(file.as_str()) && !reach.renames);
    let files = foreign.map(|file| Finding {
        code: "file-outside-plan".to_owned(),
        text: format!("{file} was changed, and no unit of the plan is in it"),
    });
    let planned = |symbol: &SymbolPath| {
        reach.symbols.iter().any(|planned| {
            let (one, other) = (symbol.as_str(), planned.as_str());
            // What contains a planned symbol differs where that one does.
            one == other || is_inside(one, other) || is_inside(other, one)
        })
    };
    let differs = |symbol: &SymbolPath| {
        before.get(symbol).map(|symbol| symbol.hash) != after.get(symbol).map(|symbol| symbol.hash)
    };
    let known = before.symbols.values().chain(after.symbols.values().filter(|symbol| symbol.is_test));
    let foreign: BTreeSet<&SymbolPath> = known
        .map(|symbol| &symbol.path)
        .filter(|symbol| differs(symbol) && !planned(symbol) && !reach.renames)
        .collect();
    let symbols = foreign.into_iter().map(|symbol| Finding {
        code: "symbol-outside-plan".to_owned(),
        text: format!("{symbol} was changed, and no unit of the plan is about it"),
    });
    let own =
        reach.extensions.iter().filter(|symbol| differs(symbol) && !reach.renames).map(|symbol| Finding {
            code: "extension-edited".to_owned(),
            text: format!("{symbol} is declared an extension of the port, and was changed"),
        });
    let broken = after.unparsed.iter().filter(|(file, _)| !before.unparsed.contains_key(*file));
    let broken = broken.map(|(file, reason)| Finding {
        code: "file-broken".to_owned(),
        text: format!("{file} does not parse any more: {reason}"),
    });
    files.chain(symbols).chain(own).chain(broken).collect()
}

/// The gate's record.
pub fn validity(changed: &[String], findings: Vec<Finding>) -> GateRecord {
    let gate = if findings.is_empty() {
        let reason = format!(
            "{} changed, and nothing in them outside the plan",
            reports::count(changed.len() as u64, "file")
        );
        record("validity", Verdict::Pass, reason)
    } else {
        let reason = format!("{} changes outside the plan void the candidate", findings.len());
        record("validity", Verdict::Fail, reason)
    };
    GateRecord { findings, ..gate }
}

/// The record over a person's change: anything may change that leaves the lock true and the files readable.
pub fn standing_validity(changed: &[String], findings: Vec<Finding>) -> GateRecord {
    let gate = if findings.is_empty() {
        let files = reports::count(changed.len() as u64, "file");
        record("validity", Verdict::Pass, format!("{files} changed, and the lock agrees with both sides"))
    } else {
        let reason = format!(
            "the lock or a file cannot be relied on: {}",
            reports::count(findings.len() as u64, "finding")
        );
        record("validity", Verdict::Fail, reason)
    };
    GateRecord { findings, ..gate }
}

fn is_inside(symbol: &str, outer: &str) -> bool {
    symbol.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use mappings::{Symbol, SymbolKind};
    use upstream::ContentHash;

    use super::*;

    fn table(symbols: &[(&str, &str)]) -> SymbolTable {
        let symbol = |(path, text): &(&str, &str)| {
            let path = SymbolPath::new(*path).unwrap();
            let symbol = Symbol {
                path: path.clone(),
                kind: SymbolKind::Function,
                file: "p.py".to_owned(),
                line: 1,
                text: (*text).to_owned(),
                hash: ContentHash::of(text),
                decorators: Vec::new(),
                parameters: Vec::new(),
                mentions: upstream::Words::default(),
                is_test: path.as_str().starts_with("tests."),
            };
            (path, symbol)
        };
        SymbolTable { symbols: symbols.iter().map(symbol).collect(), ..SymbolTable::default() }
    }

    /// The codes of what is found when `p.f` is planned in `p.py`.
    fn codes(changed: &[&str], before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
        let files = BTreeSet::from(["p.py", "tidelock.lock"]);
        let symbols = BTreeSet::from([SymbolPath::new("p.f").unwrap()]);
        let extensions = BTreeSet::from([SymbolPath::new("p.f.own").unwrap()]);
        let reach = Reach { files: &files, symbols: &symbols, renames: false, extensions: &extensions };
        let changed: Vec<String> = changed.iter().map(|file| (*file).to_owned()).collect();
        intrusions(reach, &changed, &table(before), &table(after))
            .into_iter()
            .map(|finding| finding.text)
            .collect()
    }

    #[test]
    fn planned_changes_and_new_helpers_are_no_intrusion() {
        assert_eq!(codes(&["p.py"], &[("p.f", "1")], &[("p.f", "2"), ("p._helper", "3")]), [""; 0]);
    }

    #[test]
    fn an_extension_inside_what_is_planned_is_out_of_reach() {
        let before = [("p.f", "1"), ("p.f.own", "mine"), ("p.f.other", "1")];
        let told = codes(&["p.py"], &before, &[("p.f", "2"), ("p.f.own", "theirs"), ("p.f.other", "2")]);
        assert_eq!(told, ["p.f.own is declared an extension of the port, and was changed"]);
        assert_eq!(codes(&["p.py"], &before, &[("p.f", "2"), ("p.f.other", "1")]).len(), 1, "one that went");
        assert_eq!(codes(&["p.py"], &before, &[("p.f", "2"), ("p.f.own", "mine")]), [""; 0]);
    }

    #[test]
    fn a_changed_neighbour_a_changed_test_and_a_foreign_file_are() {
        assert_eq!(codes(&["p.py"], &[("p.g", "1")], &[("p.g", "2")]).len(), 1);
        assert_eq!(codes(&["p.py"], &[("p.g", "1")], &[]).len(), 1, "a symbol that went");
        assert_eq!(codes(&["p.py"], &[], &[("tests.t", "1")]).len(), 1, "a test that came");
        assert_eq!(codes(&["tidelock.toml"], &[], &[]).len(), 1);
    }
}
