//! Change the port and measure it; decide nothing.
//!
//! [`translate`] turns a work unit into an [`edit::Answer`], [`edit`] applies it to a tree of the port,
//! [`contract`] runs both sides on the same probes. What the findings mean is decided in `pipeline`.

pub mod confinement;
pub mod contract;
pub mod edit;
pub mod translate;
