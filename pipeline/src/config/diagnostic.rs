//! Configuration errors that show file, line and column, and say what to write instead.

use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A place in a configuration file that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    rendered: String,
}

impl ConfigError {
    /// An error at a range of bytes of the file's text.
    pub fn at(
        path: &Path,
        text: &str,
        span: Option<Range<usize>>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let (message, help) = (message.into(), help.into());
        let text = &masked(text);
        let span = span.unwrap_or(0..0);
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let origin = path.display().to_string();
        let snippet = Snippet::source(text)
            .line_start(1)
            .path(&origin)
            .annotation(AnnotationKind::Primary.span(span).label(help.as_str()));
        let report = &[Level::ERROR.primary_title(message.as_str()).element(snippet)];
        let rendered = Renderer::plain().decor_style(DecorStyle::Ascii).render(report);
        Self { path: path.to_owned(), line, column, message, help, rendered }
    }
}

/// The text with stars in place of users and passwords in addresses: what is shown ends in logs.
fn masked(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut shown = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        shown.push_str("://");
        let end =
            piece.find(|end: char| end.is_whitespace() || "/?#\"'`".contains(end)).unwrap_or(piece.len());
        let (authority, rest) = piece.split_at(end);
        match authority.rsplit_once('@') {
            // As many bytes as there were, so that what is pointed at stays where it is.
            Some((user, host)) => {
                shown.push_str(&"*".repeat(user.len()));
                shown.push('@');
                shown.push_str(host);
            }
            None => shown.push_str(authority),
        }
        shown.push_str(rest);
    }
    shown
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rendered)
    }
}

impl std::error::Error for ConfigError {}
