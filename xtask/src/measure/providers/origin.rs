//! The provider behind the `LiteLLM` proxy: it answers in the words of whichever interface it is asked by, and what it
//! answers is said by the model's name.

use std::io::{BufReader, Write as _};
use std::net::{TcpListener, TcpStream};

use anyhow::Result;
use serde_json::{Value, json};

use super::super::provider_faults::fake::{read_request, send, send_events};
use super::super::provider_faults::reply::{Ending, Reply};
use super::super::provider_faults::request::Protocol;

/// What it says: more than one line, and more than ASCII.
pub(super) const TEXT: &str =
    "@@TL 7 REPLACE sym=a.b\ndef b(n):\n\treturn \"\\u00e9\" + 'é\u{1F600}'  # {n}\n@@END 7\n@@DONE 7 n=1";
/// Tokens sent, with those of them that were read from the cache and written to it, and tokens received, with those
/// that are reasoning.
pub(super) const TOKENS: [u64; 5] = [1203, 801, 101, 87, 19];
/// Models that answer, by how.
pub(super) const ANSWERS: [(&str, Ending); 4] = [
    ("whole", Ending::Whole),
    ("truncated", Ending::Truncated),
    ("refused", Ending::Refused),
    ("reasoning", Ending::ReasoningOnly),
];
/// Models that fail: with a status, a word for the kind, and words for people.
pub(super) const FAULTS: [(&str, u16, &str, &str); 5] = [
    ("limited", 429, "rate_limit_error", "slow down"),
    ("poor", 429, "insufficient_quota", "You exceeded your current quota, please check your plan."),
    ("busy", 503, "overloaded_error", "busy"),
    ("bad", 400, "invalid_request_error", "the prompt is too odd"),
    ("locked", 401, "authentication_error", "another key"),
];

/// Serves until the program ends, and gives the port.
pub(super) fn serve() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            // A connection that its client drops ends its thread; there is nobody left to tell.
            std::thread::spawn(move || drop(talk(&connection)));
        }
    });
    Ok(port)
}

fn talk(mut connection: &TcpStream) -> Result<()> {
    let mut reader = BufReader::new(connection);
    while let Some((path, _, body)) = read_request(&mut reader)? {
        respond(connection, &path, &serde_json::from_slice(&body).unwrap_or_default())?;
        connection.flush()?;
    }
    Ok(())
}

/// The reply of a model that ends so.
pub(super) fn reply(ending: Ending) -> Reply<'static> {
    let [input_tokens, cached_tokens, written_tokens, output_tokens, reasoning_tokens] = TOKENS;
    let text = if matches!(ending, Ending::Whole | Ending::Truncated) { TEXT } else { "" };
    Reply { text, ending, input_tokens, cached_tokens, written_tokens, output_tokens, reasoning_tokens }
}

fn respond(connection: &TcpStream, path: &str, body: &Value) -> Result<()> {
    let protocol = match path.split('?').next().unwrap_or_default().rsplit('/').next() {
        Some("messages") => Protocol::Messages,
        Some("responses") => Protocol::Responses,
        Some("completions") => Protocol::Chat,
        Some(_) | None => return send(connection, 404, "", "{\"error\": {\"message\": \"no such path\"}}"),
    };
    let model = body["model"].as_str().unwrap_or_default();
    if let Some((_, status, kind, words)) = FAULTS.iter().find(|(name, ..)| *name == model) {
        let error = json!({ "type": kind, "code": kind, "message": words, "param": null });
        let header = if *status == 429 { "retry-after: 7" } else { "" };
        let body = match protocol {
            Protocol::Messages => {
                json!({ "type": "error", "error": { "type": kind, "message": words } })
            }
            Protocol::Responses | Protocol::Chat => json!({ "error": error }),
        };
        return send(connection, *status, header, &body.to_string());
    }
    let Some((_, ending)) = ANSWERS.iter().find(|(name, _)| *name == model) else {
        let error =
            json!({ "type": "error", "error": { "type": "not_found_error", "message": "no such model" } });
        return send(connection, 404, "", &error.to_string());
    };
    if body["stream"] == true {
        send_events(connection, &reply(*ending).events(protocol), protocol != Protocol::Chat)
    } else {
        send(connection, 200, "", &reply(*ending).value(protocol).to_string())
    }
}
