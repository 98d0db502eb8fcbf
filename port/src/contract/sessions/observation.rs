//! What can be seen of one run from outside, with what is random taken out.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use upstream::ContentHash;
use upstream::process::{Ending, Finished};
use walkdir::WalkDir;

use super::declared::Relation;
use super::mask::{Mask, masked, masked_json};

/// The most files of a run that are looked at.
const FILES_MAX: usize = 1000;
/// The longest file that is looked at, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// Up to here a file is held as it is, in bytes; behind that by its hash.
const FILE_BYTES_HELD: usize = 64 << 10;
/// What a signal's number is added to where a shell or a first process tells of it.
const SIGNALLED: i32 = 128;
/// The signals of a program that is broken: illegal instruction, trap, abort, bus, arithmetic, segment.
const BROKEN: [i32; 6] = [4, 5, 6, 7, 8, 11];
/// What Rust's own runtime ends a program with that panicked.
const PANICKED: i32 = 101;

/// One run, seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Observation {
    pub(super) ended: Ended,
    pub(super) stdout: Seen,
    pub(super) stderr: Seen,
    /// The files that it left, by their paths in its folder.
    pub(super) files: BTreeMap<String, Seen>,
    /// The answers of a server, one for each request, by the request's number; what it did at the last, where it ended
    /// there.
    pub(super) steps: BTreeMap<usize, Step>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Exit(i32),
    /// By a panic, an exception that nobody caught, or the signal of a broken program.
    Crashed,
    TimedOut,
    /// It wrote without end.
    Flooded,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Answer(Json),
    /// A line that is no JSON.
    Text(String),
    /// It ended before it answered.
    Ended(Ended),
}

/// Some output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Text(String),
    /// No UTF-8, in hexadecimal digits.
    Bytes(String),
    /// Too long to be held.
    Long {
        bytes: u64,
        hash: ContentHash,
    },
    /// No plain file: a link, with where it leads, or a thing of another kind.
    Special(String),
}

impl Seen {
    pub(super) fn of(bytes: &[u8], masks: &[Mask]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(masked(masks, text)),
            Err(_binary) => Self::Bytes(hex::encode(bytes)),
        }
    }

    /// Whether there is nothing.
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl Ended {
    /// How a run ended; `None` where that was no doing of the program's.
    pub(super) fn of(finished: &Finished) -> Option<Self> {
        let code = match finished.ending {
            Ending::Exited(code) => code,
            Ending::Signalled(signal) => SIGNALLED + signal,
            Ending::TimedOut | Ending::Silent => return Some(Self::TimedOut),
            Ending::TooMuchOutput | Ending::TooMuchDisk => return Some(Self::Flooded),
            Ending::DiskFull | Ending::Interrupted => return None,
        };
        let said = String::from_utf8_lossy(&finished.stderr);
        let panicked = code == PANICKED && said.contains("panicked at");
        let raised = code == 1 && said.contains("Traceback (most recent call last)");
        let is_broken = panicked || raised || BROKEN.contains(&(code - SIGNALLED));
        Some(if is_broken { Self::Crashed } else { Self::Exit(code) })
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Exit(code) => format!("exit code {code}"),
            Self::Crashed => "a crash".to_owned(),
            Self::TimedOut => "no end in time".to_owned(),
            Self::Flooded => "output without end".to_owned(),
        }
    }
}

/// The answers among the lines that a server wrote, as far as there are requests.
pub(super) fn answers(stdout: &[u8], masks: &[Mask]) -> Vec<Step> {
    let text = String::from_utf8_lossy(stdout);
    let read = |line: &str| match serde_json::from_str(line) {
        Ok(value) => Step::Answer(masked_json(masks, value)),
        Err(_text) => Step::Text(masked(masks, line)),
    };
    text.lines().filter(|line| !line.trim().is_empty()).map(read).collect()
}

/// The files below a folder; the reason where there is too much to look at. Foreign code made them: no link is followed.
pub(super) fn files_in(folder: &Path, relation: &Relation) -> Result<BTreeMap<String, Seen>, String> {
    let mut files = BTreeMap::new();
    if !relation.files {
        return Ok(files);
    }
    for entry in WalkDir::new(folder).follow_links(false).sort_by_file_name() {
        let entry = entry.map_err(|error| format!("the files that it left cannot be read: {error}"))?;
        let Ok(path) = entry.path().strip_prefix(folder) else { continue };
        let path = path.to_string_lossy().into_owned();
        if entry.file_type().is_dir() || relation.ignored_files.has(&path) {
            continue;
        }
        if files.len() >= FILES_MAX {
            return Err(format!("it left more than {FILES_MAX} files"));
        }
        let seen = if entry.file_type().is_symlink() {
            let leads = std::fs::read_link(entry.path()).unwrap_or_default();
            Seen::Special(format!("a link to {}", masked(&relation.masks, &leads.to_string_lossy())))
        } else if entry.file_type().is_file() {
            read_file(entry.path(), &relation.masks).map_err(|error| format!("`{path}`: {error}"))?
        } else {
            Seen::Special("no plain file".to_owned())
        };
        files.insert(path, seen);
    }
    Ok(files)
}

fn read_file(path: &Path, masks: &[Mask]) -> Result<Seen, String> {
    let bytes = path.metadata().map_err(|error| error.to_string())?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(format!("it is longer than {FILE_BYTES_MAX} bytes"));
    }
    let content = std::fs::read(path).map_err(|error| error.to_string())?;
    let seen = Seen::of(&content, masks);
    Ok(match &seen {
        Seen::Text(text) | Seen::Bytes(text) if text.len() > FILE_BYTES_HELD => {
            Seen::Long { bytes: text.len() as u64, hash: ContentHash::of(text) }
        }
        Seen::Text(_) | Seen::Bytes(_) | Seen::Long { .. } | Seen::Special(_) => seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ending: Ending, stderr: &str) -> Option<Ended> {
        let stderr = stderr.as_bytes().to_vec();
        Ended::of(&Finished { ending, stdout: Vec::new(), stderr, duration_ms: 1 })
    }

    #[test]
    fn a_panic_an_exception_and_a_fault_are_one_kind_of_end() {
        assert_eq!(ended(Ending::Exited(101), "thread 'main' panicked at x"), Some(Ended::Crashed));
        assert_eq!(ended(Ending::Exited(1), "Traceback (most recent call last):\n"), Some(Ended::Crashed));
        assert_eq!(ended(Ending::Exited(139), ""), Some(Ended::Crashed));
        assert_eq!(ended(Ending::Signalled(6), ""), Some(Ended::Crashed));
        assert_eq!(ended(Ending::Exited(101), "no"), Some(Ended::Exit(101)));
        assert_eq!(ended(Ending::Exited(2), "Traceback (most recent call last)"), Some(Ended::Exit(2)));
        assert_eq!(ended(Ending::Signalled(9), ""), Some(Ended::Exit(137)));
        assert_eq!(ended(Ending::Silent, ""), Some(Ended::TimedOut));
        assert_eq!(ended(Ending::DiskFull, ""), None, "that is nobody's fault");
    }

    #[test]
    fn files_are_read_without_following_links_and_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("sub")).unwrap();
        write("sub/a.txt", b"at 12:00");
        write("b.bin", &[0xff, 0]);
        write("c.log", b"noise");
        write("long", &vec![b'x'; FILE_BYTES_HELD + 1]);
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link")).unwrap();
        let relation = Relation {
            files: true,
            ignored_files: super::super::IgnoredFiles::new(&["*.log".to_owned()]).unwrap(),
            masks: vec![Mask::new(r"\d\d:\d\d", "<time>").unwrap()],
            ..Relation::default()
        };
        let found = files_in(folder.path(), &relation).unwrap();
        let names: Vec<_> = found.keys().map(String::as_str).collect();
        assert_eq!(names, ["b.bin", "link", "long", "sub/a.txt"]);
        assert_eq!(found["sub/a.txt"], Seen::Text("at <time>".to_owned()));
        assert_eq!(found["b.bin"], Seen::Bytes("ff00".to_owned()));
        assert_eq!(found["link"], Seen::Special("a link to /etc/passwd".to_owned()));
        assert!(matches!(found["long"], Seen::Long { bytes, .. } if bytes == FILE_BYTES_HELD as u64 + 1));
        assert!(files_in(folder.path(), &Relation::default()).unwrap().is_empty());
        for at in 0..=FILES_MAX {
            write(&format!("n{at}"), b"");
        }
        assert!(files_in(folder.path(), &relation).unwrap_err().contains("more than 1000 files"));
    }

    #[test]
    fn what_a_server_writes_is_read_line_by_line() {
        let masks = [Mask::new("id-[0-9]+", "<id>").unwrap()];
        let steps = answers(b"{\"a\":\"id-7\"}\n\nnot json id-8\n", &masks);
        let expected =
            [Step::Answer(serde_json::json!({ "a": "<id>" })), Step::Text("not json <id>".to_owned())];
        assert_eq!(steps, expected);
    }
}
