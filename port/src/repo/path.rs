//! Which texts are paths of files in a tree. Model output and repositories both bring paths; neither may
//! lead out of the tree or into a repository's own folder.

/// The longest path that is taken.
const PATH_BYTES_MAX: usize = 1024;

/// A text that is no path of a file in a tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` is no path of a file in the port: {reason}")]
pub struct BadPath {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Checks a path from the root of a tree, with `/` between its segments.
pub fn check_path(path: &str) -> Result<(), BadPath> {
    let bad = |reason| Err(BadPath { path: path.chars().take(200).collect(), reason });
    if path.is_empty() {
        return bad("it is empty");
    } else if path.len() > PATH_BYTES_MAX {
        return bad("it is too long");
    } else if path.starts_with('/') {
        return bad("it begins at the root of the file system");
    } else if path.contains(['\\', ':']) {
        return bad("it holds a backslash or a colon");
    } else if path.chars().any(char::is_control) {
        return bad("it holds a control character");
    }
    for segment in path.split('/') {
        match segment {
            "" => return bad("it has an empty segment"),
            "." | ".." => return bad("it has a segment `.` or `..`"),
            _ if is_git_folder(segment) => return bad("it leads into a repository's own folder"),
            _ if segment != segment.trim() || segment.ends_with('.') => {
                return bad("a segment begins or ends with white space, or ends with a dot");
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks one name of a tree's entry before it becomes a name on disk. Odd names are taken; names that lead
/// elsewhere are not.
pub(super) fn check_segment(name: &[u8]) -> Result<(), BadPath> {
    let text = String::from_utf8_lossy(name);
    let reason = if name.is_empty() || matches!(name, b"." | b"..") {
        "it is empty, `.` or `..`"
    } else if name.contains(&b'/') || name.contains(&0) {
        "it holds a slash or a zero byte"
    } else if is_git_folder(&text) {
        "it is a repository's own folder"
    } else {
        return Ok(());
    };
    Err(BadPath { path: text.into_owned(), reason })
}

/// `.git` in every spelling that some file system takes for it.
fn is_git_folder(segment: &str) -> bool {
    let plain: String = segment.chars().filter(|c| !is_ignorable(*c)).collect::<String>().to_lowercase();
    let plain = plain.trim_end_matches([' ', '.']);
    plain == ".git" || plain == "git~1"
}

/// Characters that HFS+ leaves out when it compares names.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_taken() {
        for path in ["a.py", "src/pkg/__init__.py", ".github/workflows/ci.yml", ".gitignore", "a b/c.py"] {
            assert_eq!(check_path(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn every_way_out_is_refused() {
        let out = [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "./a",
            "a/.",
            ".git/config",
            "a/.GIT/hooks/x",
            ".git./x",
            "GIT~1/x",
            ".g\u{200c}it/x",
            "a\\b",
            "C:/x",
            "a\nb",
            " a",
            "a /b",
            "a./b",
        ];
        for path in out {
            assert!(check_path(path).is_err(), "{path}");
        }
        assert!(check_path(&"a/".repeat(1000)).is_err());
    }
}
