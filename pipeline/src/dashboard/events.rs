//! Server-sent events: one number that rises when anything changed that a page shows. The page then asks again for
//! itself, so that nothing is kept for a listener and a slow one misses numbers only.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::Shared;
use crate::daemon::server::Connection;

/// After so long without news the line is kept alive with a comment, which also finds out who is gone.
const QUIET: Duration = Duration::from_secs(15);
/// The least time between two numbers.
const GAP: Duration = Duration::from_millis(300);

struct Listening {
    changes: watch::Receiver<u64>,
    is_new: bool,
    _place: OwnedSemaphorePermit,
}

/// Tells a listener of changes until it goes away.
pub(super) fn events(
    State(shared): State<Arc<Shared>>,
    connection: Option<Extension<Connection>>,
) -> Ready<Response> {
    ready(listen(&shared, connection.map(|Extension(connection)| connection)))
}

fn listen(shared: &Shared, connection: Option<Connection>) -> Response {
    let Ok(place) = Arc::clone(&shared.listening).try_acquire_owned() else {
        let mut full = Response::new(Body::from("too many listen already: load the page again instead\n"));
        *full.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        return full;
    };
    if let Some(connection) = connection {
        connection.listen();
    }
    let listening = Listening { changes: shared.live.changes(), is_new: true, _place: place };
    let mut reply = Response::new(Body::from_stream(stream::unfold(listening, next)));
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    reply
}

async fn next(mut listening: Listening) -> Option<(Result<Bytes, Infallible>, Listening)> {
    if listening.is_new {
        // Whoever comes learns the number at once: the page may be older.
        listening.is_new = false;
    } else {
        tokio::time::sleep(GAP).await;
        match tokio::time::timeout(QUIET, listening.changes.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_nothing_changes_any_more)) => return None,
            Err(_quiet) => return Some((Ok(Bytes::from_static(b": still here\n\n")), listening)),
        }
    }
    let number = *listening.changes.borrow_and_update();
    Some((Ok(Bytes::from(format!("event: change\ndata: {number}\n\n"))), listening))
}
