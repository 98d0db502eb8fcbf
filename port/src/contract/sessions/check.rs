//! All sessions on all sides: the upstream and the port, as they are and as they were.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use upstream::process::inherited;

use super::super::ContractError;
use super::super::conversation::Tools;
use super::super::python::PortSide;
use super::compare::{ANSWER, differences};
use super::declared::{Case, Input, Origin, Session};
use super::evidence::{Change, Difference, SessionEvidence, SessionOutcome};
use super::exchange::{Observed, observe};
use super::observation::{Ended, Observation, Step};
use super::program::Program;
use super::running::{Ground, Side};
use super::shell::{Shown, line};
use super::shrink::smallest;
use super::vary::generated;
use super::words::words;
use crate::confinement::Access;

/// What a word of the port's command has for the port's root.
const PORT: &str = "{port}";
/// What a program says by whose name the port's interpreter is meant.
const PYTHON: [&str; 2] = ["python3", "python"];

/// Of how many differing cases of a session a smaller one is looked for.
const SHRUNK_MAX: usize = 3;

/// The upstream's programs by session; the reason where one is not to be had.
pub type Programs = BTreeMap<String, Result<Program, String>>;

/// Sessions, and both sides of them.
#[derive(Debug, Clone, Copy)]
pub struct SessionsRequest<'a> {
    /// The sessions.
    pub sessions: &'a [Session],
    /// The upstream's programs by session; the reason where one is not to be had.
    pub programs: &'a Programs,
    /// The port.
    pub port: &'a PortSide,
    /// The upstream's programs and the port before a change, where that is compared too.
    pub old: Option<(&'a Programs, &'a PortSide)>,
    /// What generated cases are drawn from: a secret.
    pub deciding_seed: &'a str,
    /// Where a person has the port, for lines to run by hand.
    pub shown_root: &'a Path,
    /// Where to keep what can be made again.
    pub cache_dir: &'a Path,
}

/// Runs every case of every session.
pub fn check_sessions(
    tools: &Tools<'_>,
    request: &SessionsRequest<'_>,
) -> Result<Vec<SessionEvidence>, ContractError> {
    let mut found = Vec::new();
    for session in request.sessions {
        match sides(request, session) {
            Ok(sides) => found.extend(checked(tools, request, session, &sides)?),
            Err(reason) => {
                found.extend(session.cases.iter().map(|case| {
                    let outcome = SessionOutcome::Blocked(reason.clone());
                    SessionEvidence { outcome, ..nothing_yet(session, case) }
                }));
            }
        }
    }
    Ok(found)
}

/// The sides of one session.
struct Sides {
    upstream: Side,
    port: Side,
    /// Before the change, where both could be had.
    old: Option<(Side, Side)>,
    /// The upstream's and the port's programs as a person may run them.
    shown: [Shown; 2],
}

fn sides(request: &SessionsRequest<'_>, session: &Session) -> Result<Sides, String> {
    let program = |programs: &Programs| match programs.get(&session.name) {
        Some(program) => program.clone().map_err(|reason| format!("the upstream: {reason}")),
        None => Err("the upstream: its program was not built".to_owned()),
    };
    let upstream = program(request.programs)?;
    let port = port_side(request.port, session).map_err(|reason| format!("the port: {reason}"))?;
    let old = request.old.and_then(|(programs, port)| {
        let upstream = upstream_side(&program(programs).ok()?, port, session).ok()?;
        Some((upstream, port_side(port, session).ok()?))
    });
    let shown = [shown_upstream(request, session, &upstream), shown_port(request, session)];
    let upstream = upstream_side(&upstream, request.port, session)
        .map_err(|reason| format!("the upstream: {reason}"))?;
    Ok(Sides { upstream, port, old, shown })
}

/// The upstream's program; or the port's command with the module that the upstream's library is, in place of the port.
fn upstream_side(program: &Program, port: &PortSide, session: &Session) -> Result<Side, String> {
    if let Some(imports) = program.imports() {
        let mut side = port_side(port, session)?;
        side.environment.insert("PYTHONPATH".into(), imports.into());
        side.access.read.push(imports.to_owned());
        return Ok(side);
    }
    let folder = program.file().parent().map(Path::to_path_buf);
    Ok(Side {
        program: program.file().into(),
        arguments: Vec::new(),
        environment: BTreeMap::from([("RUST_BACKTRACE".into(), "0".into())]),
        access: Access { read: folder.into_iter().collect(), write: Vec::new() },
        hangs: Cell::new(0),
    })
}

/// The port's program. Its folder is on no search path that the machine has, so that `python3` is the interpreter that
/// everything else uses.
fn port_side(port: &PortSide, session: &Session) -> Result<Side, String> {
    let words: Vec<OsString> = session.command.iter().map(|word| at_root(word, &port.root).into()).collect();
    let (first, arguments) = words.split_first().ok_or("its command is empty")?;
    let mut folders: Vec<PathBuf> = Path::new(&port.python)
        .parent()
        .filter(|folder| folder.is_absolute())
        .map(Path::to_path_buf)
        .into_iter()
        .collect();
    folders.extend(inherited("PATH").iter().flat_map(std::env::split_paths));
    let program =
        if PYTHON.iter().any(|name| first == name) { port.python.clone() } else { found(first, &folders)? };
    let mut environment = port.environment.clone();
    let path = std::env::join_paths(&folders).map_err(|error| error.to_string())?;
    environment.insert("PATH".into(), path);
    let imports = std::env::join_paths(&port.import_roots).map_err(|error| error.to_string())?;
    environment.insert("PYTHONPATH".into(), imports);
    let mut access = port.access.clone();
    access.read.extend(port.import_roots.iter().cloned());
    access.read.push(port.root.clone());
    Ok(Side { program, arguments: arguments.to_vec(), environment, access, hangs: Cell::new(0) })
}

/// A program by its path, or on the search path.
fn found(name: &OsString, folders: &[PathBuf]) -> Result<OsString, String> {
    let path = Path::new(name);
    let shown = path.display();
    if path.is_absolute() {
        return if path.is_file() { Ok(name.clone()) } else { Err(format!("there is no program `{shown}`")) };
    }
    let here = folders.iter().map(|folder| folder.join(path)).find(|file| file.is_file());
    here.map(PathBuf::into_os_string).ok_or_else(|| {
        format!(
            "there is no program `{shown}` on the search path: a file of the port is `{PORT}/{shown}`, a module \
             `python3 -m {shown}`"
        )
    })
}

fn at_root(word: &str, root: &Path) -> String {
    word.replace(PORT, &root.to_string_lossy())
}

fn shown_upstream(request: &SessionsRequest<'_>, session: &Session, program: &Program) -> Shown {
    match program.imports() {
        Some(imports) => {
            let environment = vec![("PYTHONPATH".to_owned(), imports.display().to_string())];
            Shown { environment, ..shown_port(request, session) }
        }
        None => Shown { command: vec![program.file().display().to_string()], environment: Vec::new() },
    }
}

fn shown_port(request: &SessionsRequest<'_>, session: &Session) -> Shown {
    let below = |folder: &PathBuf| {
        let rest = folder.strip_prefix(&request.port.root).unwrap_or(folder);
        // Joined with nothing, a path would end with a slash.
        let shown = if rest.as_os_str().is_empty() {
            request.shown_root.to_owned()
        } else {
            request.shown_root.join(rest)
        };
        shown.display().to_string()
    };
    let imports: Vec<String> = request.port.import_roots.iter().map(below).collect();
    let mut environment = vec![("PYTHONPATH".to_owned(), imports.join(":"))];
    let parity = request.port.environment.iter();
    environment
        .extend(parity.map(|(name, value)| {
            (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
        }));
    let command = session.command.iter().map(|word| at_root(word, request.shown_root)).collect();
    Shown { command, environment }
}

fn nothing_yet(session: &Session, case: &Case) -> SessionEvidence {
    SessionEvidence {
        session: session.name.clone(),
        case: case.name.clone(),
        origin: case.origin,
        outcome: SessionOutcome::Agreed,
        change: None,
        note: String::new(),
        ran: String::new(),
        commands: Vec::new(),
    }
}

fn checked(
    tools: &Tools<'_>,
    request: &SessionsRequest<'_>,
    session: &Session,
    sides: &Sides,
) -> Result<Vec<SessionEvidence>, ContractError> {
    let ground = Ground::new(tools, request.cache_dir)?;
    let mut found = Vec::new();
    let mut shrunk = 0;
    for case in session.cases.iter().cloned().chain(generated(session, request.deciding_seed)) {
        let mut evidence = compared(&ground, session, sides, &case)?;
        // Requests that a person numbered keep their numbers.
        let may_shrink = case.origin == Origin::Generated || matches!(case.input, Input::Whole(_));
        let differs = !evidence.differences().is_empty() && evidence.note.is_empty();
        if differs && may_shrink && shrunk < SHRUNK_MAX {
            shrunk += 1;
            show_smaller(&ground, session, sides, &case, &mut evidence)?;
        }
        // Of what nobody asked for, only what can be compared is told.
        let is_noise =
            case.origin == Origin::Generated && matches!(&evidence.outcome, SessionOutcome::Blocked(_));
        if !is_noise {
            found.push(evidence);
        }
    }
    Ok(found)
}

fn compared(
    ground: &Ground<'_>,
    session: &Session,
    sides: &Sides,
    case: &Case,
) -> Result<SessionEvidence, ContractError> {
    // The upstream runs twice: what it does differently by itself proves nothing about anybody.
    let mut asked = vec![&sides.upstream, &sides.upstream, &sides.port];
    if let Some((upstream, port)) = &sides.old {
        asked.extend([upstream, port]);
    }
    let observed = observe(ground, &asked, session, case)?;
    let evidence = nothing_yet(session, case);
    let blocked =
        |reason: String| SessionEvidence { outcome: SessionOutcome::Blocked(reason), ..evidence.clone() };
    let [first, second, port, old @ ..] = observed.as_slice() else {
        return Ok(blocked("a side was not asked".to_owned()));
    };
    let (upstream, again, port) = match (first, second, port) {
        (Ok(first), Ok(second), Ok(port)) => (first, second, port),
        (Err(reason), _, _) | (_, Err(reason), _) => return Ok(blocked(format!("the upstream: {reason}"))),
        (_, _, Err(reason)) => return Ok(blocked(format!("the port: {reason}"))),
    };
    if let Some(reason) = unusable(session, upstream, again) {
        return Ok(blocked(reason));
    }
    let differing = differences(&session.relation, upstream, port);
    let agrees = differing.is_empty();
    let mut found = SessionEvidence { change: change(session, (upstream, port), old, agrees), ..evidence };
    if !agrees {
        found.note = unsteady(ground, session, sides, (case, port))?;
        found.ran = words(session, case);
        found.commands = sides.shown.iter().map(|shown| line(shown, session, case)).collect();
        found.outcome = SessionOutcome::Differed(differing);
    }
    Ok(found)
}

/// Looks for a smaller case in which the same things differ; where there is one, that is what is told and shown.
fn show_smaller(
    ground: &Ground<'_>,
    session: &Session,
    sides: &Sides,
    case: &Case,
    evidence: &mut SessionEvidence,
) -> Result<(), ContractError> {
    let wanted = kinds(evidence.differences());
    let mut hangs = false;
    let shows = |smaller: &Case| {
        // A port that hangs costs its whole time at each try.
        if hangs {
            return Ok(false);
        }
        let observed = observe(ground, &[&sides.upstream, &sides.port], session, smaller)?;
        let [Ok(upstream), Ok(port)] = observed.as_slice() else { return Ok(false) };
        hangs = port.ended == Ended::TimedOut;
        Ok(!hangs && kinds(&differences(&session.relation, upstream, port)) == wanted)
    };
    let small = smallest(case, shows)?;
    if small == *case {
        return Ok(());
    }
    // What is told is held to the same as any case.
    let told = compared(ground, session, sides, &small)?;
    if kinds(told.differences()) == wanted && told.note.is_empty() {
        evidence.outcome = told.outcome;
        evidence.commands = told.commands;
        evidence.ran = told.ran;
        "told of a smaller case in which the same differs".clone_into(&mut evidence.note);
    }
    Ok(())
}

/// What differs, whichever answers it is; as many of them.
fn kinds(differences: &[Difference]) -> Vec<String> {
    let kind = |one: &Difference| {
        let numbered = one.what.strip_prefix(ANSWER);
        if numbered.is_some() { ANSWER.to_owned() } else { one.what.clone() }
    };
    differences.iter().map(kind).collect()
}

/// Why the upstream is no oracle for a case, if it is none.
fn unusable(session: &Session, upstream: &Observation, again: &Observation) -> Option<String> {
    let hung = |step: &Step| matches!(step, Step::Ended(Ended::TimedOut | Ended::Flooded));
    if matches!(upstream.ended, Ended::TimedOut | Ended::Flooded) || upstream.steps.values().any(hung) {
        let seconds = std::time::Duration::from_millis(session.timeout_ms).as_secs_f64();
        return Some(format!(
            "the upstream does not come to an end within {seconds} s; raise `timeout-s`, or give it an input that ends"
        ));
    }
    let differing = differences(&session.relation, upstream, again);
    let first = differing.first()?;
    Some(format!(
        "the upstream answers differently from run to run: {} was {} and then {}; mask what is random, such as \
         `[[session.mask]]` with a `pattern`, or leave it out",
        first.what, first.upstream, first.port
    ))
}

/// What the change did, where both sides could be asked before it.
fn change(
    session: &Session,
    (upstream, port): (&Observation, &Observation),
    old: &[Result<Observation, String>],
    agrees: bool,
) -> Option<Change> {
    let [Ok(old_upstream), Ok(old_port)] = old else { return None };
    let changed =
        |before: &Observation, now: &Observation| !differences(&session.relation, before, now).is_empty();
    Some(Change::of(changed(old_upstream, upstream), changed(old_port, port), agrees))
}

/// Whether the port answers otherwise each time it is asked, in words.
fn unsteady(
    ground: &Ground<'_>,
    session: &Session,
    sides: &Sides,
    (case, port): (&Case, &Observation),
) -> Result<String, ContractError> {
    if port.ended == Ended::TimedOut {
        return Ok(String::new());
    }
    let again: Observed = observe(ground, &[&sides.port], session, case)?;
    let is_steady = match again.as_slice() {
        [Ok(again)] => differences(&session.relation, port, again).is_empty(),
        _ => true,
    };
    Ok(if is_steady { String::new() } else { "the port answers differently from run to run".to_owned() })
}
