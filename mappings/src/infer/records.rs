//! What people wrote down: files of the port whose header names a source file or a module of the upstream,
//! and documents with lines that name files of both sides.

use std::collections::BTreeMap;

use super::corpus::{Corpus, Module, Side};
use super::outline::PortOutline;

/// How many lines of a header are searched.
const HEADER_LINES_MAX: usize = 60;
/// A line of a document that names more files than this of one side tells no pairs.
const NAMED_ON_LINE_MAX: usize = 3;
/// How many mentions of one header count; each later one counts less than the one before.
const MENTIONS_MAX: usize = 8;

/// How strongly each file of the port is recorded to come from each upstream file: by the port's module,
/// then by upstream file.
pub(super) type Recorded = BTreeMap<usize, BTreeMap<String, f64>>;

/// Reads all records.
pub(super) fn recorded(corpus: &Corpus, outline: &PortOutline) -> Recorded {
    let upstream = Places::of_upstream(&corpus.upstream);
    let port = Places::of_files(corpus.port.modules.iter().map(|module| module.file.as_str()));
    let mut recorded = Recorded::new();
    for (at, module) in corpus.port.modules.iter().enumerate() {
        let Some(facts) = outline.files.get(&module.file) else { continue };
        let mut strength = 1.0;
        for token in tokens(facts.header.lines().take(HEADER_LINES_MAX)).take(MENTIONS_MAX * 8) {
            let files = upstream.resolve(token, module);
            if let [file] = files.as_slice() {
                add(&mut recorded, at, file, strength);
                strength *= 0.7;
            }
        }
    }
    let modules: BTreeMap<&str, usize> =
        corpus.port.modules.iter().enumerate().map(|(at, module)| (module.file.as_str(), at)).collect();
    for record in &outline.records {
        let tokens: Vec<&str> = tokens([record.text.as_str()]).collect();
        let ends = |token: &&str, end: &str| token.ends_with(end);
        let of_upstream: Vec<&str> = tokens.iter().copied().filter(|token| ends(token, ".rs")).collect();
        let of_port: Vec<&str> = tokens.iter().copied().filter(|token| !ends(token, ".rs")).collect();
        let named: Vec<String> = of_port.iter().flat_map(|token| port.files_ending(token)).collect();
        if of_upstream.len() > NAMED_ON_LINE_MAX || named.is_empty() || named.len() > NAMED_ON_LINE_MAX {
            continue;
        }
        for file in &named {
            let Some(at) = modules.get(file.as_str()).copied() else { continue };
            let Some(module) = corpus.port.modules.get(at) else { continue };
            for token in &of_upstream {
                if let [upstream] = upstream.resolve(token, module).as_slice() {
                    add(&mut recorded, at, upstream, 0.5);
                }
            }
        }
    }
    recorded
}

fn add(recorded: &mut Recorded, at: usize, file: &str, strength: f64) {
    let known = recorded.entry(at).or_default().entry(file.to_owned()).or_insert(0.0);
    *known = known.max(strength);
}

/// The words of some lines that can be paths.
fn tokens<'a>(lines: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let is_path = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '/' | '.' | ':');
    lines
        .into_iter()
        .flat_map(move |line| line.split(move |letter: char| !is_path(letter)))
        .map(|token| token.trim_matches(['.', ':', '/', '-']))
        .filter(|token| token.contains('/') || token.contains('.') || token.contains("::"))
}

/// Files by how their paths end, and by the path of the module that they are.
struct Places {
    by_name: BTreeMap<String, Vec<String>>,
    by_module: BTreeMap<String, Vec<String>>,
}

impl Places {
    fn of_files<'a>(files: impl Iterator<Item = &'a str>) -> Self {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for file in files {
            let name = file.rsplit('/').next().unwrap_or_default();
            let known = by_name.entry(name.to_owned()).or_default();
            if known.last().is_none_or(|last| last != file) {
                known.push(file.to_owned());
            }
        }
        Self { by_name, by_module: BTreeMap::new() }
    }

    fn of_upstream(side: &Side<upstream::ItemPath>) -> Self {
        let mut places = Self::of_files(side.modules.iter().map(|module| module.file.as_str()));
        for module in &side.modules {
            for entity in module.entities.iter().filter_map(|at| side.entities.get(*at)) {
                let segments = entity.key.segments();
                let above = segments.len().saturating_sub(1);
                let path = segments.get(..above).unwrap_or_default().join("::");
                for path in [path, entity.key.as_str().to_owned()] {
                    let files = places.by_module.entry(path).or_default();
                    if files.len() < 2 && !files.contains(&module.file) {
                        files.push(module.file.clone());
                    }
                }
            }
        }
        places
    }

    /// The files that a token means, the most precise reading first; several where it cannot be told.
    fn resolve(&self, token: &str, from: &Module) -> Vec<String> {
        if let Some((path, _)) = token.split_once(".rs") {
            let files = self.files_ending(&format!("{path}.rs"));
            if files.len() < 2 {
                return files;
            }
            let beside: Vec<String> =
                files.iter().filter(|file| shares_folder(file, &from.file)).cloned().collect();
            return if beside.len() == 1 { beside } else { files };
        }
        if !token.contains("::") {
            return Vec::new();
        }
        let path = token.replace('-', "_");
        let mut path = path.as_str();
        loop {
            if let Some(files) = self.by_module.get(path) {
                return files.clone();
            }
            match path.rsplit_once("::") {
                Some((above, _)) if above.contains("::") => path = above,
                Some(_) | None => return Vec::new(),
            }
        }
    }

    /// The files whose path ends as this one does, from a whole segment on; a path may also begin above the
    /// root that the files are counted from.
    fn files_ending(&self, path: &str) -> Vec<String> {
        let path = path.trim_start_matches("./");
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(files) = self.by_name.get(name) else { return Vec::new() };
        let matches = |file: &&String| {
            let (file, path) = (format!("/{file}"), format!("/{path}"));
            file.ends_with(&path) || path.ends_with(&file)
        };
        files.iter().filter(matches).cloned().collect()
    }
}

/// Whether two files of different sides stand in folders of one name, besides those that say nothing.
fn shares_folder(upstream: &str, port: &str) -> bool {
    let plain = |part: &str| part.replace('-', "_");
    let folders = |path: &str| -> Vec<String> {
        let mut parts: Vec<String> = path.split('/').map(plain).collect();
        parts.pop();
        parts.retain(|part| part != "src");
        parts
    };
    let of_port = folders(port);
    folders(upstream).iter().any(|folder| of_port.contains(folder))
}
