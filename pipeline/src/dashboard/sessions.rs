//! Who is signed in: people who once gave the token. A session is an unguessable number in a cookie, kept here as its
//! hash; what changes something carries a second one that stands only in pages of that session.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::locked;

/// How long somebody stays signed in, in milliseconds.
pub(super) const SESSION_MS: i64 = 12 * 60 * 60 * 1000;
/// Sessions at a time; with one more the oldest ends.
const SESSIONS_MAX: usize = 32;
/// Wrong tokens within [`WRONG_WITHIN_MS`] after which nobody may try.
const WRONG_MAX: usize = 20;
/// A minute.
const WRONG_WITHIN_MS: i64 = 60_000;

type Hash = [u8; 32];

/// The token, and the sessions that it opened.
#[derive(Debug)]
pub(super) struct Sessions {
    token: Hash,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<Hash, Session>,
    /// When wrong tokens were given, the oldest first.
    wrong_ms: VecDeque<i64>,
}

struct Session {
    csrf: String,
    until_ms: i64,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("until_ms", &self.until_ms).finish_non_exhaustive()
    }
}

/// Why somebody is not signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("that is not the token")]
    Wrong,
    #[error("too many wrong tokens were given: try again in a minute")]
    TooOften,
    #[error("the system gives no random numbers")]
    NoRandom,
}

impl Sessions {
    pub(super) fn new(token: &SecretString) -> Self {
        Self { token: hash(token.expose_secret()), state: Mutex::default() }
    }

    /// Opens a session for who has the token; the cookie that names it.
    pub(super) fn sign_in(&self, given: &str, now_ms: i64) -> Result<String, Refusal> {
        let mut state = locked(&self.state);
        state.wrong_ms.retain(|then_ms| (0..WRONG_WITHIN_MS).contains(&(now_ms - then_ms)));
        if state.wrong_ms.len() >= WRONG_MAX {
            return Err(Refusal::TooOften);
        }
        // Both are hashed, so that not even the length shows in the time that this takes.
        if !bool::from(self.token.ct_eq(&hash(given))) {
            state.wrong_ms.push_back(now_ms);
            return Err(Refusal::Wrong);
        }
        let (id, csrf) = (random()?, random()?);
        state.open.retain(|_, session| session.until_ms > now_ms);
        if state.open.len() >= SESSIONS_MAX {
            let oldest = state.open.iter().min_by_key(|(_, session)| session.until_ms).map(|(hash, _)| *hash);
            if let Some(oldest) = oldest {
                state.open.remove(&oldest);
            }
        }
        state.open.insert(hash(&id), Session { csrf, until_ms: now_ms + SESSION_MS });
        Ok(id)
    }

    /// What pages of this session carry; `None` where it is none, or over.
    pub(super) fn csrf(&self, id: &str, now_ms: i64) -> Option<String> {
        let state = locked(&self.state);
        let session = state.open.get(&hash(id)).filter(|session| session.until_ms > now_ms)?;
        Some(session.csrf.clone())
    }

    pub(super) fn sign_out(&self, id: &str) {
        locked(&self.state).open.remove(&hash(id));
    }
}

/// Whether both texts are the same, in a time that does not tell where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    hash(one).ct_eq(&hash(other)).into()
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

/// 256 bits that nobody can guess, in hexadecimal.
fn random() -> Result<String, Refusal> {
    let mut bytes = [0; 32];
    let provider = rustls::crypto::ring::default_provider();
    provider.secure_random.fill(&mut bytes).map_err(|_no_random| Refusal::NoRandom)?;
    Ok(hex::encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef0123";

    fn sessions() -> Sessions {
        Sessions::new(&SecretString::from(TOKEN))
    }

    #[test]
    fn a_session_is_opened_by_the_token_alone_and_ends() {
        let sessions = sessions();
        for wrong in ["", "0123456789abcdef012", "0123456789abcdef01234", "0123456789ABCDEF0123"] {
            assert_eq!(sessions.sign_in(wrong, 0), Err(Refusal::Wrong), "{wrong}");
        }
        let id = sessions.sign_in(TOKEN, 0).unwrap();
        let csrf = sessions.csrf(&id, SESSION_MS - 1).unwrap();
        assert_ne!(id, csrf);
        assert_eq!((id.len(), csrf.len()), (64, 64));
        assert_eq!(sessions.csrf(&id, SESSION_MS), None, "it is over");
        assert_eq!(sessions.csrf(&csrf, 1), None);
        let other = sessions.sign_in(TOKEN, 0).unwrap();
        assert_ne!(other, id);
        sessions.sign_out(&other);
        assert_eq!((sessions.csrf(&other, 1), sessions.csrf(&id, 1)), (None, Some(csrf)));
        assert!(!format!("{sessions:?}").contains(&id) && !format!("{sessions:?}").contains(TOKEN));
    }

    #[test]
    fn who_guesses_is_kept_out_for_a_minute_and_others_with_them() {
        let sessions = sessions();
        for at in 0..WRONG_MAX {
            assert_eq!(sessions.sign_in("guess", i64::try_from(at).unwrap()), Err(Refusal::Wrong));
        }
        assert_eq!(sessions.sign_in(TOKEN, 59_000), Err(Refusal::TooOften));
        assert!(sessions.sign_in(TOKEN, 61_000).is_ok());
    }

    #[test]
    fn sessions_are_bounded_and_the_oldest_ends_first() {
        let sessions = sessions();
        let first = sessions.sign_in(TOKEN, 0).unwrap();
        let second = sessions.sign_in(TOKEN, 1).unwrap();
        for at in 2..=SESSIONS_MAX {
            sessions.sign_in(TOKEN, i64::try_from(at).unwrap()).unwrap();
        }
        assert_eq!(sessions.csrf(&first, 100), None);
        assert!(sessions.csrf(&second, 100).is_some());
    }
}
