//! The module tree of each target: every file that rustc would read, in every configuration.
//!
//! Main function: [`read_modules`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::{Complaint, Workspaces};
use crate::revision::Revision;
use crate::snapshot::SnapshotError;
use crate::snapshot::declared::{Contents, Declared, Include, Stands, bare, contents};
use crate::snapshot::module_files::{FilePlace, ModuleFile, files_of, included};
use crate::snapshot::sources::{Sources, folder_of};
use crate::snapshot::syntax::{AstNode, edition, parse_file};
use crate::tree::{SourceTree, TreeError};

/// The deepest nesting of module files.
const DEPTH_MAX: usize = 64;
/// The most modules of one target.
const MODULES_MAX: usize = 100_000;

/// The modules of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ModuleTree {
    /// The modules in the order of their declarations, each before those in it. A path stands several times
    /// where conditions decide between several modules.
    pub modules: Vec<Module>,
}

/// One module, or a file that is included in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Module {
    /// Its path: `crate`, `crate::net`, `crate::net::tcp`.
    pub path: String,
    /// How it comes to be.
    pub form: ModuleForm,
    /// The file with its contents, from the repository's root; null where there is none.
    pub file: Option<String>,
    /// The line of the declaration, in the file of the module around it; null for the root.
    pub line: Option<u32>,
    /// Its own conditions: those of `#[cfg]`, and that of a `cfg_attr` that gives it this file.
    pub conditions: Vec<String>,
}

/// How a module comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModuleForm {
    /// The root of the target.
    Root,
    /// `mod name;`
    File,
    /// `mod name { … }`
    Inline,
    /// `include!("file")`
    Included,
    /// `include!` of a file that is made while building.
    Generated,
    /// `mod name;` without a file in this revision.
    Missing,
    /// `mod name;` whose file is already around it.
    Cycle,
}

/// A Rust file that belongs to no module.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Orphan {
    /// The file.
    pub file: String,
    /// The folder of the nearest package above it; null where there is none.
    pub package: Option<String>,
}

/// Adds its modules to each target, and the files that belong to none.
pub fn read_modules(
    workspaces: &mut Workspaces,
    tree: &dyn SourceTree,
    revision: &Revision,
) -> Result<(), SnapshotError> {
    let mut read = || -> Result<(), TreeError> {
        let sources = Sources::list(tree)?;
        let mut reader = Reader {
            sources: &sources,
            known: BTreeMap::new(),
            used: BTreeSet::new(),
            unread: BTreeMap::new(),
        };
        for package in &mut workspaces.packages {
            for target in &mut package.targets {
                target.modules = Some(reader.target(&target.root, &target.edition)?);
            }
        }
        workspaces.orphans = Some(reader.orphans(workspaces));
        workspaces.unread.extend(reader.unread.into_iter().map(|(file, reason)| Complaint { file, reason }));
        workspaces.unread.sort();
        Ok(())
    };
    read().map_err(|source| SnapshotError { revision: revision.label.to_string(), source })
}

struct Reader<'sources, 'tree> {
    sources: &'sources Sources<'tree>,
    /// What was read, by the id of the content and the edition.
    known: BTreeMap<(String, String), Arc<Contents>>,
    /// The files of all modules.
    used: BTreeSet<String>,
    unread: BTreeMap<String, String>,
}

/// A file that is to be read as a module.
struct Open {
    at: ModuleFile,
    path: String,
    form: ModuleForm,
    line: Option<u32>,
    conditions: Vec<String>,
    /// The files around it.
    around: Vec<String>,
}

impl Reader<'_, '_> {
    fn target(&mut self, root: &str, edition: &str) -> Result<ModuleTree, TreeError> {
        let mut tree = ModuleTree::default();
        let Some(file) = self.sources.file(root) else { return Ok(tree) };
        let at = ModuleFile { file, place: FilePlace::beside(root), condition: None };
        let path = "crate".to_owned();
        let form = ModuleForm::Root;
        let mut open =
            vec![Step::File(Open { at, path, form, line: None, conditions: Vec::new(), around: Vec::new() })];
        while let Some(step) = open.pop() {
            match step {
                Step::Done(module) => tree.modules.push(module),
                Step::File(file) => {
                    let mut inside = self.file(&file, edition)?;
                    tree.modules.push(file.module());
                    inside.reverse();
                    open.extend(inside);
                }
            }
            if tree.modules.len() >= MODULES_MAX {
                let reason = format!("more than {MODULES_MAX} modules: the rest is not read");
                self.unread.insert(root.to_owned(), reason);
                break;
            }
        }
        Ok(tree)
    }

    /// What a file declares, each as a step of its own.
    fn file(&mut self, file: &Open, edition: &str) -> Result<Vec<Step>, TreeError> {
        self.used.insert(file.at.file.clone());
        let contents = self.contents(&file.at.file, edition)?;
        let mut steps = Vec::new();
        for declared in &contents.modules {
            steps.extend(self.declared(file, declared));
        }
        for include in &contents.includes {
            steps.push(self.include(file, include));
        }
        Ok(steps)
    }

    fn declared(&self, from: &Open, declared: &Declared) -> Vec<Step> {
        let around = declared.inline.iter().map(|module| module.name.as_str());
        let names = std::iter::once(from.path.as_str()).chain(around).chain([bare(&declared.name)]);
        let path = names.collect::<Vec<_>>().join("::");
        let module = |form| Module {
            path: path.clone(),
            form,
            file: None,
            line: Some(declared.line),
            conditions: declared.conditions.clone(),
        };
        if declared.is_inline {
            let file = Some(from.at.file.clone());
            return vec![Step::Done(Module { file, ..module(ModuleForm::Inline) })];
        }
        let files = files_of(self.sources, &from.at.place, declared);
        if files.is_empty() {
            // What looks like a module in the arguments of a macro may be anything.
            let is_sure = declared.stands != Stands::Macro;
            return is_sure.then(|| Step::Done(module(ModuleForm::Missing))).into_iter().collect();
        }
        files.into_iter().map(|at| from.step(at, module(ModuleForm::File))).collect()
    }

    fn include(&self, from: &Open, include: &Include) -> Step {
        let around = include.inline.iter().map(|module| module.name.as_str());
        let path = std::iter::once(from.path.as_str()).chain(around).collect::<Vec<_>>().join("::");
        let module = Module {
            path,
            form: ModuleForm::Generated,
            file: None,
            line: Some(include.line),
            conditions: Vec::new(),
        };
        let Some(written) = &include.path else { return Step::Done(module) };
        match included(self.sources, &from.at.place, written) {
            Some(at) => from.step(at, Module { form: ModuleForm::Included, ..module }),
            None => Step::Done(Module { form: ModuleForm::Missing, ..module }),
        }
    }

    fn contents(&mut self, file: &str, of_edition: &str) -> Result<Arc<Contents>, TreeError> {
        let key = (self.sources.id(file).unwrap_or_default().to_owned(), of_edition.to_owned());
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let read = self.sources.text(file)?.and_then(|text| {
            let parsed = parse_file(&text, edition(of_edition))?;
            Ok((contents(&text, parsed.file.syntax()), parsed.complaint))
        });
        let (found, complaint) = match read {
            Ok(read) => read,
            Err(reason) => (Contents::default(), Some(reason)),
        };
        // An included file need not be a list of items.
        if let Some(reason) = complaint {
            self.unread.entry(file.to_owned()).or_insert(reason);
        }
        let found = Arc::new(found);
        self.known.insert(key, Arc::clone(&found));
        Ok(found)
    }

    /// The Rust files that no module reached.
    fn orphans(&self, workspaces: &Workspaces) -> Vec<Orphan> {
        let is_rust =
            |path: &&str| is_rust_file(path) && self.sources.has(path) && !self.used.contains(*path);
        let orphan = |file: &str| {
            let mut at = folder_of(file);
            let package = loop {
                if workspaces.package_at(at).is_some() {
                    break Some(at.to_owned());
                }
                if at.is_empty() {
                    break None;
                }
                at = folder_of(at);
            };
            Orphan { file: file.to_owned(), package }
        };
        self.sources.paths().filter(is_rust).map(orphan).collect()
    }
}

fn is_rust_file(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// What is left to do for a target.
enum Step {
    /// A module without a file of its own.
    Done(Module),
    /// A file to read.
    File(Open),
}

impl Open {
    fn module(&self) -> Module {
        Module {
            path: self.path.clone(),
            form: self.form,
            file: Some(self.at.file.clone()),
            line: self.line,
            conditions: self.conditions.clone(),
        }
    }

    /// A file below this one, unless it is around it already.
    fn step(&self, at: ModuleFile, module: Module) -> Step {
        let mut conditions = module.conditions;
        conditions.extend(at.condition.clone());
        let around: Vec<String> = self.around.iter().chain([&self.at.file]).cloned().collect();
        if around.contains(&at.file) || around.len() >= DEPTH_MAX {
            let file = Some(at.file);
            return Step::Done(Module { form: ModuleForm::Cycle, file, conditions, ..module });
        }
        Step::File(Open { at, path: module.path, form: module.form, line: module.line, conditions, around })
    }
}
