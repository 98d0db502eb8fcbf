//! A stateful fake forge, and the bot against it.

mod checks;
mod direct;
pub(crate) mod hooks;
pub(crate) mod maker;
pub(crate) mod operations;
pub(crate) mod promise;
pub(crate) mod rest;
pub(crate) mod scene;
pub(crate) mod schedules;
pub(crate) mod server;
pub(crate) mod state;
pub(crate) mod template;
