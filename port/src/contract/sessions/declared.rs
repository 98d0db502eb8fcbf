//! What people declare: a program, what answers to it in the port, cases, and what of them is compared.

use std::collections::BTreeMap;

use globset::GlobMatcher;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::mask::Mask;

/// A program of the upstream and its counterpart.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its name in reports.
    pub name: String,
    /// The upstream's package that has the program, where several have one of that name.
    pub package: Option<String>,
    /// The upstream's program, as Cargo names it.
    pub program: String,
    /// The Python module that the upstream's library is, where that takes the place of a program.
    pub extension: Option<Extension>,
    /// The port's program and its first arguments; `{port}` in them is the root of the port.
    pub command: Vec<String>,
    /// Variables that both sides see in every case.
    pub environment: BTreeMap<String, String>,
    /// What is compared.
    pub relation: Relation,
    /// The longest one run may take, in milliseconds; for servers, the longest that an answer may take.
    pub timeout_ms: u64,
    /// How many further cases are made from those that are declared.
    pub generated: u32,
    /// The declared cases.
    pub cases: Vec<Case>,
}

/// A library that Python imports: both sides run the same command, the upstream's with this module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The module, such as `parser._core`.
    pub module: String,
    /// The folder of the upstream with the Python files around it; `None` where there are none.
    pub sources: Option<String>,
}

/// One run of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name in the session.
    pub name: String,
    /// Arguments.
    pub arguments: Vec<String>,
    /// What it reads from standard input.
    pub input: Input,
    /// Files that are there when it starts, by their paths in the folder that it runs in.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Variables that both sides see.
    pub environment: BTreeMap<String, String>,
    /// Who thought of it.
    pub origin: Origin,
}

/// What a program reads from standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// All of it, and then its end.
    Whole(Vec<u8>),
    /// Requests, a line of JSON each, which it answers with a line of JSON each.
    Lines(Vec<String>),
}

impl Input {
    /// What is written to a program that does not wait for answers.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Whole(bytes) => bytes.clone(),
            Self::Lines(lines) => lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect(),
        }
    }
}

/// Who thought of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A person: everybody may know it.
    Declared,
    /// Made from a declared one by a secret: it decides.
    Generated,
}

/// What is compared of a run.
#[derive(Debug, Clone, Default)]
pub struct Relation {
    /// Standard output.
    pub stdout: StdoutRelation,
    /// Standard error.
    pub stderr: StderrRelation,
    /// The exit code.
    pub exit: ExitRelation,
    /// Whether the files are compared that a run leaves in its folder.
    pub files: bool,
    /// Files that are not.
    pub ignored_files: IgnoredFiles,
    /// What is random, replaced on both sides before anything is compared.
    pub masks: Vec<Mask>,
    /// JSON pointers to what is not compared in answers, or in standard output that is JSON.
    pub ignored: Vec<String>,
    /// JSON pointers to lists there whose order does not count.
    pub unordered: Vec<String>,
}

/// How standard output is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StdoutRelation {
    /// Byte by byte.
    #[default]
    Exact,
    /// As one JSON value.
    Json,
    /// Not at all.
    Ignore,
}

/// How standard error is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StderrRelation {
    /// Whether anything was said at all.
    #[default]
    Class,
    /// Byte by byte.
    Exact,
    /// Not at all.
    Ignore,
}

/// How exit codes are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExitRelation {
    /// The same code; a panic is an exception that nobody caught.
    #[default]
    Exact,
    /// Zero or not.
    Class,
    /// Not at all.
    Ignore,
}

/// Patterns of files that are not compared.
#[derive(Debug, Clone, Default)]
pub struct IgnoredFiles {
    patterns: Vec<GlobMatcher>,
}

impl IgnoredFiles {
    /// Reads patterns such as `*.log`; the first that is none, with the reason.
    pub fn new(patterns: &[String]) -> Result<Self, (usize, String)> {
        let read = |(at, text): (usize, &String)| {
            let glob = globset::Glob::new(text).map_err(|error| (at, error.kind().to_string()))?;
            Ok(glob.compile_matcher())
        };
        Ok(Self { patterns: patterns.iter().enumerate().map(read).collect::<Result<_, _>>()? })
    }

    /// Whether a file is not compared.
    pub fn has(&self, path: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.is_match(path))
    }
}
