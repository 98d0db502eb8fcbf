//! The edit grammar, its validation and its application, on small Python files.

mod apply;
mod parse;
mod validate;
