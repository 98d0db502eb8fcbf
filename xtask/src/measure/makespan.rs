//! How long a sync takes whose models are slow: 60 units in 6 waves through the real program, with a model over
//! HTTP that takes 5 to 20 seconds at half of that, against the critical path.
//!
//! The critical path is what nobody can beat with so many requests at once: in each wave the answers in the order of
//! the plan, each begun as soon as one of the places is free, and no wave before the one that it calls is answered. What
//! the checks of candidates take while nothing is under way depends on the machine and is told by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use upstream::ContentHash;
use upstream::clock::{Clock, SystemClock};
use upstream::process::{Limits, ProcessRunner, SystemProcessRunner};

use super::crash::world::{Ran, World};
use super::provider_faults::fake::read_request;
use super::{Metric, Tell};

const WAVES: usize = 6;
const UNITS_A_WAVE: usize = 10;
/// How long a model takes, in milliseconds: from, and how much more at the most.
const LATENCY_MS: (u64, u64) = (5_000, 15_000);
/// A test that is true of both revisions.
const TEST: &str = "import unittest\n\nfrom layers import f0_0\n\n\nclass LayersTest(unittest.TestCase):\n    \
                    def test_f0_0(self):\n        self.assertIsInstance(f0_0(3), int)\n";
/// By how much everything is faster here.
const SCALE: u64 = 1;
/// How many requests may be under way: as many as a wave has units, and the default of a provider.
const AT_ONCE: [usize; 2] = [UNITS_A_WAVE, 4];
/// The longest makespan, as a share of the critical path.
const SHARE_MAX: f64 = 1.1;

pub(super) fn run(repositories: &[PathBuf], tell: &mut Tell<'_>) -> Result<()> {
    if !repositories.is_empty() {
        bail!("the measure `makespan` takes no repository: it makes its own upstream and port");
    }
    let program = std::env::current_exe()?.with_file_name("tidelock");
    if !program.is_file() {
        bail!("there is no `{}`: build `tidelock` beside this program first", program.display());
    }
    for at_once in AT_ONCE {
        synced(at_once, tell)?;
    }
    Ok(())
}

fn synced(at_once: usize, tell: &mut Tell<'_>) -> Result<()> {
    let slow = Slow::default();
    let world = world(slow.serve()?, at_once);
    let dry = world.tidelock(&["plan", "--format", "json"]);
    let waves = waves_of(&dry.json())?;
    let begun_ms = SystemClock.now_ms();
    let invocation =
        world.invocation("port", &["sync"]).limits(Limits { timeout_ms: 1_800_000, ..Limits::default() });
    let ran = Ran { finished: SystemProcessRunner::default().run(&invocation)? };
    let whole_ms = SystemClock.now_ms() - begun_ms;
    if ran.code() != 0 {
        bail!("the sync did not land everything:\n{ran}");
    }
    let answers = slow.answers();
    let units: usize = waves.values().map(Vec::len).sum();
    let critical_ms: u64 = waves.values().map(|units| wave_ms(units, at_once)).sum();
    let asked_ms = |answer: &Answered| answer.asked_ms;
    let (first, last) = (answers.iter().map(asked_ms).min(), answers.iter().map(|one| one.answered_ms).max());
    let translation_ms = last.unwrap_or_default() - first.unwrap_or_default();
    let share = |ms: i64| float(ms) / float(critical_ms.cast_signed());
    let name = |what: &str| format!("makespan.at_once_{at_once}.{what}");
    tell(Metric::at_least(name("units"), float_of(units), "units", float_of(WAVES * UNITS_A_WAVE)))?;
    tell(Metric::at_least(name("waves"), float_of(waves.len()), "waves", float_of(WAVES)))?;
    tell(Metric::at_most(name("requests"), float_of(answers.len()), "requests", float_of(units)))?;
    tell(Metric::at_most(
        name("most_under_way"),
        float_of(most_under_way(&answers)),
        "requests",
        float_of(at_once),
    ))?;
    tell(Metric::told(name("critical_path"), float(critical_ms.cast_signed()) / 1000.0, "s"))?;
    let waiting_ms = under_way_ms(&answers);
    tell(Metric::told(name("first_request_to_last_answer"), float(translation_ms) / 1000.0, "s"))?;
    tell(Metric::at_most(
        name("first_request_to_last_answer_share"),
        share(translation_ms),
        "of the critical path",
        SHARE_MAX,
    ))?;
    tell(Metric::told(name("whole_sync"), float(whole_ms) / 1000.0, "s"))?;
    tell(Metric::told(name("whole_sync_share"), share(whole_ms), "of the critical path"))?;
    // While no request is under way, candidates are checked, which takes what this machine takes for it.
    tell(Metric::told(name("checking_alone"), float(whole_ms - waiting_ms) / 1000.0, "s"))?;
    tell(Metric::told(name("some_request_under_way"), float(waiting_ms) / 1000.0, "s"))?;
    tell(Metric::told(name("some_request_under_way_share"), share(waiting_ms), "of the critical path"))
}

/// How long a model takes over a symbol, in milliseconds.
fn latency_ms(symbol: &str) -> u64 {
    let hash = ContentHash::of_parts(["latency", symbol]).to_string();
    let number = hash.chars().take(8).filter_map(|digit| digit.to_digit(16));
    let number = number.fold(0_u64, |sum, digit| sum * 16 + u64::from(digit));
    (LATENCY_MS.0 + number % LATENCY_MS.1) / SCALE
}

/// How long the answers of a wave take with so many places.
fn wave_ms(symbols: &[String], places: usize) -> u64 {
    let mut free_ms = vec![0_u64; places];
    for symbol in symbols {
        if let Some(earliest) = free_ms.iter_mut().min() {
            *earliest += latency_ms(symbol);
        }
    }
    free_ms.into_iter().max().unwrap_or_default()
}

/// The symbols of each wave in the order of the plan.
fn waves_of(plan: &Value) -> Result<BTreeMap<u64, Vec<String>>> {
    let units = find_units(plan).context("the plan has no units")?;
    let mut waves: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for unit in units {
        let wave = unit["wave"].as_u64().context("a unit without a wave")?;
        let symbol = unit["symbols"][0].as_str().context("a unit without a symbol")?;
        waves.entry(wave).or_default().push(symbol.to_owned());
    }
    Ok(waves)
}

fn find_units(plan: &Value) -> Option<&Vec<Value>> {
    match plan {
        Value::Array(several) => several.iter().find_map(find_units),
        Value::Object(fields) => {
            fields.get("units").and_then(Value::as_array).or_else(|| fields.values().find_map(find_units))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// An upstream of layers, in which each function calls any of the layer below, that changes all of them at once.
fn world(port: u16, at_once: usize) -> World {
    let world = World::bare();
    let (rust, python) = (rust("wrapping_add"), python());
    world.write(
        "upstream/Cargo.toml",
        "[package]\nname = \"layers\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
    );
    world.write("upstream/src/lib.rs", &rust);
    world.git("upstream", &["init", "-q", "-b", "main"]);
    world.commit("upstream", "first");
    world.write("port/layers/__init__.py", &python);
    world.write("port/tests/__init__.py", "");
    world.write("port/tests/test_layers.py", TEST);
    world.write("port/.gitignore", "/.tidelock\n__pycache__\n");
    let config = format!(
        "version = 1\n[upstream]\ngit = \"../upstream\"\nbranch = \"main\"\n[port]\nname = \"layers-py\"\n\
         [convention]\npackage = \"layers\"\n[gate]\nprobes = 20\n[gate.timing]\nenabled = false\n\
         [translate]\nchain = [\"rules\", \"memory\", \"slow\"]\nat-once-max = {at_once}\n\
         [[translate.model]]\nname = \"slow\"\nkind = \"chat\"\nmodel = \"slow\"\nstream = false\n\
         at-once-max = {at_once}\nbase-url = \"http://127.0.0.1:{port}/v1\"\n"
    );
    world.write("port/tidelock.toml", &config);
    world.git("port", &["init", "-q", "-b", "main"]);
    world.commit("port", "port of the first revision");
    let first = world.git("upstream", &["rev-parse", "HEAD"]);
    let adopted = world.tidelock(&["init", "--adopt", first.trim()]);
    assert_eq!(adopted.code(), 0, "{adopted}");
    world.commit("port", "adopt");
    world.write("upstream/src/lib.rs", &rust.replace("wrapping_add", "wrapping_sub"));
    world.commit("upstream", "everything the other way round");
    world
}

fn rust(operation: &str) -> String {
    let mut text = String::from("//! Functions in layers.\n");
    for layer in 0..WAVES {
        for at in 0..UNITS_A_WAVE {
            let part = if layer == 0 {
                "n".to_owned()
            } else {
                let arms = (0..UNITS_A_WAVE - 1).fold(String::new(), |arms, callee| {
                    format!("{arms}{callee} => f{}_{callee}(n / 2), ", layer - 1)
                });
                format!(
                    "match n % {UNITS_A_WAVE} {{ {arms}_ => f{}_{}(n / 2) }}",
                    layer - 1,
                    UNITS_A_WAVE - 1
                )
            };
            write!(
                text,
                "\n/// A function.\npub fn f{layer}_{at}(n: u32) -> u32 {{\n    let part = {part};\n    \
                 part.{operation}({})\n}}\n",
                7 * layer + at + 1
            )
            .expect("a text takes anything");
        }
    }
    text
}

fn python() -> String {
    let mut text = String::from("\"\"\"Functions in layers.\"\"\"\n");
    for layer in 0..WAVES {
        for at in 0..UNITS_A_WAVE {
            let below: Vec<String> =
                (0..UNITS_A_WAVE).map(|callee| format!("f{}_{callee}", layer.max(1) - 1)).collect();
            let part = if layer == 0 {
                "n".to_owned()
            } else {
                format!("({})[n % {UNITS_A_WAVE}](n // 2)", below.join(", "))
            };
            write!(
                text,
                "\n\ndef f{layer}_{at}(n: int) -> int:\n    \"\"\"A function.\"\"\"\n    part = {part}\n    \
                 return (part + {}) & 0xFFFFFFFF\n",
                7 * layer + at + 1
            )
            .expect("a text takes anything");
        }
    }
    text
}

/// One answer, with when it was asked for and given, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
struct Answered {
    asked_ms: i64,
    answered_ms: i64,
}

/// A model over HTTP that takes its time.
#[derive(Debug, Clone, Default)]
struct Slow {
    answers: Arc<Mutex<Vec<Answered>>>,
}

impl Slow {
    fn lock(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answers(&self) -> Vec<Answered> {
        self.lock().clone()
    }

    /// Serves until the program ends, and gives the port.
    fn serve(&self) -> Result<u16> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let slow = self.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let slow = slow.clone();
                // A connection that its client drops ends its thread; there is nobody left to tell.
                std::thread::spawn(move || drop(slow.talk(&connection)));
            }
        });
        Ok(port)
    }

    fn talk(&self, connection: &TcpStream) -> Result<()> {
        let mut reader = BufReader::new(connection);
        let mut connection = connection;
        while let Some((_, _, body)) = read_request(&mut reader)? {
            let asked_ms = SystemClock.now_ms();
            let body: Value = serde_json::from_slice(&body)?;
            let messages = body["messages"].as_array().context("no messages")?;
            let prompt: String = messages.iter().filter_map(|message| message["content"].as_str()).collect();
            let (symbol, answer) = answer(&prompt).context("the prompt shows no symbol")?;
            SystemClock.sleep(Duration::from_millis(latency_ms(&symbol)));
            let value = json!({
                "id": "1", "object": "chat.completion", "created": 1, "model": "slow",
                "choices": [{ "index": 0, "finish_reason": "stop",
                    "message": { "role": "assistant", "content": answer, "refusal": null } }],
                "usage": { "prompt_tokens": prompt.len() / 4, "completion_tokens": answer.len() / 4,
                    "total_tokens": (prompt.len() + answer.len()) / 4 },
            })
            .to_string();
            self.lock().push(Answered { asked_ms, answered_ms: SystemClock.now_ms() });
            write!(
                connection,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{value}",
                value.len()
            )?;
            connection.flush()?;
        }
        Ok(())
    }
}

/// The symbol that a prompt is about, and the right answer.
fn answer(prompt: &str) -> Option<(String, String)> {
    let word = |text: &str, before: &str| {
        let (_, rest) = text.split_once(before)?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    let nonce = word(prompt, "NONCE: ")?;
    let (_, port) = prompt.split_once("## Port: ")?;
    let (symbol, sha) = (word(port, "sym=")?, word(port, "sha=")?);
    let (_, text) = port.split_once(&format!("<<<{nonce}\n"))?;
    let (text, _) = text.split_once(&format!("\n{nonce}>>>"))?;
    let text = text.replace("(part + ", "(part - ");
    let answer =
        format!("@@TL {nonce} REPLACE sym={symbol} sha={sha}\n{text}\n@@END {nonce}\n@@DONE {nonce} n=1\n");
    Some((symbol, answer))
}

/// When something begins or ends, in order.
fn edges(answers: &[Answered]) -> Vec<(i64, i32)> {
    let mut edges: Vec<(i64, i32)> =
        answers.iter().flat_map(|one| [(one.asked_ms, 1), (one.answered_ms, -1)]).collect();
    edges.sort_unstable();
    edges
}

fn most_under_way(answers: &[Answered]) -> usize {
    let (mut now, mut most) = (0, 0);
    for (_, change) in edges(answers) {
        now += change;
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or_default()
}

/// How long any request was under way, in milliseconds.
fn under_way_ms(answers: &[Answered]) -> i64 {
    let (mut now, mut since_ms, mut all_ms) = (0, 0, 0);
    for (at_ms, change) in edges(answers) {
        if now == 0 {
            since_ms = at_ms;
        }
        now += change;
        if now == 0 {
            all_ms += at_ms - since_ms;
        }
    }
    all_ms
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
fn float(ms: i64) -> f64 {
    ms as f64
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn float_of(count: usize) -> f64 {
    count as f64
}
