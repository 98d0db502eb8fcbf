//! Where one pull request ends and the next begins.

use semver::Version;
use upstream::Revision;

/// What revisions share a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupBy {
    /// All that are new.
    All,
    /// Releases that are compatible by Cargo's rules: of one major version, or of one minor version below 1.0.
    Major,
    /// Releases of one minor version.
    Minor,
    /// Each has its own.
    Revision,
}

/// The last of the new revisions, oldest first, that go with the first.
pub fn end(new: &[Revision], by: GroupBy) -> Option<&Revision> {
    let first = new.first()?;
    let key = key(first.label.as_str(), by);
    match by {
        GroupBy::All => new.last(),
        GroupBy::Revision => Some(first),
        GroupBy::Major | GroupBy::Minor => {
            new.iter().take_while(|revision| self::key(revision.label.as_str(), by) == key).last()
        }
    }
}

/// What releases of a group have in common; `None` of what is no release.
fn key(label: &str, by: GroupBy) -> Option<(u64, u64)> {
    let Version { major, minor, .. } = version(label)?;
    match by {
        GroupBy::Major if major > 0 => Some((major, 0)),
        GroupBy::All | GroupBy::Major | GroupBy::Minor | GroupBy::Revision => Some((major, minor)),
    }
}

/// The version in a label: `1.2.3`, and tags such as `v1.2` and `name-1.2.3`.
fn version(label: &str) -> Option<Version> {
    let mut rests =
        label.char_indices().filter(|(_, c)| c.is_ascii_digit()).filter_map(|(at, _)| label.get(at..));
    rests.find_map(|rest| Version::parse(rest).or_else(|_short| Version::parse(&format!("{rest}.0"))).ok())
}

#[cfg(test)]
mod tests {
    use upstream::{CommitId, RevisionLabel};

    use super::*;

    fn revision(label: &str) -> Revision {
        Revision {
            label: RevisionLabel::new(label).unwrap(),
            commit: CommitId::new("a".repeat(40)).unwrap(),
            summary: String::new(),
            published_s: None,
            withdrawn: false,
        }
    }

    fn ends(labels: &[&str], by: GroupBy) -> String {
        let new: Vec<Revision> = labels.iter().map(|label| revision(label)).collect();
        end(&new, by).map(|end| end.label.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_group_ends_before_what_does_not_belong_to_it() {
        let releases = ["1.2.0", "1.2.1", "1.3.0", "2.0.0-rc.1", "2.0.0"];
        assert_eq!(ends(&releases, GroupBy::All), "2.0.0");
        assert_eq!(ends(&releases, GroupBy::Major), "1.3.0");
        assert_eq!(ends(&releases, GroupBy::Minor), "1.2.1");
        assert_eq!(ends(&releases, GroupBy::Revision), "1.2.0");
        assert_eq!(
            ends(&["0.3.1", "0.3.2", "0.4.0"], GroupBy::Major),
            "0.3.2",
            "below 1.0 the minor one breaks"
        );
        assert_eq!(ends(&["x-v1.2", "x-v1.2.1", "x-v1.3"], GroupBy::Minor), "x-v1.2.1");
        assert_eq!(ends(&[], GroupBy::Major), "");
    }

    #[test]
    fn commits_without_a_version_stay_together() {
        assert_eq!(ends(&["abcdef0", "fedcba9", "1.0.0"], GroupBy::Major), "fedcba9");
    }
}
