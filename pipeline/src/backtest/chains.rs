//! Which chains are compared, by name.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use upstream::ContentHash;
use walkdir::WalkDir;

use crate::config::{ChainEntry, ChainSettings, ModelAccess, Settings};

/// Files beside a chain that are larger than this count by their size alone.
const HASHED_BYTES_MAX: u64 = 4 << 20;

/// The most files of a folder that count.
const HASHED_FILES_MAX: usize = 10_000;

/// A chain that is tried.
#[derive(Debug, Clone)]
pub(crate) struct NamedChain {
    pub(crate) name: String,
    pub(crate) settings: ChainSettings,
    /// A hash of all that makes it what it is, as far as that is on this machine.
    pub(crate) digest: ContentHash,
}

/// The chains of the command line: `NAME=FILE`, or `NAME` for the port's own. Without any, the port's own.
pub(crate) fn named(texts: &[String], port: &Settings, directory: &Path) -> Result<Vec<NamedChain>> {
    let own = ["port".to_owned()];
    let texts = if texts.is_empty() { &own[..] } else { texts };
    let mut chains: Vec<NamedChain> = Vec::new();
    for text in texts {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text.as_str(), None),
        };
        let plain = |letter: char| letter.is_alphanumeric() || "-_.+:".contains(letter);
        if name.is_empty() || !name.chars().all(plain) {
            bail!("`{text}`: a chain needs a name of letters, digits and `-_.+:`: write `NAME=FILE`");
        }
        if chains.iter().any(|chain| chain.name == name) {
            bail!("two chains are called `{name}`");
        }
        let settings = match file {
            None => ChainSettings::of(port),
            Some(file) => {
                let path = directory.join(file);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read the chain `{}`", path.display()))?;
                ChainSettings::read(&path, &text, port).map_err(|wrong| anyhow!(wrong))?
            }
        };
        ensure_can_be_asked(name, &settings)?;
        chains.push(NamedChain { name: name.to_owned(), digest: digest(&settings), settings });
    }
    Ok(chains)
}

/// Nobody sits behind a backtest to answer.
fn ensure_can_be_asked(name: &str, settings: &ChainSettings) -> Result<()> {
    for entry in &settings.chain {
        let ChainEntry::Model(model) = entry else { continue };
        if model.batch.is_some() {
            bail!(
                "the chain `{name}` asks `{}` by batches, and a backtest cannot wait for them: leave `batch` out",
                model.name
            );
        }
        if matches!(model.access, ModelAccess::Inbox { .. }) {
            bail!(
                "the chain `{name}` asks the inbox `{}`, and a backtest cannot wait for people",
                model.name
            );
        }
    }
    Ok(())
}

fn digest(settings: &ChainSettings) -> ContentHash {
    let ChainSettings { chain, at_once_max: _, best_of, budget, memory, style, prompts } = settings;
    let mut parts = vec![format!("{chain:?}"), format!("{best_of:?}"), format!("{budget:?}"), style.clone()];
    parts.push(of_path(prompts));
    parts.push(memory.is_some().to_string());
    parts.extend(memory.iter().flatten().map(|folder| of_path(folder)));
    for entry in chain {
        let ChainEntry::Model(model) = entry else { continue };
        match &model.access {
            // A script that changed answers otherwise.
            ModelAccess::Command { command, .. } => {
                let named =
                    command.iter().map(PathBuf::from).filter(|path| path.is_absolute() && path.is_file());
                parts.extend(named.map(|path| of_path(&path)));
            }
            ModelAccess::Replay { folder } => parts.push(of_path(folder)),
            ModelAccess::Chat { .. }
            | ModelAccess::Responses { .. }
            | ModelAccess::Anthropic { .. }
            | ModelAccess::Inbox { .. } => {}
        }
    }
    ContentHash::of_parts(parts)
}

/// A hash of a file, or of the files of a folder; of what is not there, that it is not.
fn of_path(path: &Path) -> String {
    let files = WalkDir::new(path).sort_by_file_name().into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file()).take(HASHED_FILES_MAX);
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let name = file.path().strip_prefix(path).unwrap_or(file.path());
        parts.push(name.to_string_lossy().into_owned().into_bytes());
        let bytes = file.metadata().map_or(0, |metadata| metadata.len());
        let content = if bytes > HASHED_BYTES_MAX { None } else { std::fs::read(file.path()).ok() };
        parts.push(content.unwrap_or_else(|| bytes.to_string().into_bytes()));
    }
    ContentHash::of_parts(parts).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: &str = "version = 1\n[upstream]\nregistry = \"tally\"\n[port]\n";

    fn port(folder: &Path) -> Settings {
        crate::config::read(&folder.join("tidelock.toml"), PORT, None).unwrap()
    }

    fn refusal(folder: &Path, texts: &[&str]) -> String {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        format!("{:#}", named(&texts, &port(folder), folder).unwrap_err())
    }

    #[test]
    fn without_any_the_ports_own_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let chains = named(&[], &port(folder.path()), folder.path()).unwrap();
        assert_eq!(chains.iter().map(|chain| chain.name.as_str()).collect::<Vec<_>>(), ["port"]);
    }

    #[test]
    fn names_must_be_there_and_differ_and_files_must_be_readable() {
        let folder = tempfile::tempdir().unwrap();
        assert!(refusal(folder.path(), &["=x.toml"]).contains("a chain needs a name"));
        assert!(refusal(folder.path(), &["a b=x.toml"]).contains("a chain needs a name"));
        assert!(refusal(folder.path(), &["a", "a"]).contains("two chains are called `a`"));
        assert!(refusal(folder.path(), &["a=none.toml"]).contains("cannot read the chain"));
        let inbox = "[translate]\n[[translate.model]]\nname = \"people\"\nkind = \"inbox\"\n";
        std::fs::write(folder.path().join("inbox.toml"), inbox).unwrap();
        assert!(refusal(folder.path(), &["a=inbox.toml"]).contains("cannot wait for people"));
        let batched = "[translate]\n[[translate.model]]\nname = \"later\"\nkind = \"chat\"\nmodel = \"m\"\n\
                       base-url = \"http://127.0.0.1/v1\"\nbatch = true\n";
        std::fs::write(folder.path().join("batched.toml"), batched).unwrap();
        assert!(refusal(folder.path(), &["a=batched.toml"]).contains("cannot wait for them"));
    }

    #[test]
    fn a_chain_is_another_once_a_file_that_it_uses_changed() {
        let folder = tempfile::tempdir().unwrap();
        let text = "prompts = \"short\"\n[translate]\n[[translate.model]]\nname = \"a\"\nkind = \"command\"\n\
                    command = [\"sh\", \"./a.sh\"]\n";
        std::fs::write(folder.path().join("a.toml"), text).unwrap();
        std::fs::write(folder.path().join("a.sh"), "one").unwrap();
        std::fs::create_dir(folder.path().join("short")).unwrap();
        let digest = || {
            let chains = named(&["a=a.toml".to_owned()], &port(folder.path()), folder.path()).unwrap();
            chains[0].digest
        };
        let first = digest();
        assert_eq!(first, digest());
        std::fs::write(folder.path().join("a.sh"), "two").unwrap();
        let second = digest();
        assert_ne!(first, second);
        std::fs::write(folder.path().join("short/rules.md"), "x").unwrap();
        assert_ne!(second, digest());
    }
}
