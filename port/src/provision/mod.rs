//! What the port's own code needs to run: its project files read, and an environment made from them.
//!
//! [`Project::read`] reads files alone; [`Environments`] makes a virtual environment for what they ask for, once for
//! the same content. Only built packages (wheels) are installed, so nothing foreign runs before it is confined.

mod environments;
mod install;
mod locked;
mod poetry;
mod project;
mod pyproject;
mod requirements;
#[cfg(test)]
mod tests;

pub use environments::{Environment, EnvironmentError, EnvironmentRequest, Environments};
pub use project::{Project, ProjectError};
