//! Everything of a package that is translated, as files: what a port would be if nobody wrote the rest.

use std::collections::{BTreeMap, BTreeSet};

use mappings::SymbolPath;
use upstream::{ItemKind, ItemPath};

use super::program::Program;
use super::refusal::{Reason, Refusal};
use super::{Compiled, compile};

/// A package as far as it is translated.
#[derive(Debug, Default)]
pub struct Whole {
    /// The files, by path.
    pub files: BTreeMap<String, String>,
    /// The items that are in them, with their symbols.
    pub accepted: BTreeMap<ItemPath, SymbolPath>,
    /// The others, and why.
    pub refused: BTreeMap<ItemPath, Refusal>,
}

/// One file at work.
#[derive(Default)]
struct File {
    imports: BTreeSet<String>,
    helpers: Vec<(String, String)>,
    constants: Vec<String>,
    classes: BTreeMap<SymbolPath, Vec<String>>,
    functions: Vec<String>,
}

/// Translates all items of a package that have a place in a port, and leaves out what uses something left out.
pub fn whole(program: &Program) -> Whole {
    let mut made: BTreeMap<ItemPath, Compiled> = BTreeMap::new();
    let mut out = Whole::default();
    for path in program.paths() {
        match compile(program, path, module_of_file(program, path).as_ref()) {
            Ok(compiled) => {
                made.insert(path.clone(), compiled);
            }
            Err(refusal) => {
                out.refused.insert(path.clone(), refusal);
            }
        }
    }
    loop {
        let stuck = made.iter().find_map(|(path, compiled)| {
            let missing = compiled.uses.iter().find(|used| *used != path && !made.contains_key(*used))?;
            Some((path.clone(), missing.clone()))
        });
        let Some((path, missing)) = stuck else { break };
        made.remove(&path);
        let what = format!("`{missing}` is not translated");
        out.refused.insert(path, Refusal { reason: Reason::Unlinked, what });
    }
    let mut files: BTreeMap<String, File> = BTreeMap::new();
    for path in in_order(&made) {
        let (Some(placed), Some(compiled)) = (program.get(path), made.get(path)) else { continue };
        out.accepted.insert(path.clone(), placed.symbol.clone());
        let file = files.entry(placed.file.clone()).or_default();
        file.imports.extend(compiled.imports.iter().cloned());
        for helper in &compiled.helpers {
            let entry = (helper.symbol.name().to_owned(), helper.text.clone());
            if !file.helpers.contains(&entry) {
                file.helpers.push(entry);
            }
        }
        match placed.item.kind {
            ItemKind::Const | ItemKind::Static => file.constants.push(compiled.text.clone()),
            ItemKind::Struct | ItemKind::Enum => {
                let lines = file.classes.entry(placed.symbol.clone()).or_default();
                lines.insert(0, compiled.text.clone());
                for piece in &compiled.beside {
                    file.functions.push(piece.text.clone());
                }
            }
            ItemKind::Method => {
                let Some(class) = placed.symbol.parent() else { continue };
                let indented: Vec<String> = compiled
                    .text
                    .lines()
                    .map(|line| if line.is_empty() { String::new() } else { format!("    {line}") })
                    .collect();
                file.classes.entry(class).or_default().push(indented.join("\n"));
            }
            ItemKind::Function
            | ItemKind::Union
            | ItemKind::Trait
            | ItemKind::Impl
            | ItemKind::TypeAlias
            | ItemKind::Macro
            | ItemKind::Module => file.functions.push(compiled.text.clone()),
        }
    }
    out.files = files.into_iter().map(|(path, file)| (path, file.text())).collect();
    out
}

/// What is used comes before what uses it: constants are computed at once.
fn in_order(made: &BTreeMap<ItemPath, Compiled>) -> Vec<&ItemPath> {
    fn visit<'a>(
        path: &'a ItemPath,
        made: &'a BTreeMap<ItemPath, Compiled>,
        seen: &mut BTreeSet<&'a ItemPath>,
        order: &mut Vec<&'a ItemPath>,
    ) {
        if !seen.insert(path) {
            return;
        }
        for used in made.get(path).into_iter().flat_map(|compiled| &compiled.uses) {
            visit(used, made, seen, order);
        }
        order.push(path);
    }
    let (mut seen, mut order) = (BTreeSet::new(), Vec::new());
    for path in made.keys() {
        visit(path, made, &mut seen, &mut order);
    }
    order
}

impl File {
    fn text(mut self) -> String {
        self.helpers.sort();
        let mut parts: Vec<String> = Vec::new();
        parts.extend(self.constants);
        parts.extend(self.classes.into_values().map(|lines| lines.join("\n\n")));
        parts.extend(self.functions);
        parts.extend(self.helpers.into_iter().map(|(_, text)| text));
        let imports: Vec<String> = self.imports.into_iter().collect();
        format!("{}\n\n\n{}\n", imports.join("\n"), parts.join("\n\n\n"))
    }
}

/// The path of the module that an item's file is.
fn module_of_file(program: &Program, path: &ItemPath) -> Option<SymbolPath> {
    let placed = program.get(path)?;
    let parent = placed.symbol.parent()?;
    let is_method = placed.item.kind == ItemKind::Method;
    if is_method { parent.parent() } else { Some(parent) }
}
