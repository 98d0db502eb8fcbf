//! Where an item belongs that no rule speaks of, by the `[convention]`.

use std::collections::{BTreeMap, BTreeSet};

use upstream::snapshot::Item;

use super::config::ConventionConfig;
use super::error::{MappingError, PlaceError};
use super::placement::{Ground, Placement};
use super::rule::{Templates, checked_file, checked_symbol};
use crate::convention::{self, Target, port_names, safe};
use crate::symbol::SymbolPath;
use crate::unit::SkipReason;

/// A checked convention.
#[derive(Debug, Clone)]
pub(super) struct CheckedConvention {
    package: SymbolPath,
    root: String,
    tests: String,
    /// The modules of the port that are packages.
    packages: BTreeSet<Vec<String>>,
    /// Modules of the upstream with those of the port that take their items.
    merge: BTreeMap<Vec<String>, Vec<String>>,
}

impl CheckedConvention {
    pub(super) fn new(config: &ConventionConfig) -> Result<Self, MappingError> {
        let invalid = |reason| MappingError::Path { rule: "[convention]".to_owned(), reason };
        let folder = |text: &str| match text.trim_end_matches('/') {
            "" | "." => Ok(String::new()),
            folder => checked_file(folder).map(|()| format!("{folder}/")).map_err(invalid),
        };
        let package = checked_symbol(&config.package).map_err(invalid)?;
        let merge = config.merge.iter().map(|(from, to)| Ok((module(from)?, module(to)?)));
        let packages = config.packages.iter().map(|name| module(name));
        Ok(Self {
            package,
            root: folder(&config.root)?,
            tests: folder(&config.tests)?,
            packages: packages.collect::<Result<_, _>>().map_err(invalid)?,
            merge: merge.collect::<Result<_, _>>().map_err(invalid)?,
        })
    }

    pub(super) fn place(&self, item: &Item) -> Result<Placement, PlaceError> {
        let unmapped = |reason: String| {
            Ok(Placement::Skipped { why: SkipReason::Unmapped, reason, rule: Ground::Convention })
        };
        if let (_, Target::Other(target)) = convention::split_target(item.path.krate()) {
            return unmapped(format!("the convention covers libraries and tests, not `{target}`"));
        }
        let mut names = port_names(item);
        let (symbol, file) = if item.is_test {
            // One flat folder of test files, as pytest has it.
            let last = self.package.name().to_owned();
            let module = if names.module.is_empty() { last } else { names.module.join("_") };
            names.module = vec![format!("test_{module}")];
            (format!("{}.{{module}}.{{name}}", self.tests.replace('/', ".")), self.tests.clone())
        } else {
            let package = self.package.as_str();
            if let Some(module) = self.merge.get(&names.module) {
                names.module.clone_from(module);
            }
            (format!("{package}.{{module}}.{{name}}"), format!("{}{}/", self.root, package.replace('.', "/")))
        };
        let is_package = !item.is_test && self.packages.contains(&names.module);
        let ending = if is_package { "{module}/__init__.py" } else { "{module}.py" };
        let templates = Templates::parse(&symbol, &format!("{file}{ending}"));
        let templates = templates.map_err(|(_, reason)| PlaceError::Invalid {
            item: item.path.clone(),
            ground: Ground::Convention,
            place: symbol,
            reason,
        })?;
        match templates.symbol.symbol(&names) {
            Ok(_) => templates.fill(&names, item, Ground::Convention),
            Err(reason) => unmapped(reason),
        }
    }
}

/// The segments of a module below the crate, as the port writes them; none for the root.
fn module(text: &str) -> Result<Vec<String>, String> {
    let segments: Vec<String> = text.split("::").filter(|_| !text.is_empty()).map(safe).collect();
    match segments.iter().find(|segment| !convention::is_identifier(segment)) {
        Some(_) => Err(format!("`{text}` is not a module: write its path below the crate, such as `a::b`")),
        None => Ok(segments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::{Mapping, MappingConfig};
    use crate::testing::{function, method, test_function};

    fn mapping(more: &str) -> Result<Mapping, MappingError> {
        let config: MappingConfig =
            toml::from_str(&format!("[convention]\npackage = 'p'\n{more}\n")).unwrap();
        Mapping::new(config)
    }

    fn place(mapping: &Mapping, item: &Item) -> String {
        match mapping.place(item).unwrap() {
            Placement::Mapped { symbol, file, .. } => format!("{symbol} {file}"),
            Placement::Skipped { reason, .. } => reason,
        }
    }

    #[test]
    fn modules_with_others_below_them_are_packages_and_small_ones_stand_elsewhere() {
        let mapping = mapping("packages = ['a']\nmerge = { 'a::b' = 'a', c = '', 'd::e' = 'd' }").unwrap();
        let placed = |path| place(&mapping, &function(path, ""));
        assert_eq!(placed("k::a::f"), "p.a.f p/a/__init__.py");
        assert_eq!(placed("k::a::b::g"), "p.a.g p/a/__init__.py");
        assert_eq!(placed("k::a::z::g"), "p.a.z.g p/a/z.py");
        assert_eq!(placed("k::c::h"), "p.h p/__init__.py");
        assert_eq!(placed("k::d::e::h"), "p.d.h p/d.py");
        assert_eq!(place(&mapping, &method("k::c::Type::go", "")), "p.Type.go p/__init__.py");
        let test = test_function("k::a::tests::works", "");
        assert_eq!(place(&mapping, &test), "tests.test_a.test_works tests/test_a.py");
    }

    #[test]
    fn what_is_no_module_is_refused_with_what_to_write() {
        for wrong in ["packages = ['a/b']", "merge = { 'a' = 'b::' }", "merge = { '3' = '' }"] {
            let error = mapping(wrong).unwrap_err().to_string();
            assert!(error.contains("is not a module"), "{wrong}: {error}");
        }
    }
}
