//! What is to be ported, as people name it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use upstream::source::{Follow, History, SourceSpec, TagOrder};

use super::super::CliError;

/// The upstream that a text names: a folder that is there, an address, a whole source, or else a crate.
pub(super) fn parse(text: &str, directory: &Path) -> Result<SourceSpec, CliError> {
    let spec = if text.starts_with("registry:") || text.starts_with("git:") {
        text.to_owned()
    } else if directory.join(text).is_dir() {
        let folder = directory.join(text).canonicalize().map_err(|error| anyhow!(error))?;
        format!("git:{}", folder.display())
    } else if text.contains("://") || text.contains('/') || text.contains('@') {
        format!("git:{text}")
    } else {
        format!("registry:{text}")
    };
    spec.parse().map_err(|error| {
        CliError::usage(anyhow!("`--upstream`: {error}"))
            .hint("write a crate's name, or the path or the address of a git repository")
    })
}

/// `[upstream]` of the configuration.
pub(super) fn section(spec: &SourceSpec) -> String {
    let quoted = |text: &str| toml_edit::Value::from(text).to_string().trim().to_owned();
    match spec {
        SourceSpec::Registry { krate, pre_releases } => {
            let more = if *pre_releases { "\npre-releases = true" } else { "" };
            format!("registry = {}{more}", quoted(krate))
        }
        SourceSpec::Git { url, follow, history } => {
            let mut text = format!("git = {}", quoted(url));
            match follow {
                Follow::Branch(branch) => {
                    write!(text, "\nbranch = {}", quoted(branch)).expect("a text takes anything");
                }
                Follow::DefaultBranch => {}
                Follow::Tags { pattern, order, pre_releases } => {
                    write!(text, "\ntags = {}", quoted(pattern)).expect("a text takes anything");
                    if *order == TagOrder::Date {
                        text.push_str("\ntag-order = \"date\"");
                    }
                    if !pre_releases {
                        text.push_str("\npre-releases = false");
                    }
                }
            }
            if *history == History::Full {
                text.push_str("\nhistory = \"full\"");
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_folders_and_addresses_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("up")).unwrap();
        let parsed = |text| parse(text, folder.path()).map(|spec| spec.to_string());
        assert_eq!(parsed("strsim").unwrap(), "registry:strsim");
        assert!(parsed("up").unwrap().starts_with("git:/"));
        assert_eq!(parsed("https://example.com/x.git").unwrap(), "git:https://example.com/x.git");
        assert_eq!(parsed("git:../up#tags=v*").unwrap(), "git:../up#tags=v*");
        let wrong = parsed("a crate\nof two lines").unwrap_err();
        assert!(wrong.to_string().contains("crate's name"), "{wrong}");
    }

    #[test]
    fn the_section_says_what_the_source_does() {
        let section = |text: &str| section(&text.parse().unwrap());
        assert_eq!(section("registry:strsim"), "registry = \"strsim\"");
        assert_eq!(section("git:../up#branch=dev"), "git = \"../up\"\nbranch = \"dev\"");
        assert_eq!(section("git:../up#tags=v*"), "git = \"../up\"\ntags = \"v*\"");
    }
}
