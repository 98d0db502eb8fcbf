//! What a text that is to become a symbol defines when it stands alone.

use super::indent::dedent;
use super::source::{Source, line_of, statements};
use super::symbols::defined_name;
use crate::language::Fragment;

/// Reads a text as the statements of one level.
pub(super) fn read(text: &str) -> Fragment {
    let text = dedent(text);
    let source = match Source::parse(&text) {
        Ok(source) => source,
        Err(fault) => return Fragment { names: Vec::new(), stray_line: None, fault: Some(fault) },
    };
    let mut fragment = Fragment { names: Vec::new(), stray_line: None, fault: None };
    for statement in statements(source.root()) {
        match defined_name(&source, statement) {
            Some(name) => fragment.names.push(name.to_owned()),
            None => fragment.stray_line = fragment.stray_line.or(Some(line_of(statement))),
        }
    }
    fragment
}
