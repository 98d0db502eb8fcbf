//! A way to a server that breaks off after so many bytes of its answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;

/// Carries one connection.
pub(super) struct Relay {
    /// Where it is asked.
    pub(super) port: u16,
    passed: Arc<AtomicUsize>,
}

impl Relay {
    /// A relay to this port that lets so many bytes back.
    pub(super) fn to(server: u16, bytes_max: usize) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let passed = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&passed);
        std::thread::spawn(move || {
            let Ok((client, _)) = listener.accept() else { return };
            // Either side may go first; that is what is measured.
            drop(carry(&client, server, bytes_max, &counter));
            drop(client.shutdown(Shutdown::Both));
        });
        Ok(Self { port, passed })
    }

    /// How many bytes came back so far.
    pub(super) fn passed(&self) -> usize {
        self.passed.load(Ordering::SeqCst)
    }
}

fn carry(client: &TcpStream, server: u16, bytes_max: usize, passed: &AtomicUsize) -> std::io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", server))?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut answer, mut client) = (&server, client);
    let mut chunk = [0; 4096];
    loop {
        let left = bytes_max - passed.load(Ordering::SeqCst);
        let read = if left == 0 { 0 } else { answer.read(&mut chunk)?.min(left) };
        if read == 0 {
            return server.shutdown(Shutdown::Both);
        }
        client.write_all(chunk.get(..read).unwrap_or_default())?;
        passed.fetch_add(read, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_carried_as_far_as_it_may() {
        for (bytes_max, expected) in [(100, "0123456789"), (4, "0123"), (0, "")] {
            let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
            let relay = Relay::to(listener.local_addr().unwrap().port(), bytes_max).unwrap();
            let mut client = TcpStream::connect(("127.0.0.1", relay.port)).unwrap();
            // A way that lets nothing back may be cut before the question went through, on either side.
            drop(client.write_all(b"ask"));
            let (mut server, _) = listener.accept().unwrap();
            drop(server.read_exact(&mut [0; 3]));
            drop(server.write_all(b"0123456789"));
            drop(server);
            let mut answer = Vec::new();
            drop(client.read_to_end(&mut answer));
            assert_eq!((answer.as_slice(), relay.passed()), (expected.as_bytes(), expected.len()));
        }
    }
}
