//! The port as a git repository.

mod path;

pub use path::{BadPath, check_path};
