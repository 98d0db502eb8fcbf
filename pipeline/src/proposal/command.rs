//! Commands in comments: `/tidelock retry`, `explain`, `decline`, `defer` and `land`.
//!
//! They are people's words and reach nothing but the step that they name; who may say them is the forge's to tell.

use mappings::decision::day;

/// Begins a command, at the beginning of a line.
const BEGIN: &str = "/tidelock";
/// Characters of a reason that are taken.
const REASON_CHARS_MAX: usize = 200;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Try again what is parked; of a closed pull request: propose it again.
    Retry,
    /// Say what is open, and why.
    Explain,
    /// Close it and leave it.
    Decline {
        /// Why; may be empty.
        reason: String,
    },
    /// Close it until a day.
    Defer {
        /// The day.
        until: String,
        /// Why; may be empty.
        reason: String,
    },
    /// Merge it.
    Land,
    /// Something that is no command, with what is wrong about it.
    Wrong(String),
}

/// The first command of a comment, outside of quotes and blocks of code.
pub fn parse(body: &str) -> Option<Command> {
    let mut fenced = false;
    for line in body.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        let Some(rest) = line.strip_prefix(BEGIN).filter(|_| !fenced) else { continue };
        if rest.is_empty() || rest.starts_with(char::is_whitespace) {
            return Some(command(rest));
        }
    }
    None
}

fn command(rest: &str) -> Command {
    let mut words = rest.split_whitespace();
    let verb = words.next().unwrap_or_default().to_lowercase();
    let mut rest = || reason(&words.by_ref().collect::<Vec<_>>().join(" "));
    match verb.as_str() {
        "retry" => Command::Retry,
        "explain" => Command::Explain,
        "land" => Command::Land,
        "decline" => Command::Decline { reason: rest() },
        "defer" => {
            let said = rest();
            let (until, why) = said.split_once(' ').unwrap_or((&said, ""));
            match day(until) {
                Ok(_) => Command::Defer { until: until.to_owned(), reason: why.to_owned() },
                Err(_) => {
                    Command::Wrong("`defer` needs a day, as in `/tidelock defer 2027-03-01 why`".to_owned())
                }
            }
        }
        _ => Command::Wrong("that is no command".to_owned()),
    }
}

/// One bounded line.
fn reason(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(REASON_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_from_the_beginning_of_a_line() {
        assert_eq!(parse("Thanks!\n/tidelock retry\n"), Some(Command::Retry));
        assert_eq!(parse("/tidelock Land"), Some(Command::Land));
        let declined = parse("/tidelock decline  we have\tour own ");
        assert_eq!(declined, Some(Command::Decline { reason: "we have our own".to_owned() }));
        let deferred = parse("/tidelock defer 2027-03-01 after the release");
        let (until, reason) = ("2027-03-01".to_owned(), "after the release".to_owned());
        assert_eq!(deferred, Some(Command::Defer { until, reason }));
    }

    #[test]
    fn what_is_quoted_fenced_or_only_mentioned_is_none() {
        for body in ["> /tidelock land", "say /tidelock land", "```\n/tidelock land\n```", "/tidelocked", ""]
        {
            assert_eq!(parse(body), None, "{body}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_said_to_be_wrong() {
        for body in ["/tidelock", "/tidelock merge", "/tidelock defer", "/tidelock defer 2027-13-01"] {
            assert!(matches!(parse(body), Some(Command::Wrong(_))), "{body}");
        }
        let Some(Command::Decline { reason }) = parse(&format!("/tidelock decline {}", "x".repeat(999)))
        else {
            panic!("a long reason is a reason");
        };
        assert_eq!(reason.len(), REASON_CHARS_MAX);
    }
}
