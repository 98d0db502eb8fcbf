//! Commands that act on what waits or show what was found, as a shell reads them: the dashboard shows them and runs none.

use std::sync::Arc;

use reports::board::{ByHand, Command};
use reports::record::{CounterexampleRecord, UnitRecord};

use super::symbols::Symbols;
use super::{Kept, locked};
use crate::by_hand;
use crate::config::Settings;

/// Items of one unit that have a command of their own.
const ITEMS_MAX: usize = 3;
/// Symbols in one command.
const SYMBOLS_MAX: usize = 20;

/// The commands for one port.
#[derive(Debug)]
pub(super) struct Commands {
    /// `cd FOLDER && `; `None` where the folder cannot be written in one line.
    there: Option<String>,
    source_root: String,
    is_python: bool,
}

impl Commands {
    /// For the port of these settings.
    pub(super) fn of(settings: &Settings) -> Self {
        let folder = settings.root.to_str().and_then(quoted);
        Self {
            there: folder.map(|folder| format!("cd {folder} && ")),
            source_root: settings.source_root.clone(),
            is_python: settings.language == "python",
        }
    }

    /// What may be done about an item that is parked.
    pub(super) fn about(&self, item: &str) -> Vec<Command> {
        let (Some(there), Some(item)) = (&self.there, quoted(item)) else { return Vec::new() };
        vec![
            Command { what: "take it up again", text: format!("{there}tidelock sync --retry") },
            Command {
                what: "leave it alone",
                text: format!("{there}tidelock decline {item} --reason 'say why'"),
            },
            Command {
                what: "leave it until a day",
                text: format!("{there}tidelock defer {item} --until YYYY-MM-DD --reason 'say why'"),
            },
        ]
    }
}

/// The commands of a port whose symbols are known as far as they were read.
#[derive(Debug)]
pub(super) struct Hand {
    commands: Commands,
    symbols: Arc<Symbols>,
}

impl Hand {
    pub(super) fn of(kept: &Kept) -> Self {
        let symbols = Arc::clone(&locked(&kept.standing).symbols);
        Self { commands: Commands::of(&kept.settings), symbols }
    }
}

impl ByHand for Hand {
    fn counterexample(&self, example: &CounterexampleRecord) -> Option<String> {
        let there = self.commands.there.as_ref().filter(|_| self.commands.is_python)?;
        let module = by_hand::module_of(&example.symbol, |path| self.symbols.has(path));
        let command = by_hand::counterexample(&self.commands.source_root, &module, example)?;
        // What a page would have to show in another way than it is copied is not offered.
        let is_plain = command.lines().all(|line| reports::visible_text(line) == line);
        is_plain.then(|| format!("{there}{command}"))
    }

    fn unit(&self, unit: &UnitRecord) -> Vec<Command> {
        let Some(there) = &self.commands.there else { return Vec::new() };
        let linked = || unit.members.iter().filter(|member| !member.port_after.is_empty());
        let symbols: Vec<String> =
            linked().filter_map(|member| quoted(&member.symbol)).take(SYMBOLS_MAX).collect();
        let items: Vec<String> = linked().filter_map(|member| quoted(&member.item)).take(ITEMS_MAX).collect();
        if symbols.is_empty() {
            return Vec::new();
        }
        let check = format!("{there}tidelock contract check {}", symbols.join(" "));
        let mut all = vec![Command { what: "ask both sides, with new probes", text: check }];
        all.extend(items.iter().map(|item| Command {
            what: "say what is probed, and why",
            text: format!("{there}tidelock contract explain {item}"),
        }));
        all
    }
}

/// One word of a POSIX shell; `None` where a character would end the line or be seen by nobody.
fn quoted(text: &str) -> Option<String> {
    if reports::visible_text(text) != text || text.contains('\t') {
        return None;
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | ':');
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return Some(text.to_owned());
    }
    // What begins like an option stays one, quoted or not.
    (!text.starts_with('-')).then(|| by_hand::quoted(text))
}

#[cfg(test)]
mod tests {
    use reports::record::{MemberRecord, UnitOutcome};

    use super::*;

    #[test]
    fn a_hostile_name_stays_one_word_or_has_no_command() {
        assert_eq!(quoted("a::b").as_deref(), Some("a::b"));
        assert_eq!(quoted("a; rm -rf $HOME").as_deref(), Some("'a; rm -rf $HOME'"));
        assert_eq!(quoted("it's").as_deref(), Some(r"'it'\''s'"));
        assert_eq!(quoted("").as_deref(), Some("''"));
        for hostile in ["a\nrm x", "a\u{202e}b", "a\u{1b}[2J", "--undo", "-x; y", "a\tb"] {
            assert_eq!(quoted(hostile), None, "{hostile:?}");
        }
        let commands = Commands { there: None, source_root: String::new(), is_python: true };
        assert!(commands.about("a").is_empty());
    }

    fn hand(language_is_python: bool) -> Hand {
        let there = Some("cd /srv/tinytext-py && ".to_owned());
        let commands = Commands { there, source_root: "src".to_owned(), is_python: language_is_python };
        Hand { commands, symbols: Arc::default() }
    }

    fn example(call: &str) -> CounterexampleRecord {
        CounterexampleRecord {
            symbol: "t.m.f".to_owned(),
            call: call.to_owned(),
            upstream: "1".to_owned(),
            port: "2".to_owned(),
            program: Vec::new(),
            divergence: None,
            commands: Vec::new(),
        }
    }

    #[test]
    fn a_counterexample_is_run_in_the_ports_folder_and_one_that_cannot_be_shown_as_it_is_has_no_command() {
        assert_eq!(
            hand(true).counterexample(&example("t.m.f('a b')")).unwrap(),
            "cd /srv/tinytext-py && PYTHONPATH='src' python3 -c 'import t.m; print(repr(t.m.f('\\''a b'\\'')))'"
        );
        assert_eq!(hand(true).counterexample(&example("t.m.f('\u{202e}')")), None);
        assert_eq!(hand(true).counterexample(&example("t.m.f('\u{1b}[2J')")), None);
        assert_eq!(hand(false).counterexample(&example("t.m.f('a')")), None);
    }

    #[test]
    fn a_unit_is_asked_about_by_its_symbols_and_what_was_removed_is_not() {
        let member = |port_after: &str| MemberRecord {
            item: "t::f".to_owned(),
            symbol: "t.f".to_owned(),
            file: "t.py".to_owned(),
            change: "body".to_owned(),
            upstream_before: String::new(),
            upstream_after: String::new(),
            port_before: String::new(),
            port_after: port_after.to_owned(),
        };
        let unit = |members| UnitRecord {
            id: "t::f".to_owned(),
            kind: "change".to_owned(),
            reason: String::new(),
            members,
            impacted: Vec::new(),
            attempts: Vec::new(),
            outcome: UnitOutcome::Open,
        };
        let texts: Vec<String> = hand(true)
            .unit(&unit(vec![member("def f(): ...")]))
            .into_iter()
            .map(|command| command.text)
            .collect();
        assert_eq!(
            texts,
            [
                "cd /srv/tinytext-py && tidelock contract check t.f",
                "cd /srv/tinytext-py && tidelock contract explain t::f"
            ]
        );
        assert!(hand(true).unit(&unit(vec![member("")])).is_empty());
    }
}
