//! What both sides of a port would be built and run with, and whether that is here.

use port::provision::Project;
use reports::count;

use super::Context;
use super::doctor::Finding;
use crate::config::Settings;
use crate::driver::{Obstacle, toolchain_named, wanted_toolchain};
use crate::provisioned::Standing;
use crate::session::Session;

/// How many packages are named.
const PACKAGES_MAX: usize = 12;

/// Looks at both sides; with `provision` what is missing of the port's is made.
pub(super) fn findings(context: &Context, settings: Settings, provision: bool) -> Vec<Finding> {
    match context.session(settings) {
        Ok(session) => vec![port(&session, provision), upstream(&session)],
        Err(error) => vec![Finding {
            what: "port",
            fine: false,
            found: format!("{:#}", error.cause),
            remedy: error.hints.join("; "),
        }],
    }
}

fn port(session: &Session, provision: bool) -> Finding {
    let what = "port's code";
    let fine = |found: String| Finding { what, fine: true, found, remedy: String::new() };
    let python = match session.interpreter() {
        Ok(python) => format!("Python {} ({})", python.version(), python.program().to_string_lossy()),
        Err(error) => {
            let remedy = "name one as `interpreter` in `[port.environment]`".to_owned();
            return Finding { what, fine: false, found: error.to_string(), remedy };
        }
    };
    if !session.settings.environment.provision {
        return fine(format!("{python} as it is, with `provision = false`"));
    }
    let root = &session.settings.root;
    if provision && let Err(error) = session.provide(root) {
        let remedy = error.downcast_ref::<Obstacle>().map(|obstacle| obstacle.hint().to_owned());
        return Finding {
            what,
            fine: false,
            found: format!("{error:#}"),
            remedy: remedy.unwrap_or_default(),
        };
    }
    match session.provisioned_at(root) {
        Err(error) => {
            Finding { what, fine: false, found: error.to_string(), remedy: error.hint().to_owned() }
        }
        Ok(Standing { project, ready: Some(ready) }) => {
            let packages = ready.packages.iter().take(PACKAGES_MAX).cloned().collect::<Vec<_>>().join(", ");
            let rest = match ready.packages.len().saturating_sub(PACKAGES_MAX) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            fine(format!("{python} with {packages}{rest}, by {} {}", ready.installer, asked(&project)))
        }
        Ok(Standing { project, ready: None }) if project.needs_packages() => fine(format!(
            "{python}; {} {} not installed yet: the first check does it, or `tidelock doctor --provision`",
            count(project.requirements.len() as u64, "requirement"),
            asked(&project)
        )),
        Ok(Standing { project, ready: None }) => {
            let why =
                if project.files.is_empty() { "there are no project files" } else { "it asks for nothing" };
            fine(format!("{python}; {why}"))
        }
    }
}

/// Who asks, and how exactly.
fn asked(project: &Project) -> String {
    let groups = match project.groups.as_slice() {
        [] => String::new(),
        groups => format!(", with {}", groups.join(", ")),
    };
    let pinned = match project.pinned.len() {
        0 => "; no lock file pins versions".to_owned(),
        pinned => format!("; {} pinned", count(pinned as u64, "version")),
    };
    format!("({}{groups}{pinned})", project.files.join(", "))
}

fn upstream(session: &Session) -> Finding {
    let what = "upstream";
    let at = session
        .head()
        .and_then(|head| session.lock(&head.tree))
        .and_then(|lock| session.revision(lock.baseline.as_str()))
        .and_then(|revision| session.snapshot(&revision));
    let snapshot = match at {
        Ok(snapshot) => snapshot,
        Err(error) => {
            let found = format!("what it needs is known once there is a lock and a mirror: {error}");
            return Finding { what, fine: true, found, remedy: String::new() };
        }
    };
    let build = &session.settings.build;
    let locked = match (snapshot.files.contains_key("Cargo.lock"), build.locked) {
        (true, true) => "its Cargo.lock",
        (true, false) => "its Cargo.lock where that fits",
        (false, _) => "no Cargo.lock",
    };
    let default = if build.default_features { "default features" } else { "no default features" };
    let features = build.features.iter().map(|name| format!(" and {name}")).collect::<Vec<_>>().concat();
    let checks = if build.overflow_checks { "checked" } else { "unchecked" };
    let rest = format!("{locked}, {default}{features}, arithmetic {checks}");
    let label = &snapshot.revision.label;
    let missing = |reason: String| Finding {
        what,
        fine: false,
        found: reason,
        remedy: "or name another as `toolchain` in `[upstream.build]`".to_owned(),
    };
    match wanted_toolchain(session, &snapshot) {
        Err(reason) => missing(reason),
        Ok(None) => {
            let found = format!("{label}: the default Rust here, {rest}");
            Finding { what, fine: true, found, remedy: String::new() }
        }
        Ok(Some(name)) => match toolchain_named(session, &name) {
            Ok(Ok(_)) => {
                let found = format!("{label}: Rust `{name}`, {rest}");
                Finding { what, fine: true, found, remedy: String::new() }
            }
            Ok(Err(reason)) => missing(reason),
            Err(error) => missing(format!("{error:#}")),
        },
    }
}
