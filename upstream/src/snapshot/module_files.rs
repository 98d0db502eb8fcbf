//! Where the file of a declared module is: rustc's rules, over the files of a revision.

use super::declared::{Declared, Inline, Stands, bare};
use super::sources::{Sources, folder_of, join};

/// A file as a place from which modules are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilePlace {
    /// The folder of the file, by the path that led to it.
    folder: String,
    /// The folder in that one where its modules lie, where it is called like the file: `net/` for `net.rs`.
    own: Option<String>,
}

impl FilePlace {
    /// A file whose modules lie beside it: the root of a crate, a `mod.rs`, or what a `#[path]` names.
    pub(crate) fn beside(file: &str) -> Self {
        Self { folder: folder_of(file).to_owned(), own: None }
    }

    /// The place inside modules with braces.
    fn inside(&self, inline: &[Inline]) -> Option<Self> {
        let mut place = self.clone();
        for module in inline {
            let step = match &module.path {
                // On braces a `#[path]` names a folder, counted from that of the file.
                Some(path) => {
                    place.own = None;
                    path.clone()
                }
                None => match place.own.take() {
                    Some(own) => format!("{own}/{}", module.name),
                    None => module.name.clone(),
                },
            };
            place.folder = join(&place.folder, &step)?;
        }
        Some(place)
    }
}

/// A file that a declaration may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleFile {
    /// The file itself, links followed.
    pub(crate) file: String,
    /// Its place, by the path that led to it.
    pub(crate) place: FilePlace,
    /// Under which condition it is this file.
    pub(crate) condition: Option<String>,
}

/// The files that a declaration may mean; several where conditions decide, none where there is none.
pub(crate) fn files_of(sources: &Sources<'_>, from: &FilePlace, declared: &Declared) -> Vec<ModuleFile> {
    let Some(at) = from.inside(&declared.inline) else { return Vec::new() };
    let mut files = Vec::new();
    for attribute in &declared.paths {
        let path = join(&at.folder, &attribute.path);
        let found = path.and_then(|path| Some((sources.file(&path)?, FilePlace::beside(&path))));
        files.extend(found.map(|(file, place)| ModuleFile {
            file,
            place,
            condition: attribute.condition.clone(),
        }));
        if attribute.condition.is_none() {
            return files;
        }
    }
    if declared.stands != Stands::Body {
        // Where no condition holds the file is at its usual place.
        let conditions: Vec<String> = declared
            .paths
            .iter()
            .filter_map(|it| it.condition.as_ref().map(|it| format!("not({it})")))
            .collect();
        let condition = (!conditions.is_empty()).then(|| conditions.join(", "));
        let usual = usual(sources, &at, bare(&declared.name));
        files.extend(usual.map(|file| ModuleFile { condition, ..file }));
    }
    files
}

/// `name.rs`, or `name/mod.rs`.
fn usual(sources: &Sources<'_>, at: &FilePlace, name: &str) -> Option<ModuleFile> {
    let folder = match &at.own {
        Some(own) => join(&at.folder, own)?,
        None => at.folder.clone(),
    };
    let flat = join(&folder, &format!("{name}.rs"))?;
    if let Some(file) = sources.file(&flat) {
        let place = FilePlace { folder, own: Some(name.to_owned()) };
        return Some(ModuleFile { file, place, condition: None });
    }
    let nested = join(&folder, &format!("{name}/mod.rs"))?;
    let place = FilePlace::beside(&nested);
    sources.file(&nested).map(|file| ModuleFile { file, place, condition: None })
}

/// The file that an `include!` names, counted from the folder of the file that it stands in.
pub(crate) fn included(sources: &Sources<'_>, from: &FilePlace, path: &str) -> Option<ModuleFile> {
    let path = join(&from.folder, path)?;
    let file = sources.file(&path)?;
    Some(ModuleFile { file, place: FilePlace::beside(&path), condition: None })
}
