//! A provider that is out of order now and then, over real HTTP: it checks each request, knows what it has sold
//! to whom, and how long it asked to be left alone.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use port::bench::random::Random;
use upstream::{Clock as _, ContentHash, ManualClock};

use super::reply::{Ending, Reply};
use super::request::{Asked, Protocol, check};

/// What a request may meet, with how often, in parts of the sum.
const ROWS: &[(Row, usize)] = &[
    (Row::Sound, 520),
    (Row::Limited { header: "retry-after: 7", asked_ms: 7000 }, 30),
    (Row::Limited { header: "retry-after-ms: 1500", asked_ms: 1500 }, 15),
    (Row::Limited { header: "retry-after: soon", asked_ms: 0 }, 10),
    (Row::Overloaded(529), 40),
    (Row::Overloaded(503), 20),
    (Row::Overloaded(500), 20),
    (Row::Overloaded(502), 10),
    (Row::Overloaded(504), 10),
    (Row::Overloaded(408), 10),
    (Row::NoMoney(429), 3),
    (Row::NoMoney(402), 2),
    (Row::Refused(401), 2),
    (Row::Refused(400), 8),
    (Row::Refused(404), 5),
    (Row::Refused(413), 5),
    (Row::Refused(422), 5),
    (Row::Silence, 3),
    (Row::ClosedAtOnce, 20),
    (Row::ClosedInTheBody, 20),
    (Row::HalfStream, 40),
    (Row::ErrorInside, 40),
    (Row::Page, 15),
    (Row::Cut, 25),
    (Row::SaysWholeAndIsCut, 15),
    (Row::SaysNo, 20),
    (Row::Empty, 20),
    (Row::OnlyReasoning, 20),
    (Row::NoOutput, 10),
];

/// One row of the table of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Row {
    Sound,
    Limited { header: &'static str, asked_ms: i64 },
    Overloaded(u16),
    NoMoney(u16),
    Refused(u16),
    Silence,
    ClosedAtOnce,
    ClosedInTheBody,
    HalfStream,
    ErrorInside,
    Page,
    Cut,
    SaysWholeAndIsCut,
    SaysNo,
    Empty,
    OnlyReasoning,
    NoOutput,
}

impl Row {
    /// Its name, without what varies in it.
    pub(super) fn name(self) -> String {
        format!("{self:?}").split([' ', '{']).next().unwrap_or_default().to_owned()
    }
}

/// What the provider has to say about those who ask.
#[derive(Debug, Default)]
pub(super) struct Books {
    /// Requests that came, by row.
    pub(super) met: BTreeMap<Row, u64>,
    /// Requests that are not as the interface wants them.
    pub(super) invalid: Vec<String>,
    /// Requests for what was sold already.
    pub(super) bought_twice: u64,
    /// Requests before the time that was asked for.
    pub(super) too_early: u64,
    /// Requests after it was said that there is no money.
    pub(super) after_no_money: u64,
    /// What was sold: the prompt's hash by shop, with the tokens of it.
    pub(super) sold: BTreeMap<(String, String), (u64, u64)>,
    not_before_ms: BTreeMap<(String, String), i64>,
    no_money: BTreeMap<String, bool>,
}

/// The provider.
#[derive(Debug, Clone)]
pub(super) struct Fake {
    books: Arc<Mutex<Books>>,
    random: Arc<Mutex<Random>>,
    clock: Arc<ManualClock>,
}

impl Fake {
    /// One that draws its faults from a seed, and counts time by a clock.
    pub(super) fn new(seed: u64, clock: Arc<ManualClock>) -> Self {
        Self { books: Arc::default(), random: Arc::new(Mutex::new(Random::seeded(seed))), clock }
    }

    pub(super) fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves until the program ends, and gives the port.
    pub(super) fn serve(&self) -> Result<u16> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let fake = self.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let fake = fake.clone();
                // A connection that its client drops ends its thread; there is nobody left to tell.
                std::thread::spawn(move || drop(fake.talk(&connection)));
            }
        });
        Ok(port)
    }

    fn talk(&self, connection: &TcpStream) -> Result<()> {
        let mut reader = BufReader::new(connection);
        while let Some((path, headers, body)) = read_request(&mut reader)? {
            if !self.answer(connection, &path, &headers, &body)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers a request; false where the connection is to be closed.
    fn answer(
        &self,
        mut connection: &TcpStream,
        path: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Result<bool> {
        let (shop, protocol) = match path.trim_start_matches('/').split_once("/v1/") {
            Some((shop, "messages")) => (shop, Protocol::Messages),
            Some((shop, "responses")) => (shop, Protocol::Responses),
            Some((shop, "chat/completions")) => (shop, Protocol::Chat),
            Some(_) | None => {
                self.books().invalid.push(format!("no such path: {path}"));
                return Ok(false);
            }
        };
        let asked = match check(protocol, &|name| headers.get(name).cloned(), body) {
            Ok(asked) => asked,
            Err(error) => {
                self.books().invalid.push(format!("{protocol:?}: {error:#}"));
                return Ok(false);
            }
        };
        let key = (shop.to_owned(), ContentHash::of_parts([&asked.prefix, &asked.payload]).to_string());
        let row = self.draw(&key);
        let done = respond(connection, protocol, &asked, row)?;
        connection.flush()?;
        if let Some((input, output)) = done.sold {
            self.books().sold.insert(key, (input, output));
        }
        if row == Row::Silence {
            // The client gives up first: it closes the connection.
            let mut nothing = [0_u8; 1];
            let mut connection = connection;
            // Whether it closes or resets the connection is the same to us.
            drop(connection.read_exact(&mut nothing));
        }
        Ok(done.keep)
    }

    /// What the request meets; it is written down before it is answered.
    fn draw(&self, key: &(String, String)) -> Row {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = random.index(ROWS.iter().map(|(_, weight)| weight).sum());
        drop(random);
        let row = ROWS.iter().find_map(|(row, weight)| {
            let hit = left < *weight;
            left = left.saturating_sub(*weight);
            hit.then_some(*row)
        });
        let row = row.unwrap_or(Row::Sound);
        let now_ms = self.clock.now_ms();
        let mut books = self.books();
        *books.met.entry(row).or_default() += 1;
        books.bought_twice += u64::from(books.sold.contains_key(key));
        books.too_early += u64::from(books.not_before_ms.get(key).is_some_and(|until| now_ms < *until));
        // Where several are under way, one may have been sent before the word came.
        let alone = super::is_bounded(&key.0);
        books.after_no_money += u64::from(alone && books.no_money.contains_key(&key.0));
        if let Row::Limited { asked_ms, .. } = row {
            books.not_before_ms.insert(key.clone(), now_ms + asked_ms);
        }
        if matches!(row, Row::NoMoney(_) | Row::Refused(401)) {
            books.no_money.insert(key.0.clone(), true);
        }
        row
    }
}

struct Done {
    keep: bool,
    /// Tokens sent and received of an answer that was handed over whole.
    sold: Option<(u64, u64)>,
}

pub(in crate::measure) type Request = (String, BTreeMap<String, String>, Vec<u8>);

/// One request; `None` where the client has closed the connection.
pub(in crate::measure) fn read_request(reader: &mut BufReader<&TcpStream>) -> Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).context("no path")?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).context("no length")?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((path, headers, body)))
}

/// The answer that a unit must get: the symbol that it shows, replaced, with the unit's own number.
pub(super) fn sound_answer(payload: &str) -> Option<String> {
    let word = |before: &str| {
        let (_, rest) = payload.split_once(before)?;
        rest.split([' ', '\n']).next().map(str::to_owned)
    };
    let nonce = word("NONCE: ")?;
    let (symbol, sha) = (word("## Port: sym=")?, word(" sha=")?);
    let name = symbol.rsplit('.').next()?;
    Some(format!(
        "@@TL {nonce} REPLACE sym={symbol} sha={sha}\ndef {name}(n):\n    return n + 1  # {name}\n@@END {nonce}\n@@DONE {nonce} n=1\n"
    ))
}

fn respond(connection: &TcpStream, protocol: Protocol, asked: &Asked, row: Row) -> Result<Done> {
    let text = sound_answer(&asked.payload).context("the task names no symbol")?;
    let cut: String = text.chars().take(text.chars().count() / 2).collect();
    let input_tokens = ((asked.prefix.len() + asked.payload.len()) / 4) as u64;
    let sell = |text: &str, ending: Ending| -> Result<Done> {
        let output_tokens = (text.len() / 4 + 1) as u64;
        let reply = Reply::counted(text, ending, input_tokens, output_tokens);
        if asked.stream {
            send_events(connection, &reply.events(protocol), true)?;
        } else {
            send(connection, 200, "", &reply.value(protocol).to_string())?;
        }
        Ok(Done { keep: true, sold: Some((input_tokens, output_tokens)) })
    };
    let fail = |status: u16, header: &str, kind: &str, message: &str| -> Result<Done> {
        let error = serde_json::json!({ "type": kind, "code": kind, "message": message });
        send(
            connection,
            status,
            header,
            &serde_json::json!({ "type": "error", "error": error }).to_string(),
        )?;
        Ok(Done { keep: true, sold: None })
    };
    let closed = Ok(Done { keep: false, sold: None });
    match row {
        Row::Sound => sell(&text, Ending::Whole),
        Row::Cut => sell(&cut, Ending::Truncated),
        Row::SaysWholeAndIsCut => sell(&cut, Ending::Whole),
        Row::SaysNo => sell("", Ending::Refused),
        Row::Empty => sell("", Ending::Whole),
        Row::OnlyReasoning => sell("", Ending::ReasoningOnly),
        Row::Limited { header, .. } => fail(429, header, "rate_limit_error", "slow down"),
        Row::Overloaded(status) => fail(status, "", "overloaded_error", "busy"),
        Row::NoMoney(status) => fail(status, "", "insufficient_quota", "You exceeded your current quota."),
        Row::Refused(status) => fail(status, "", "invalid_request_error", "bad"),
        Row::Silence | Row::ClosedAtOnce => closed,
        Row::ClosedInTheBody => {
            let mut connection = connection;
            write!(
                connection,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{{\"a\":"
            )?;
            closed
        }
        Row::HalfStream => {
            let reply = Reply::counted(&text, Ending::Whole, input_tokens, 1);
            let events = reply.events(protocol);
            // The last three of them say how it ends.
            let kept = events.len().saturating_sub(3).max(1);
            send_events(connection, events.get(..kept).unwrap_or_default(), false)?;
            Ok(Done { keep: true, sold: None })
        }
        Row::ErrorInside => {
            let error =
                serde_json::json!({ "type": "overloaded_error", "code": "server_error", "message": "busy" });
            match (protocol, asked.stream) {
                (Protocol::Responses, true) => {
                    let failed = serde_json::json!({ "type": "response.failed",
                        "response": { "status": "failed", "error": error, "output": [] } });
                    send_events(connection, &[failed.to_string()], true)?;
                }
                (_, true) => {
                    let event = serde_json::json!({ "type": "error", "error": error });
                    send_events(connection, &[event.to_string()], true)?;
                }
                (_, false) => send(connection, 200, "", &serde_json::json!({ "error": error }).to_string())?,
            }
            Ok(Done { keep: true, sold: None })
        }
        Row::Page => {
            send(connection, 200, "", "<html><body>Sign in to the network</body></html>")?;
            Ok(Done { keep: true, sold: None })
        }
        Row::NoOutput => {
            let value = match protocol {
                Protocol::Messages => serde_json::json!({ "content": null, "stop_reason": "end_turn" }),
                Protocol::Responses => serde_json::json!({ "status": "completed", "output": null }),
                Protocol::Chat => {
                    serde_json::json!({ "choices": [{ "message": null, "finish_reason": "stop" }] })
                }
            };
            send(connection, 200, "", &value.to_string())?;
            // An empty answer is an answer: it is recorded, and not bought again.
            Ok(Done { keep: true, sold: Some((0, 0)) })
        }
    }
}

/// Sends a whole answer; `header` is one more header line, or empty.
pub(in crate::measure) fn send(
    mut connection: &TcpStream,
    status: u16,
    header: &str,
    body: &str,
) -> Result<()> {
    let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\n{header}content-length: {length}\r\n\r\n"
    );
    Ok(connection.write_all((head + body).as_bytes())?)
}

/// Sends the data of events as a stream.
pub(in crate::measure) fn send_events(
    mut connection: &TcpStream,
    events: &[String],
    named: bool,
) -> Result<()> {
    use std::fmt::Write as _;

    let mut text =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    for event in events {
        let name = if named { format!("event: {}\n", kind(event)) } else { String::new() };
        let chunk = format!("{name}data: {event}\n\n");
        write!(text, "{:x}\r\n{chunk}\r\n", chunk.len())?;
    }
    text += "0\r\n\r\n";
    Ok(connection.write_all(text.as_bytes())?)
}

/// The name of an event: that of its type, where it has one.
fn kind(event: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(event).unwrap_or_default();
    value.get("type").and_then(serde_json::Value::as_str).unwrap_or("message").to_owned()
}
