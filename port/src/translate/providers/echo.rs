//! A provider, or whoever stands between, that says our own key: it is taken out before anything reads the response.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::http::{HeaderValue, HttpRequest, HttpResponse};

/// What stands in its place.
pub(in crate::translate) const REDACTED: &str = "[redacted]";

/// Values shorter than this are not looked for: they would blank out ordinary text.
const SECRET_LENGTH_MIN: usize = 6;

/// The response without the secrets of the request, and whether it held any.
pub(in crate::translate) fn without_secrets(
    mut response: HttpResponse,
    request: &HttpRequest,
) -> (HttpResponse, bool) {
    let secrets: Vec<&str> = request
        .headers
        .iter()
        .filter_map(|(_, value)| match value {
            HeaderValue::Secret { value, .. } => Some(value.expose_secret()),
            HeaderValue::Plain(_) => None,
        })
        .filter(|secret| secret.len() >= SECRET_LENGTH_MIN)
        .collect();
    let mut held = false;
    let mut clean = |text: &mut String| {
        for secret in &secrets {
            if text.contains(secret) {
                held = true;
                *text = text.replace(secret, REDACTED);
            }
        }
    };
    for (_, value) in &mut response.headers {
        clean(value);
    }
    // In JSON a text may be written with escapes, so it is looked for in what they mean.
    if let Ok(mut json) = serde_json::from_slice::<Value>(&response.body) {
        clean_json(&mut json, &mut clean);
        if held {
            response.body = json.to_string().into_bytes();
        }
    } else if let Ok(mut text) = String::from_utf8(response.body.clone()) {
        clean(&mut text);
        response.body = text.into_bytes();
    } else {
        let mut text = String::from_utf8_lossy(&response.body).into_owned();
        clean(&mut text);
        if held {
            response.body = text.into_bytes();
        }
    }
    (response, held)
}

fn clean_json(json: &mut Value, clean: &mut impl FnMut(&mut String)) {
    match json {
        Value::String(text) => clean(text),
        Value::Array(items) => items.iter_mut().for_each(|item| clean_json(item, clean)),
        Value::Object(fields) => {
            let taken = std::mem::take(fields);
            for (mut name, mut value) in taken {
                clean(&mut name);
                clean_json(&mut value, clean);
                fields.insert(name, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> (String, bool) {
        let key = HeaderValue::Secret { prefix: "Bearer ", value: "sk-secret".to_owned().into() };
        let request = HttpRequest::get(String::new(), vec![("authorization".to_owned(), key)]);
        let response = HttpResponse {
            status: 200,
            headers: vec![("x".to_owned(), "y".to_owned())],
            body: body.as_bytes().to_vec(),
        };
        let (response, held) = without_secrets(response, &request);
        (String::from_utf8(response.body).unwrap(), held)
    }

    #[test]
    fn the_key_is_found_in_text_in_json_and_behind_escapes() {
        assert_eq!(said("<p>sk-secret</p>"), ("<p>[redacted]</p>".to_owned(), true));
        assert_eq!(said(r#"{"a":["k sk-secret"]}"#), (r#"{"a":["k [redacted]"]}"#.to_owned(), true));
        assert_eq!(said(r#"{"a":"\u0073k-secret"}"#), (r#"{"a":"[redacted]"}"#.to_owned(), true));
        assert_eq!(said(r#"{"sk-secret": 1.0}"#), (r#"{"[redacted]":1.0}"#.to_owned(), true));
    }

    #[test]
    fn what_holds_no_key_stays_as_it_is() {
        for body in [r#"{"b": 1,  "a": "sk-"}"#, "sk- secret", ""] {
            assert_eq!(said(body), (body.to_owned(), false));
        }
    }
}
