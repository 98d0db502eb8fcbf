//! Commands that act on what waits for a person, as a shell reads them: the dashboard shows them and runs none.

use reports::board::Command;

use crate::config::Settings;

/// The commands for one port.
#[derive(Debug)]
pub(super) struct Commands {
    /// `tidelock --directory FOLDER`; `None` where the folder cannot be written in one line.
    tidelock: Option<String>,
}

impl Commands {
    /// For the port of these settings.
    pub(super) fn of(settings: &Settings) -> Self {
        let folder = settings.root.to_str().and_then(quoted);
        Self { tidelock: folder.map(|folder| format!("cd {folder} && tidelock")) }
    }

    /// What may be done about an item that is parked.
    pub(super) fn about(&self, item: &str) -> Vec<Command> {
        let (Some(tidelock), Some(item)) = (&self.tidelock, quoted(item)) else { return Vec::new() };
        vec![
            Command { what: "take it up again", text: format!("{tidelock} sync --retry") },
            Command { what: "leave it alone", text: format!("{tidelock} decline {item} --reason 'say why'") },
            Command {
                what: "leave it until a day",
                text: format!("{tidelock} defer {item} --until YYYY-MM-DD --reason 'say why'"),
            },
        ]
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
    (!text.starts_with('-')).then(|| format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
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
        let commands = Commands { tidelock: None };
        assert!(commands.about("a").is_empty());
    }
}
