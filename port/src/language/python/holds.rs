//! What a class and its values hold, by name: who uses a value has to know it, and it stands below the head.

use tree_sitter::Node;

use super::source::{Source, children, descendants, statements};

/// The most names that are told.
const NAMES_MAX: usize = 40;

/// Names that the body of a class sets, and attributes that its `__init__` gives to `self`, each once, as they stand in
/// the text; none where it is no class.
pub(super) fn names(text: &str) -> Vec<String> {
    let Ok(source) = Source::parse(text) else { return Vec::new() };
    let class = descendants(source.root()).find(|node| node.kind() == "class_definition");
    let Some(body) = class.and_then(|class| class.child_by_field_name("body")) else { return Vec::new() };
    let own = statements(body);
    let init = own.iter().filter(|node| source.field(**node, "name") == "__init__");
    let set = own.iter().flat_map(|node| set_by(&source, *node, "identifier"));
    let given = init.flat_map(|node| descendants(*node)).flat_map(|node| set_by(&source, node, "attribute"));
    let mut names: Vec<String> = Vec::new();
    for name in set.chain(given.filter_map(|name| Some(name.strip_prefix("self.")?.to_owned()))) {
        if !name.starts_with("__") && !names.contains(&name) {
            names.push(name);
        }
    }
    names.truncate(NAMES_MAX);
    names
}

/// What a statement gives a value to, where that is of this kind.
fn set_by(source: &Source<'_>, statement: Node<'_>, kind: &str) -> Vec<String> {
    if statement.kind() != "expression_statement" {
        return Vec::new();
    }
    let assignments = children(statement).into_iter().filter(|node| node.kind() == "assignment");
    let targets = assignments.filter_map(|node| node.child_by_field_name("left"));
    targets.filter(|target| target.kind() == kind).map(|target| source.of(target).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn fields_members_and_attributes_are_told_once() {
        assert_eq!(
            names("class Way(Enum):\n    '''Doc.'''\n\n    LEFT = 1\n    RIGHT = 2\n"),
            ["LEFT", "RIGHT"]
        );
        assert_eq!(
            names(
                "@dataclass(frozen=True)\nclass Word:\n    word: str\n    _width: int = 0\n\n    def f(self):\n        self.late = 1\n"
            ),
            ["word", "_width"]
        );
        assert_eq!(
            names(
                "class Options:\n    def __init__(self, width):\n        self.width = width\n        if width:\n            \
                 self._indent: str = ''\n        self.width = 2\n        other.x = 3\n        width = 4\n"
            ),
            ["width", "_indent"]
        );
        assert!(names("class Empty:\n    __slots__ = ()\n").is_empty());
        assert!(
            names("def f():\n    x = 1\n").is_empty()
                && names("LIMIT = 1").is_empty()
                && names("(").is_empty()
        );
    }
}
