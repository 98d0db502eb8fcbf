//! A run as one HTML file that loads nothing, runs no script and can be read by keyboard, ear and on paper.
//!
//! [`view`] turns the record into what the page shows, `markup` draws code and figures, and the template
//! places them. No foreign text enters the page but through escaping, and the page's own policy forbids
//! everything besides its inline style.

pub(super) mod bench;
pub(super) mod bounds;
mod evidence;
pub(super) mod markup;
pub(super) mod unit;
pub(super) mod view;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};

use crate::record::RunRecord;

use super::RenderError;

pub(super) const TEMPLATES: [(&str, &str); 10] = [
    ("report.html", include_str!("../templates/report.html")),
    ("revision.html", include_str!("../templates/revision.html")),
    ("changed.html", include_str!("../templates/changed.html")),
    ("unit_body.html", include_str!("../templates/unit_body.html")),
    ("gated.html", include_str!("../templates/gated.html")),
    ("revhead.html", include_str!("../templates/revhead.html")),
    ("items.html", include_str!("../templates/items.html")),
    ("about.html", include_str!("../templates/about.html")),
    ("parts.html", include_str!("../templates/parts.html")),
    ("style.css", include_str!("../templates/style.css")),
];

/// The run as a self-contained HTML page.
pub fn html(record: &RunRecord) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("prose", |text: &str| markup::prose(text));
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let page = view::page(record);
    Ok(environment.get_template("report.html")?.render(context! { page => Value::from(Serde(page)) })?)
}

#[cfg(test)]
mod tests;
