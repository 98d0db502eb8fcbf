//! From one translator of the chain to the next, and to a person where nobody is left.

use super::super::event::ChainLink;
use super::super::state::{Turn, UnitState};

/// How the reason of a unit begins that waits because nobody could be asked, or nothing could be compared.
pub const UNTOLD: &str = "it could not be told";

impl Turn {
    /// The unit in the hands of the next translator; parked where there is none.
    pub(in crate::engine) fn pass_on(self, chain: &[ChainLink]) -> UnitState {
        let translator = self.translator + 1;
        if translator < chain.len() {
            return UnitState::Open(Turn {
                translator,
                attempt: 1,
                feedback: None,
                signatures: Vec::new(),
                standings: Vec::new(),
                fresh: false,
                ..self
            });
        }
        let told = |name: fn(&str) -> &str, unavailable: &str| {
            let asked = chain.iter().map(|link| name(&link.name)).collect::<Vec<_>>().join(", ");
            if self.refused {
                format!("every answer of the chain ({asked}) was refused")
            } else if self.unavailable.is_empty() {
                format!("nobody in the chain ({asked}) had an answer")
            } else {
                format!("{UNTOLD}: {unavailable}")
            }
        };
        let reason = told(|name| name, &self.unavailable.join("; "));
        let lasting = told(lasting_name, "the report of the run says why");
        let needs = if self.refused || self.unavailable.is_empty() {
            "a translator that can do it (`tidelock sync --translator …`), or an edit by hand".to_owned()
        } else {
            "what stood in the way to be mended, then `tidelock sync` again".to_owned()
        };
        UnitState::Parked { reason, lasting, needs, is_on_its_way: false }
    }
}

/// A translator's name without what the command line of one machine said: a path, an address.
pub(super) fn lasting_name(name: &str) -> &str {
    match name.split_once(':') {
        Some(("command", _)) => "a command",
        Some(("inbox", _)) => "inbox",
        Some(("chat" | "responses" | "anthropic", _)) => {
            name.split_once('@').map_or(name, |(model, _address)| model)
        }
        Some(_) | None => name,
    }
}
