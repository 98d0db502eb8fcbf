//! A chain in a file of its own: who translates, with which prompts and which style.
//!
//! What is left out is the port's own.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::diagnostic::ConfigError;
use super::file::{ConfigFile, PortSection, TranslateSection, UpstreamSection};
use super::settings::{BestOf, CONFIG_VERSION, ChainEntry, Check, ModelAccess, Settings};
use super::{parse_error, span};
use crate::budget::Budget;

/// A chain file as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ChainFile {
    /// A folder of templates of prompts, from this file on.
    prompts: Option<String>,
    /// A style guide, from this file on.
    style: Option<String>,
    /// Who translates; as in `tidelock.toml`, but that folders begin at this file.
    translate: TranslateSection,
}

/// Who translates, and how they are asked.
#[derive(Debug, Clone)]
pub struct ChainSettings {
    /// The translators, in order.
    pub chain: Vec<ChainEntry>,
    /// The most requests under way with all models together.
    pub at_once_max: usize,
    /// Several candidates for risky units.
    pub best_of: BestOf,
    /// What models may cost.
    pub budget: Budget,
    /// The folders of translation memory, where they are named.
    pub memory: Option<Vec<PathBuf>>,
    /// The style guide's text.
    pub style: String,
    /// The folder of templates of prompts.
    pub prompts: PathBuf,
}

impl ChainSettings {
    /// What a port has configured, but for its memory.
    pub fn of(settings: &Settings) -> Self {
        let mut own = Self {
            chain: settings.chain.clone(),
            at_once_max: settings.at_once_max,
            best_of: settings.best_of,
            budget: settings.budget.clone(),
            memory: None,
            style: settings.style.clone(),
            prompts: settings.prompts.clone(),
        };
        for entry in &mut own.chain {
            anchor(entry, &settings.root);
        }
        own
    }

    /// Reads a chain file; what it leaves out is as the port has it.
    pub fn read(path: &Path, text: &str, port: &Settings) -> Result<Self, ConfigError> {
        let file: ChainFile = toml::from_str(text).map_err(|error| parse_error(path, text, &error))?;
        let root = path.parent().unwrap_or(Path::new("."));
        let check = Check { path, text, root };
        let wrong = |key: &str, message: String, help: &str| {
            ConfigError::at(path, text, span::span_of(text, &[key]), message, help)
        };
        let style = match &file.style {
            None => port.style.clone(),
            Some(name) => std::fs::read_to_string(root.join(name)).map_err(|error| {
                let message = format!("cannot read the style guide `{name}`: {error}");
                wrong("style", message, "name a text file, from the folder of this file on")
            })?,
        };
        let prompts = match &file.prompts {
            None => port.prompts.clone(),
            Some(name) if root.join(name).is_dir() => root.join(name),
            Some(name) => {
                let message = format!("there is no folder `{name}`");
                return Err(wrong("prompts", message, "name a folder, from the folder of this file on"));
            }
        };
        let config = around(file.translate);
        let mut chain = check.chain(&config)?;
        for entry in &mut chain {
            anchor(entry, root);
        }
        Ok(Self {
            chain,
            at_once_max: check.at_once_max(&config)?,
            best_of: check.best_of(&config)?,
            budget: check.budget(&config)?,
            memory: config.translate.memory.is_some().then(|| check.memory(&config)).transpose()?,
            style,
            prompts,
        })
    }
}

/// Commands run in the port that they translate for. A word that begins with `./` or `../` means a file beside the
/// configuration, wherever that port is.
fn anchor(entry: &mut ChainEntry, folder: &Path) {
    let ChainEntry::Model(model) = entry else { return };
    let ModelAccess::Command { command, .. } = &mut model.access else { return };
    for word in command.iter_mut().filter(|word| word.starts_with("./") || word.starts_with("../")) {
        *word = folder.join(&*word).to_string_lossy().into_owned();
    }
}

/// A configuration that says nothing but who translates: what checks one checks the other.
fn around(translate: TranslateSection) -> ConfigFile {
    ConfigFile {
        version: CONFIG_VERSION,
        upstream: UpstreamSection::default(),
        port: PortSection {
            name: None,
            language: "python".to_owned(),
            source_root: None,
            branch: None,
            style: None,
            runtime: None,
            environment: super::building::EnvironmentSection::default(),
        },
        convention: None,
        map: Vec::new(),
        link: Vec::new(),
        extension: Vec::new(),
        parity: super::parity::ParitySection::default(),
        decision: Vec::new(),
        translate,
        gate: super::file::GateSection::default(),
        session: Vec::new(),
        bench: Vec::new(),
        bench_objective: super::bench::ObjectiveSection::default(),
        land: super::file::LandSection::default(),
        forge: None,
        sandbox: super::file::SandboxSection::default(),
        watch: super::watch::WatchSection::default(),
        alert: super::alert::AlertSection::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: &str =
        "version = 1\n[upstream]\nregistry = \"tally\"\n[port]\n[translate]\nchain = [\"rules\"]\n";

    fn read(folder: &Path, text: &str) -> Result<ChainSettings, ConfigError> {
        let mut port = super::super::read(&folder.join("tidelock.toml"), PORT, None).unwrap();
        port.style = "as the port has it".to_owned();
        ChainSettings::read(&folder.join("chain.toml"), text, &port)
    }

    #[test]
    fn what_a_chain_file_leaves_out_is_the_ports_own() {
        let folder = tempfile::tempdir().unwrap();
        let chain = read(folder.path(), "[translate]\nchain = [\"verify-first\"]\n").unwrap();
        assert_eq!(chain.chain, [ChainEntry::VerifyFirst]);
        assert_eq!(chain.style, "as the port has it");
        assert_eq!(chain.prompts, folder.path().join("prompts"));
        assert_eq!(chain.memory, None);
    }

    #[test]
    fn what_a_chain_file_names_begins_at_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("short")).unwrap();
        std::fs::write(folder.path().join("S.md"), "briefly").unwrap();
        let text = "prompts = \"short\"\nstyle = \"S.md\"\n[translate]\nmemory = [\"short\"]\n\
                    [[translate.model]]\nname = \"a\"\nkind = \"command\"\ncommand = [\"sh\", \"./a.sh\"]\n";
        let chain = read(folder.path(), text).unwrap();
        assert_eq!((chain.style.as_str(), chain.prompts), ("briefly", folder.path().join("short")));
        assert_eq!(chain.memory, Some(vec![folder.path().join("short")]));
        let Some(ChainEntry::Model(model)) = chain.chain.last() else { panic!("the model is not asked") };
        let ModelAccess::Command { command, .. } = &model.access else { panic!("it is a command") };
        assert_eq!(command[1], folder.path().join("./a.sh").to_string_lossy());
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        for (text, line, message) in [
            ("[translate]\n[gate]\nprobes = 1\n", 2, "unknown field `gate`"),
            ("[translate]\nchain = [\"magic\"]\n", 2, "there is no translator `magic`"),
            ("style = \"none.md\"\n[translate]\n", 1, "cannot read the style guide `none.md`"),
            ("[translate]\nmemory = [\"nowhere\"]\n", 2, "there is no folder `nowhere`"),
            ("prompts = \"nowhere\"\n[translate]\n", 1, "there is no folder `nowhere`"),
            ("[translate\n", 1, ""),
            ("style = \"S.md\"\n", 1, "missing field `translate`"),
        ] {
            let error = read(folder.path(), text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error}");
            assert_eq!(error.line, line, "{text}: {error}");
        }
    }
}
