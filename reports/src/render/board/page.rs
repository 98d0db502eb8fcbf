//! What every page has: the moment, the port and which of its pages this is; the rest is each page's own.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::data::{Chrome, PortNow};
use super::rendered;
use crate::render::RenderError;
use crate::visible;

/// The pages of one port, and which of them this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tab {
    /// The port itself.
    Port,
    /// Its modules.
    Modules,
    /// Its graph.
    Graph,
    /// Its benchmarks.
    Benchmarks,
    /// What models cost.
    Costs,
    /// None of these.
    Other,
}

/// The dashboard at one moment.
#[derive(Debug)]
pub struct Board {
    /// What all pages share.
    pub chrome: Chrome,
}

/// Which page this is.
#[derive(Debug)]
pub(super) struct Head<'a> {
    port: Option<&'a PortNow>,
    tab: Tab,
    title: String,
}

impl<'a> Head<'a> {
    /// A page about a port, with the title as the browser shows it.
    pub(super) fn of(port: &'a PortNow, tab: Tab, title: &str) -> Self {
        Self { port: Some(port), tab, title: visible::line(title) }
    }

    /// A page about no port.
    pub(super) fn alone(title: &str) -> Self {
        Self { port: None, tab: Tab::Other, title: visible::line(title) }
    }
}

impl Board {
    /// A page from its template, its head and what it has of its own.
    pub(super) fn page(
        &self,
        template: &str,
        head: Head<'_>,
        own: impl Serialize,
    ) -> Result<String, RenderError> {
        let Head { port, tab, title } = head;
        let chrome = Value::from(Serde(&self.chrome));
        let head = context! { chrome, port => port.map(|port| Value::from(Serde(port))), tab => Value::from(Serde(tab)), title };
        rendered(template, context! { ..Value::from(Serde(own)), ..head })
    }

    /// The page on which a person gives the token. `next` is a page of ours to go on with, `trouble` why the last try
    /// came to nothing.
    pub fn sign_in(&self, next: &str, trouble: &str) -> Result<String, RenderError> {
        self.page("sign_in.html", Head::alone("Sign in"), context! { next, trouble })
    }

    /// A page that only says something, such as that there is no such run.
    pub fn message(&self, port: Option<&PortNow>, title: &str, text: &str) -> Result<String, RenderError> {
        let head = port.map_or_else(|| Head::alone(title), |port| Head::of(port, Tab::Other, title));
        self.page("message.html", head, context! { text })
    }
}
