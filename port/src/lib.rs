//! Change the port and measure it; decide nothing.
//!
//! [`repo`] reads and writes the port's trees, [`language`] knows its symbols, [`translate`] turns a work
//! unit into an [`edit::Answer`], [`edit`] applies it, [`runtime`] is what it may import of ours, [`contract`] runs both sides on the same probes,
//! [`provision`] installs what its code needs, [`suite`] runs the port's own tests and [`timing`] its speed, all foreign code behind a
//! [`confinement`]. What the findings mean is decided in `pipeline`.

pub mod bench;
pub mod compile;
pub mod confinement;
pub mod contract;
pub mod edit;
pub mod held;
pub mod language;
pub mod provision;
pub mod repo;
pub mod runtime;
pub mod sandbox;
pub mod suite;
pub mod timing;
pub mod translate;
