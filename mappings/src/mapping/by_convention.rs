//! Where an item belongs that no rule speaks of, by the `[convention]`.

use upstream::snapshot::Item;

use super::config::ConventionConfig;
use super::error::{MappingError, PlaceError};
use super::placement::{Ground, Placement};
use super::rule::{Templates, checked_file, checked_symbol};
use crate::convention::{self, Target, port_names};
use crate::symbol::SymbolPath;
use crate::unit::SkipReason;

/// A checked convention.
#[derive(Debug, Clone)]
pub(super) struct CheckedConvention {
    package: SymbolPath,
    root: String,
    tests: String,
}

impl CheckedConvention {
    pub(super) fn new(config: &ConventionConfig) -> Result<Self, MappingError> {
        let invalid = |reason| MappingError::Path { rule: "[convention]".to_owned(), reason };
        let folder = |text: &str| match text.trim_end_matches('/') {
            "" | "." => Ok(String::new()),
            folder => checked_file(folder).map(|()| format!("{folder}/")).map_err(invalid),
        };
        let package = checked_symbol(&config.package).map_err(invalid)?;
        Ok(Self { package, root: folder(&config.root)?, tests: folder(&config.tests)? })
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
            (format!("{package}.{{module}}.{{name}}"), format!("{}{}/", self.root, package.replace('.', "/")))
        };
        let templates = Templates::parse(&symbol, &format!("{file}{{module}}.py"));
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
