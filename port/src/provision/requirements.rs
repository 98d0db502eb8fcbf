//! `requirements.txt` and its like, read strictly: what pip would build from sources is refused, by name.

use std::path::{Component, Path};
use std::str::FromStr;

use pep508_rs::{Requirement, VerbatimUrl, VersionOrUrl};

use super::project::{Project, ProjectError, text_of};

/// How deep files may name each other.
const DEPTH_MAX: usize = 8;
/// How many files of a folder of packages are told apart.
const LOCAL_MAX: usize = 10_000;
/// The option that names a place with packages.
const FIND_LINKS: &str = "--find-links ";

/// The file that asks for what the port needs, or for a group; `None` where there is none.
pub(super) fn named_for(folder: &Path, group: Option<&str>) -> Option<String> {
    let names = match group {
        None => vec!["requirements.txt".to_owned()],
        Some(group) => vec![
            format!("requirements-{group}.txt"),
            format!("requirements_{group}.txt"),
            format!("{group}-requirements.txt"),
            format!("requirements/{group}.txt"),
        ],
    };
    names.into_iter().find(|name| folder.join(name).is_file())
}

/// Adds what a file asks for.
pub(super) fn read(folder: &Path, file: &str, project: &mut Project) -> Result<(), ProjectError> {
    read_as(folder, file, Into::Requirements, 0, project)
}

/// What the lines of a file are to the project.
#[derive(Debug, Clone, Copy)]
enum Into {
    Requirements,
    Constraints,
}

fn read_as(
    folder: &Path,
    file: &str,
    into: Into,
    depth: usize,
    project: &mut Project,
) -> Result<(), ProjectError> {
    let wrong = |reason: String| ProjectError { file: file.to_owned(), reason };
    if depth > DEPTH_MAX {
        return Err(wrong(format!("files name each other more than {DEPTH_MAX} deep")));
    }
    if project.files.iter().any(|read| read == file) {
        return Ok(());
    }
    let text = text_of(folder, file)?.ok_or_else(|| wrong("there is no such file".to_owned()))?;
    project.files.push(file.to_owned());
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        let line = line.trim_start_matches('\u{feff}');
        let line = line.split_once(" #").map_or(line, |(before, _)| before).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if !line.starts_with('-') {
            // The port itself is imported from its sources.
            if line == "." {
                continue;
            }
            let checked = requirement(line).map_err(wrong)?;
            match into {
                Into::Requirements => project.requirements.insert(checked),
                Into::Constraints => project.pinned.insert(checked),
            };
            continue;
        }
        let (option, value) = split_option(line);
        match option {
            "-r" | "--requirement" | "-c" | "--constraint" => {
                let next = beside(file, value).map_err(wrong)?;
                let constrains = option == "-c" || option == "--constraint";
                let into = if constrains { Into::Constraints } else { into };
                read_as(folder, &next, into, depth + 1, project)?;
            }
            "-i" | "--index-url" => project.options.push(format!("--index-url {value}")),
            "--extra-index-url" => project.options.push(format!("{option} {value}")),
            "-f" | "--find-links" => {
                let place = found_at(file, value).map_err(wrong)?;
                project.local.extend(packages_at(&folder.join(&place)));
                project.options.push(format!("{FIND_LINKS}{place}"));
            }
            "--pre" | "--no-index" => project.options.push(option.to_owned()),
            // What they ask for is so in any case: wheels alone, and hashes where there are some.
            "--prefer-binary" | "--only-binary" | "--require-hashes" => {}
            "-e" | "--editable" if value == "." => {}
            "-e" | "--editable" => {
                return Err(wrong(format!(
                    "`{line}` is built from sources, and only built packages (wheels) are installed"
                )));
            }
            _ => return Err(wrong(format!("`{option}` is an option that is not known here"))),
        }
    }
    Ok(())
}

/// An option and its value, which stands behind a space or `=`.
fn split_option(line: &str) -> (&str, &str) {
    let at = line.find([' ', '=']);
    at.and_then(|at| line.split_at_checked(at))
        .map_or((line, ""), |(option, value)| (option, value.trim_start_matches([' ', '=']).trim()))
}

/// A file that another one names, from the project's folder; it may not lead out of that.
fn beside(file: &str, named: &str) -> Result<String, String> {
    let mut parts: Vec<String> = Vec::new();
    let parent = Path::new(file).parent().unwrap_or(Path::new(""));
    for component in parent.join(named).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_string_lossy().into_owned()),
            Component::CurDir => {}
            Component::ParentDir if !parts.is_empty() => drop(parts.pop()),
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(format!("`{named}` leads out of the port"));
            }
        }
    }
    Ok(parts.join("/"))
}

/// A place with packages: an address or a full path as it is, a folder of the port from the project's folder.
fn found_at(file: &str, named: &str) -> Result<String, String> {
    if named.contains("://") || Path::new(named).is_absolute() {
        return Ok(named.to_owned());
    }
    beside(file, named)
}

/// The packages in a folder, by name and size: another one of the same name makes another environment.
fn packages_at(folder: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(LOCAL_MAX);
    entries.filter_map(|entry| {
        let bytes = entry.metadata().ok()?.len();
        Some(format!("{} {bytes}", entry.file_name().to_string_lossy()))
    })
}

/// An option that names a place with packages, as it is to be said in this folder: checkouts of one port stand in many.
pub(super) fn option_in(option: &str, folder: &Path) -> String {
    match option.strip_prefix(FIND_LINKS).filter(|place| !place.contains("://")) {
        // A full path stays as it is.
        Some(place) => format!("{FIND_LINKS}{}", folder.join(place).display()),
        None => option.to_owned(),
    }
}

/// A requirement, checked and written anew, with its hashes.
pub(super) fn requirement(line: &str) -> Result<String, String> {
    let mut words = line.split(" --hash");
    let stated = words.next().unwrap_or_default().trim();
    let hashes: Vec<String> =
        words.map(|word| word.trim_start_matches(['=', ' ']).trim().to_owned()).collect();
    let is_hash = |hash: &String| {
        hash.split_once(':').is_some_and(|(kind, value)| {
            kind.starts_with("sha") && !value.is_empty() && value.chars().all(|sign| sign.is_ascii_hexdigit())
        })
    };
    if let Some(other) = hashes.iter().find(|hash| !is_hash(hash)) {
        return Err(format!("`{other}` is no hash"));
    }
    let parsed = Requirement::<VerbatimUrl>::from_str(stated)
        .map_err(|error| format!("`{stated}` is no requirement: {}", error.message))?;
    if let Some(VersionOrUrl::Url(url)) = &parsed.version_or_url {
        let url = url.to_string();
        let path = url.split(['#', '?']).next().unwrap_or_default();
        let is_wheel = Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("whl"));
        if !url.starts_with("https://") || !is_wheel {
            return Err(format!(
                "`{stated}` is built from sources, and only built packages (wheels) are installed"
            ));
        }
    }
    let hashes = hashes.iter().map(|hash| format!(" --hash={hash}"));
    Ok(std::iter::once(parsed.to_string()).chain(hashes).collect())
}

/// The name of a requirement, as it is written.
pub(super) fn name_of(line: &str) -> &str {
    let end = line.find(|sign: char| !sign.is_ascii_alphanumeric() && !['-', '_', '.'].contains(&sign));
    end.and_then(|end| line.get(..end)).unwrap_or(line)
}

/// The extras that a requirement asks for.
pub(super) fn extras_of(line: &str) -> Vec<&str> {
    let inside = line.split_once('[').and_then(|(_, rest)| rest.split_once(']'));
    inside.map(|(inside, _)| inside.split(',').map(str::trim).collect()).unwrap_or_default()
}
