//! A bounded server for a router: connections, their number and their time have bounds, whatever answers.
//!
//! What is answered stands elsewhere: [`super::answers`] for programs, [`crate::dashboard`] for people.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_io_timeout::TimeoutStream;

/// Connections at a time, listeners left out.
const CONNECTIONS_MAX: usize = 32;
/// How long a connection may take for its one request.
const CONNECTION_TIME: Duration = Duration::from_secs(20);
/// How long a connection may stay that listens. Whoever wants more connects again.
const LISTENER_TIME: Duration = Duration::from_hours(1);
/// How long what is written may wait for somebody to take it.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(5);

/// A server in a thread of its own, until it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a request may ask of its connection.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Stay>);

#[derive(Debug)]
struct Stay {
    listens: AtomicBool,
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Connection {
    fn holding(place: OwnedSemaphorePermit) -> Self {
        Self(Arc::new(Stay { listens: AtomicBool::new(false), place: Mutex::new(Some(place)) }))
    }

    /// Stays open to be told what happens, and leaves its place to others. How many may do so is bounded by whoever
    /// answers.
    pub fn listen(&self) {
        self.0.listens.store(true, Ordering::Relaxed);
        drop(self.0.place.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    fn listens(&self) -> bool {
        self.0.listens.load(Ordering::Relaxed)
    }
}

impl Server {
    /// Listens at an address.
    pub fn start(address: SocketAddr, router: Router) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _entered = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, router) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn accept(listener: tokio::net::TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Whoever comes when it is full waits in the system's own, bounded queue.
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let stream = match listener.accept().await {
            Ok((stream, _from)) => stream,
            Err(error) => {
                // Out of file descriptors, as a rule: that passes.
                tracing::warn!(error = error.to_string(), "cannot take a connection");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::spawn(serve(stream, router.clone(), Connection::holding(place)));
    }
}

async fn serve(stream: TcpStream, router: Router, connection: Connection) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_TIME));
    let service = TowerToHyperService::new(router.layer(Extension(connection.clone())));
    let mut served = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .keep_alive(false)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
    );
    let mut ended = tokio::time::timeout(CONNECTION_TIME, &mut served).await;
    if ended.is_err() && connection.listens() {
        ended = tokio::time::timeout(LISTENER_TIME, served).await;
    }
    if let Ok(Err(error)) = ended {
        tracing::debug!(error = error.to_string(), "a connection broke off");
    }
}
