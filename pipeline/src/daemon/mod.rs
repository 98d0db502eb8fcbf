//! `tidelock watch` as a daemon: several ports, each on its own schedule, in one process.
//!
//! What is decided is pure: [`schedule`], [`quiet`] and [`port_state`] are functions of configuration, state and
//! time. [`dispatch`] is the loop, and [`work`] what it has done for it. Nothing here knows the command line, and
//! nothing here follows an upstream in another way than `tidelock sync` does.

pub mod alert;
pub mod answers;
pub mod dispatch;
pub mod live;
pub mod metrics;
pub mod notify;
pub mod observe;
pub mod port_state;
pub mod quiet;
pub mod schedule;
pub mod server;
pub mod trouble;
pub mod webhook;
pub mod work;

#[cfg(test)]
mod dispatch_tests;
#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod testing;

pub use dispatch::{Control, Dispatcher, Observer, Stand};
pub use live::Live;
pub use port_state::{PortState, Rhythm, Seen};
pub use schedule::{Schedule, When};
pub use trouble::{Trouble, TroubleKind};
pub use work::{Lag, Port, SyncReport, Work};
