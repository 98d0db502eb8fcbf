//! The edit grammar, its validation and its application, on small Python files.

mod apply;
mod hostile;
mod parse;
mod validate;
