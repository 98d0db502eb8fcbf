//! What the compiler complained of, from the messages that Cargo writes for programs.
//!
//! Main function: [`errors`]. The short form for people leaves out what the linker said, which is where a full disk
//! shows. Format: `--message-format json-diagnostic-short` of Cargo's book, "External tools".

use serde::Deserialize;

/// The longest line of a linker that is told, in bytes: its command line is one of many thousands.
const LINE_BYTES_MAX: usize = 300;

#[derive(Deserialize)]
struct Message {
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    #[serde(default)]
    level: String,
    #[serde(default)]
    message: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    children: Vec<Diagnostic>,
}

/// The compiler's errors, a line each: `src/lib.rs:3:4: error[E0308]: mismatched types`. Behind an error that is about
/// no place in a source stand its notes. What is no message, such as what a macro prints, is left out.
pub(super) fn errors(stdout: &[u8]) -> String {
    let messages =
        stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    let mut text = String::new();
    for error in messages.filter_map(|message| message.message).filter(|it| it.level.starts_with("error")) {
        text.push_str(error.rendered.as_deref().unwrap_or(&error.message).trim_end());
        text.push('\n');
        if !error.spans.is_empty() {
            continue;
        }
        for line in error.children.iter().flat_map(|note| note.message.lines()) {
            if line.len() <= LINE_BYTES_MAX {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_lines_and_those_without_a_place_have_their_notes() {
        let placed = r#"{"reason":"compiler-message","message":{"level":"error","message":"m","rendered":"src/a.rs:1:2: error: m\n","spans":[{}],"children":[{"level":"note","message":"why","rendered":null,"spans":[],"children":[]}]}}"#;
        let warning =
            r#"{"reason":"compiler-message","message":{"level":"warning","rendered":"w","spans":[]}}"#;
        let linker = format!(
            r#"{{"message":{{"level":"error: internal compiler error","message":"linking failed","rendered":null,"children":[{{"message":"{}"}},{{"message":"one\nfatal"}}]}}}}"#,
            "x".repeat(LINE_BYTES_MAX + 1)
        );
        let stdout = format!(
            "{placed}\n{{\"reason\":\"build-finished\"}}\nprinted by a macro {{\n{warning}\n{linker}\n{{\"message\":7}}\n"
        );
        assert_eq!(errors(stdout.as_bytes()), "src/a.rs:1:2: error: m\nlinking failed\none\nfatal\n");
        assert_eq!(errors(&[0xff, b'\n', b'{']), "");
    }
}
