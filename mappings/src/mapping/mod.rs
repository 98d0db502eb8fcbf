//! Where an item belongs in the port: rules over item paths, single links, a convention for the rest.
//!
//! The main type is [`Mapping`], checked once from what `tidelock.toml` says. It looks at one item at a time
//! and never at the port: whether the symbol is there is for the plan and the lock to find out.

mod by_convention;
mod config;
mod error;
mod extension;
mod pattern;
mod place;
mod placement;
mod rule;
mod template;

pub use config::{ConventionConfig, ExtensionRule, LinkRule, MapRule, MappingConfig, SplitRule, Strategy};
pub use error::{MappingError, PlaceError, RULES_MAX, SPLIT_MAX};
pub use extension::DeclaredExtension;
pub(crate) use pattern::{Pattern, without_variant};
pub use place::{EndedRule, Mapping};
pub use placement::{Explanation, Ground, MatchedRule, Part, Placement};

#[cfg(test)]
mod tests;
