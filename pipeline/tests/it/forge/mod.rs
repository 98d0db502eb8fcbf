//! A stateful fake forge, and the bot against it.

pub(crate) mod maker;
pub(crate) mod operations;
pub(crate) mod rest;
pub(crate) mod schedules;
pub(crate) mod server;
pub(crate) mod state;
