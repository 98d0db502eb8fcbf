//! `[[session]]`: whole programs to run on both sides, as they are written, and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use port::contract::sessions::{
    Case, ExitRelation, Extension, IgnoredFiles, Input, Mask, Origin, Relation, Session, StderrRelation,
    StdoutRelation,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// The most sessions of one port.
const SESSIONS_MAX: usize = 50;
/// The most cases of one session, and the most that are made besides.
const CASES_MAX: usize = 500;
/// The longest input that is read from a file, in bytes.
const INPUT_BYTES_MAX: u64 = 16 << 20;
/// How many cases are made where nothing is configured.
const GENERATED_DEFAULT: u32 = 8;
/// The longest a run may take where nothing is configured, in seconds.
const TIMEOUT_S_DEFAULT: f64 = 5.0;
/// The longest that can be configured, in seconds.
const TIMEOUT_S_MAX: f64 = 600.0;

/// `[[session]]`: a program of the upstream and what answers to it in the port, run on the same cases.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SessionSection {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// The upstream's program, as Cargo names it. Default: the session's name.
    pub program: Option<String>,
    /// In place of a program: the Python module that the upstream's library is, such as `parser._core`. Both sides run
    /// `command`, the upstream's with this module.
    pub extension: Option<String>,
    /// For `extension`: the folder of the upstream with the Python files around the module, such as `python`.
    pub extension_sources: Option<String>,
    /// The upstream's package, where several have a program of this name.
    pub package: Option<String>,
    /// The port's program and its first arguments, such as `["python3", "-m", "tool"]`; `{port}` in them is the root of
    /// the port.
    pub command: Vec<String>,
    /// Variables that both sides see.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// How standard output is compared: `exact`, `json` (as one value), `ignore`. Default: `exact`.
    pub stdout: Option<StdoutRelation>,
    /// How standard error is compared: `class` (whether anything was said), `exact`, `ignore`. Default: `class`.
    pub stderr: Option<StderrRelation>,
    /// How exit codes are compared: `exact`, `class` (zero or not), `ignore`. Default: `exact`.
    pub exit: Option<ExitRelation>,
    /// Whether the files that a run leaves in its folder are compared. Default: true.
    pub files: Option<bool>,
    /// Patterns of files that are not, such as `*.log`.
    #[serde(default)]
    pub ignore_files: Vec<String>,
    /// JSON pointers to what is not compared in answers, or in standard output that is JSON, such as `/time`.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// JSON pointers to lists there whose order does not count.
    #[serde(default)]
    pub unordered: Vec<String>,
    /// What is random, replaced on both sides.
    #[serde(default)]
    pub mask: Vec<MaskSection>,
    /// The longest one run may take, in seconds; of a server, the longest one answer may take. Default: 5.
    pub timeout_s: Option<f64>,
    /// How many further cases are made from the declared ones: they decide, and are new each time. Default: 8.
    pub generated: Option<u32>,
    /// The cases.
    #[serde(default)]
    pub case: Vec<CaseSection>,
}

/// `[[session.mask]]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MaskSection {
    /// A regular expression; `^` and `$` match at each line.
    pub pattern: String,
    /// What stands in its place. Default: `<masked>`.
    pub with: Option<String>,
}

/// `[[session.case]]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CaseSection {
    /// Its name in the session.
    pub name: String,
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// What stands on standard input. Default: nothing.
    pub stdin: Option<String>,
    /// A file of the port that stands on standard input.
    pub stdin_file: Option<String>,
    /// For a server that answers lines of JSON: the requests, one process for all of them.
    pub lines: Option<Vec<String>>,
    /// Files that are there when it starts: their texts by their paths in the folder that it runs in.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// The same from files of the port, by their paths there.
    #[serde(default)]
    pub files_from: BTreeMap<String, String>,
    /// Variables that both sides see.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// What is wrong: keys below `session`, the words, and what to write instead.
pub(super) type Wrong = (Vec<String>, String, String);

/// Checks all entries; `root` is the port's.
pub(super) fn resolve(sections: &[SessionSection], root: &Path) -> Result<Vec<Session>, Wrong> {
    let mut names = BTreeSet::new();
    let mut resolved = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        let below = |(keys, message, help): Wrong| {
            let keys = [at.to_string()].into_iter().chain(keys).collect();
            (keys, message, help)
        };
        if at >= SESSIONS_MAX {
            return Err(below(wrong(
                &["name"],
                format!("more than {SESSIONS_MAX} sessions"),
                "take some out",
            )));
        }
        if !names.insert(section.name.as_str()) {
            let message = format!("two sessions are named `{}`", section.name);
            return Err(below(wrong(&["name"], message, "name each one apart")));
        }
        resolved.push(session(section, root).map_err(below)?);
    }
    Ok(resolved)
}

fn wrong(keys: &[&str], message: impl Into<String>, help: &str) -> Wrong {
    (keys.iter().copied().map(str::to_owned).collect(), message.into(), help.to_owned())
}

fn session(section: &SessionSection, root: &Path) -> Result<Session, Wrong> {
    let program = section.program.clone().unwrap_or_else(|| section.name.clone());
    if !is_name(&section.name) {
        let message = format!("`{}` is no name of a session", section.name);
        return Err(wrong(&["name"], message, "use letters, digits, `-`, `_` and `.`"));
    }
    if !is_name(&program) {
        let message = format!("`{program}` is no name of a program");
        return Err(wrong(&["program"], message, "name one as `cargo build --bin NAME` takes it"));
    }
    if section.command.first().is_none_or(String::is_empty) {
        return Err(wrong(
            &["command"],
            "the command is empty",
            "write `command = [\"python3\", \"-m\", \"MODULE\"]`",
        ));
    }
    if section.case.is_empty() {
        let message = format!("the session `{}` has no case", section.name);
        return Err(wrong(&["name"], message, "add a `[[session.case]]` with a `name`"));
    }
    let generated = section.generated.unwrap_or(GENERATED_DEFAULT);
    if section.case.len() > CASES_MAX {
        return Err(wrong(&["case"], format!("more than {CASES_MAX} cases"), "make another session of some"));
    }
    if generated as usize > CASES_MAX {
        let message = format!("more than {CASES_MAX} cases cannot be made");
        return Err(wrong(&["generated"], message, "write a smaller number"));
    }
    let timeout_s = section.timeout_s.unwrap_or(TIMEOUT_S_DEFAULT);
    let Some(timeout_ms) = milliseconds(timeout_s) else {
        let message = format!("{timeout_s} s cannot be");
        return Err(wrong(&["timeout-s"], message, "write seconds, above 0 and up to 600"));
    };
    variables(&section.environment).map_err(|message| wrong(&["environment"], message, VARIABLES_HELP))?;
    Ok(Session {
        name: section.name.clone(),
        package: section.package.clone(),
        program,
        extension: extension(section)?,
        command: section.command.clone(),
        environment: section.environment.clone(),
        relation: relation(section)?,
        timeout_ms,
        generated,
        cases: cases(&section.case, root)?,
    })
}

/// The Python module that takes the place of a program.
fn extension(section: &SessionSection) -> Result<Option<Extension>, Wrong> {
    let sources = section.extension_sources.clone();
    let Some(module) = &section.extension else {
        return match sources {
            Some(_) => Err(wrong(
                &["extension-sources"],
                "there is no `extension` that it belongs to",
                "add `extension` with the name of the module",
            )),
            None => Ok(None),
        };
    };
    let is_word = |word: &str| {
        word.chars().all(|sign| sign == '_' || sign.is_alphanumeric())
            && word.chars().next().is_some_and(|sign| !sign.is_numeric())
    };
    if !module.split('.').all(is_word) {
        let message = format!("`{module}` is no name of a Python module");
        return Err(wrong(&["extension"], message, "write one such as `parser._core`"));
    }
    if section.program.is_some() {
        let message = "a session has a `program` or an `extension`";
        return Err(wrong(&["program"], message, "take one out"));
    }
    let stays = |path: &String| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    if let Some(path) = sources.as_ref().filter(|path| path.is_empty() || !stays(path)) {
        let message = format!("`{path}` is no folder of the upstream");
        return Err(wrong(&["extension-sources"], message, "write a relative path without `..`"));
    }
    Ok(Some(Extension { module: module.clone(), sources }))
}

fn relation(section: &SessionSection) -> Result<Relation, Wrong> {
    let masks = section.mask.iter().enumerate().map(|(at, mask)| {
        Mask::new(&mask.pattern, mask.with.as_deref().unwrap_or("<masked>")).map_err(|error| {
            let message = format!("`{}` is no pattern of a mask: {error}", mask.pattern);
            wrong(
                &["mask", &at.to_string(), "pattern"],
                message,
                "write a regular expression that matches some text",
            )
        })
    });
    for (key, pointers) in [("ignore", &section.ignore), ("unordered", &section.unordered)] {
        if let Some((at, pointer)) =
            pointers.iter().enumerate().find(|(_, it)| !it.is_empty() && !it.starts_with('/'))
        {
            let message = format!("`{pointer}` is no JSON pointer");
            return Err(wrong(&[key, &at.to_string()], message, "write a path such as `/result/time`"));
        }
    }
    let ignored_files = IgnoredFiles::new(&section.ignore_files).map_err(|(at, reason)| {
        let message = format!("`{}` is no pattern of files: {reason}", section.ignore_files[at]);
        wrong(&["ignore-files", &at.to_string()], message, "write one such as `*.log`")
    })?;
    Ok(Relation {
        stdout: section.stdout.unwrap_or_default(),
        stderr: section.stderr.unwrap_or_default(),
        exit: section.exit.unwrap_or_default(),
        files: section.files.unwrap_or(true),
        ignored_files,
        masks: masks.collect::<Result<_, _>>()?,
        ignored: section.ignore.clone(),
        unordered: section.unordered.clone(),
    })
}

fn cases(sections: &[CaseSection], root: &Path) -> Result<Vec<Case>, Wrong> {
    let mut names = BTreeSet::new();
    let mut resolved = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        let below = |(keys, message, help): Wrong| {
            let keys = ["case".to_owned(), at.to_string()].into_iter().chain(keys).collect();
            (keys, message, help)
        };
        if !names.insert(section.name.as_str()) {
            let message = format!("two cases of the session are named `{}`", section.name);
            return Err(below(wrong(&["name"], message, "name each one apart")));
        }
        resolved.push(case(section, root).map_err(below)?);
    }
    Ok(resolved)
}

fn case(section: &CaseSection, root: &Path) -> Result<Case, Wrong> {
    // Reports show it beside other texts, which begin behind a colon.
    let is_sign = |sign: char| !sign.is_control() && !":/~".contains(sign);
    if section.name.trim().is_empty() || !section.name.chars().all(is_sign) {
        let message = format!("`{}` is no name of a case", section.name.escape_debug());
        return Err(wrong(&["name"], message, "use a few words without `:`, `/` and `~`"));
    }
    variables(&section.environment).map_err(|message| wrong(&["environment"], message, VARIABLES_HELP))?;
    if let Some(at) = section.args.iter().position(|argument| argument.contains('\0')) {
        return Err(wrong(&["args", &at.to_string()], "it holds a null byte", "write a plain text"));
    }
    let mut files = BTreeMap::new();
    for (path, text) in &section.files {
        files.insert(path.clone(), text.clone().into_bytes());
    }
    for (path, from) in &section.files_from {
        let content = read(root, from).map_err(|message| wrong(&["files-from", path], message, FILE_HELP))?;
        if files.insert(path.clone(), content).is_some() {
            return Err(wrong(&["files-from", path], format!("`{path}` is given twice"), "take one out"));
        }
    }
    for path in files.keys() {
        let is_inside = !path.is_empty()
            && !path.contains('\0')
            && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        let is_folder = files.keys().any(|other| other.starts_with(&format!("{path}/")));
        if !is_inside || is_folder {
            let message = format!("`{path}` is no file of the folder that the case runs in");
            return Err(wrong(&["files"], message, "write a relative path without `..`"));
        }
    }
    Ok(Case {
        name: section.name.clone(),
        arguments: section.args.clone(),
        input: input(section, root)?,
        files,
        environment: section.environment.clone(),
        origin: Origin::Declared,
    })
}

fn input(section: &CaseSection, root: &Path) -> Result<Input, Wrong> {
    match (&section.stdin, &section.stdin_file, &section.lines) {
        (None, None, None) => Ok(Input::Whole(Vec::new())),
        (Some(text), None, None) => Ok(Input::Whole(text.clone().into_bytes())),
        (None, Some(file), None) => {
            read(root, file).map(Input::Whole).map_err(|message| wrong(&["stdin-file"], message, FILE_HELP))
        }
        (None, None, Some(lines)) => {
            if lines.is_empty() {
                return Err(wrong(&["lines"], "there is no request", "write one, or take `lines` out"));
            }
            // A request may be broken JSON: that is something to answer. It has to be one line all the same.
            if let Some(at) = lines.iter().position(|line| line.trim().is_empty() || line.contains('\n')) {
                return Err(wrong(
                    &["lines", &at.to_string()],
                    "it is not one line",
                    "write each request in one line",
                ));
            }
            Ok(Input::Lines(lines.clone()))
        }
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => Err(wrong(
            &["name"],
            format!("the case `{}` has more than one input", section.name),
            "give one of `stdin`, `stdin-file` and `lines`",
        )),
    }
}

const FILE_HELP: &str = "name a file of the port, up to 16 MiB long";
const VARIABLES_HELP: &str =
    "use letters, digits and `_` for names, and none that decide where programs are found";

fn read(root: &Path, name: &str) -> Result<Vec<u8>, String> {
    let stays = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    let path = root.join(name);
    match path.metadata() {
        _ if !stays => Err(format!("`{name}` is not below the port")),
        Ok(found) if !found.is_file() => Err(format!("`{name}` is no file")),
        Ok(found) if found.len() > INPUT_BYTES_MAX => Err(format!("`{name}` is too long")),
        Ok(_) => std::fs::read(&path).map_err(|error| format!("cannot read `{name}`: {error}")),
        Err(error) => Err(format!("cannot read `{name}`: {error}")),
    }
}

/// The first name that cannot be one, or that decides how programs are found.
fn variables(environment: &BTreeMap<String, String>) -> Result<(), String> {
    let is_sign = |sign: char| sign == '_' || sign.is_ascii_alphanumeric();
    for (name, value) in environment {
        if name.is_empty() || !name.chars().all(is_sign) || value.contains('\0') {
            return Err(format!("`{name}` is not a variable"));
        }
        if ["PATH", "PYTHONPATH", "PYTHONHOME"].contains(&name.as_str()) || name.starts_with("LD_") {
            return Err(format!("`{name}` decides where programs are found"));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    !name.is_empty() && !name.starts_with(['.', '-']) && name.chars().all(is_sign)
}

/// Seconds as whole milliseconds; `None` where they are none or too many.
fn milliseconds(seconds: f64) -> Option<u64> {
    if !(seconds > 0.0 && seconds <= TIMEOUT_S_MAX) {
        return None;
    }
    let duration = std::time::Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(duration.as_millis()).ok().filter(|milliseconds| *milliseconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Vec<Session>, Wrong> {
        #[derive(Deserialize)]
        struct File {
            session: Vec<SessionSection>,
        }
        let file: File = toml::from_str(text).unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("in.txt"), "from a file").unwrap();
        resolve(&file.session, root.path())
    }

    const GOOD: &str = "[[session]]\nname = \"wc\"\ncommand = [\"python3\", \"-m\", \"wc\"]\n";
    const CASE: &str = "[[session.case]]\nname = \"one\"\n";

    #[test]
    fn a_session_is_complete_with_defaults() {
        let sessions = resolved(&format!("{GOOD}{CASE}stdin-file = \"in.txt\"\n")).unwrap();
        let session = &sessions[0];
        assert_eq!((session.program.as_str(), session.timeout_ms, session.generated), ("wc", 5000, 8));
        assert!(session.relation.files);
        assert_eq!(session.relation.stderr, StderrRelation::Class);
        assert_eq!(session.cases[0].input, Input::Whole(b"from a file".to_vec()));
    }

    #[test]
    fn each_wrong_entry_is_named_by_its_keys() {
        for (session, case, key) in [
            ("", "stdin = \"a\"\nlines = [\"{}\"]", "0.case.0.name"),
            ("", "lines = []", "0.case.0.lines"),
            ("", "lines = [\"{}\", \"a\\nb\"]", "0.case.0.lines.1"),
            ("", "stdin-file = \"no.txt\"", "0.case.0.stdin-file"),
            ("", "stdin-file = \"../in.txt\"", "0.case.0.stdin-file"),
            ("", "files = { \"../x\" = \"\" }", "0.case.0.files"),
            ("", "files = { \"/x\" = \"\" }", "0.case.0.files"),
            ("", "files = { \"x\" = \"\", \"x/y\" = \"\" }", "0.case.0.files"),
            ("", "files = { a = \"\" }\nfiles-from = { a = \"in.txt\" }", "0.case.0.files-from.a"),
            ("", "environment = { PATH = \"x\" }", "0.case.0.environment"),
            ("", "[[session.case]]\nname = \"one\"", "0.case.1.name"),
            ("", "[[session.case]]\nname = \"a: b\"", "0.case.1.name"),
            ("program = \"../wc\"", "", "0.program"),
            ("extension = \"a.1\"", "", "0.extension"),
            ("extension = \"a\"\nprogram = \"b\"", "", "0.program"),
            ("extension-sources = \"python\"", "", "0.extension-sources"),
            ("extension = \"a\"\nextension-sources = \"../x\"", "", "0.extension-sources"),
            ("timeout-s = 0.0", "", "0.timeout-s"),
            ("timeout-s = nan", "", "0.timeout-s"),
            ("generated = 100000", "", "0.generated"),
            ("ignore = [\"time\"]", "", "0.ignore.0"),
            ("ignore-files = [\"[\"]", "", "0.ignore-files.0"),
            ("environment = { \"a b\" = \"\" }", "", "0.environment"),
            ("mask = [{ pattern = \"(\" }]", "", "0.mask.0.pattern"),
            ("mask = [{ pattern = \"x*\" }]", "", "0.mask.0.pattern"),
        ] {
            let Err((keys, message, help)) = resolved(&format!("{GOOD}{session}\n{CASE}{case}\n")) else {
                panic!("it is taken: {session}{case}")
            };
            assert_eq!(keys.join("."), key, "{message}");
            assert!(!help.is_empty());
        }
        for (text, key) in [
            (GOOD.to_owned(), "0.name"),
            (format!("{}{CASE}", GOOD.replace("\"wc\"", "\"w c\"")), "0.name"),
            (format!("{}{CASE}", GOOD.replace("[\"python3\", \"-m\", \"wc\"]", "[]")), "0.command"),
            (format!("{GOOD}{CASE}{GOOD}{CASE}"), "1.name"),
        ] {
            assert_eq!(resolved(&text).unwrap_err().0.join("."), key);
        }
    }
}
