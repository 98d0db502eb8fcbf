//! Benchmarks: read what any tool wrote, run both sides in turn, and decide with stated error rates.
//!
//! [`read`] turns the files of benchmark tools into results, [`run`] collects pairs of both sides, and
//! [`decide`] says what they prove. [`simulate`] plays suites and machines of known quality, so that the
//! stated error rates are themselves tested. What a decision means for a gate is said in `pipeline`.

pub mod decide;
pub mod random;
pub mod read;
pub mod run;
pub mod simulate;
