//! `use` declarations: each imported name by itself, and what a `pub use` hands on.

use serde::{Deserialize, Serialize};

use super::fingerprint::{one_line, tokens};
use super::syntax::{AstNode, SyntaxNode, ast};

/// The most names that one declaration is taken apart into.
const NAMES_MAX: usize = 10_000;

/// One path that a `pub use` hands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReExport {
    /// The inline modules of the file in which the declaration stands.
    pub(super) modules: Vec<String>,
    /// Whether those are all `pub`.
    pub(super) is_open: bool,
    /// The path as written, without the star.
    pub(super) path: Vec<String>,
    /// Whether it ends in `*`.
    pub(super) is_glob: bool,
}

/// Each imported name as one line, so that neither grouping nor order matters.
pub(super) fn flattened(declaration: &ast::Use) -> Vec<String> {
    let written = declaration.syntax().children().find_map(ast::Visibility::cast);
    let visibility = written.map_or_else(String::new, |it| format!("{} ", it.syntax().text()));
    let lead = format!("{}{visibility}use ", marks(declaration.syntax()));
    leaves(declaration).into_iter().map(|leaf| format!("{lead}{}", leaf.text())).collect()
}

/// An `extern crate` as one line.
pub(super) fn extern_crate(declaration: &SyntaxNode) -> String {
    format!("{}{}", marks(declaration), one_line(&tokens(declaration, None)))
}

/// The attributes of a declaration, side by side.
fn marks(declaration: &SyntaxNode) -> String {
    let line = |attribute: ast::Attr| one_line(&tokens(attribute.syntax(), None));
    super::syntax::attributes(declaration).map(line).collect()
}

/// What a `pub use` hands on.
pub(super) fn exports(declaration: &ast::Use, modules: &[String], is_open: bool) -> Vec<ReExport> {
    let written = declaration.syntax().children().find_map(ast::Visibility::cast);
    if written.is_none_or(|it| it.visibility_inner().is_some()) {
        return Vec::new();
    }
    let export =
        |leaf: Leaf| ReExport { modules: modules.to_vec(), is_open, path: leaf.path, is_glob: leaf.is_glob };
    leaves(declaration).into_iter().map(export).collect()
}

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// `pub`, `pub(crate)` and so on, with a space behind it; empty for none.
    pub(crate) visibility: String,
    /// Attributes of the declaration, each on one line.
    pub(crate) attributes: Vec<String>,
    /// The path as written, without the star.
    pub(crate) path: Vec<String>,
    /// Whether it ends in `*`.
    pub(crate) is_glob: bool,
    /// The name behind `as`, where there is one.
    pub(crate) rename: Option<String>,
}

impl Import {
    /// The name under which it is known here; none for `*` and `as _`.
    pub(crate) fn name(&self) -> Option<&str> {
        let own = self.path.last().map(String::as_str).filter(|_| !self.is_glob);
        self.rename.as_deref().or(own).filter(|name| *name != "_")
    }

    /// `a::b`, `a::*`, `a::b as c`.
    pub(crate) fn target(&self) -> String {
        let star = if self.is_glob { "::*" } else { "" };
        let rename = self.rename.as_ref().map_or_else(String::new, |name| format!(" as {name}"));
        format!("{}{star}{rename}", self.path.join("::"))
    }
}

/// Every name that a declaration imports.
pub(super) fn imports(declaration: &ast::Use) -> Vec<Import> {
    let visibility = super::header::visibility_of(declaration.syntax());
    let attributes = super::annotations::other_attributes(declaration.syntax());
    let import = |leaf: Leaf| Import {
        visibility: visibility.clone(),
        attributes: attributes.clone(),
        rename: leaf.rename.as_deref().and_then(|it| it.strip_prefix("as ")).map(str::to_owned),
        path: leaf.path,
        is_glob: leaf.is_glob,
    };
    leaves(declaration).into_iter().map(import).collect()
}

struct Leaf {
    path: Vec<String>,
    is_glob: bool,
    rename: Option<String>,
}

impl Leaf {
    fn text(&self) -> String {
        let star = if self.is_glob { "::*" } else { "" };
        let rename = self.rename.as_ref().map_or_else(String::new, |name| format!(" {name}"));
        format!("{}{star}{rename}", self.path.join("::"))
    }
}

fn leaves(declaration: &ast::Use) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    let mut open: Vec<(Vec<String>, ast::UseTree)> =
        declaration.use_tree().map(|tree| (Vec::new(), tree)).into_iter().collect();
    while let Some((mut path, tree)) = open.pop() {
        if leaves.len() >= NAMES_MAX {
            // The rest stays together as one line: nothing is lost, only no longer taken apart.
            path.push(one_line(&tokens(tree.syntax(), None)));
            leaves.push(Leaf { path, is_glob: false, rename: None });
            continue;
        }
        if let Some(written) = tree.path() {
            path.extend(written.segments().map(|segment| segment.syntax().text().to_string()));
        }
        if let Some(list) = tree.use_tree_list() {
            open.extend(list.use_trees().map(|inner| (path.clone(), inner)));
            continue;
        }
        let is_glob = tree.star_token().is_some();
        if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let rename = tree.rename().map(|rename| one_line(&tokens(rename.syntax(), None)));
        leaves.push(Leaf { path, is_glob, rename });
    }
    leaves
}
