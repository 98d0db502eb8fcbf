//! Whole runs of the program, on git repositories that the tests build.

mod bad_answers;
mod bad_input;
mod crash;
mod sync;
mod world;
