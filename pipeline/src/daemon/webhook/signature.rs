//! Whether a request was signed with the secret: compared in constant time, over the raw body.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Forge;

/// Whether what was given proves that the sender has the secret.
pub(super) fn is_right(forge: Forge, secret: &SecretString, given: &str, body: &[u8]) -> bool {
    let secret = secret.expose_secret().as_bytes();
    match forge {
        Forge::GitHub => given.strip_prefix("sha256=").is_some_and(|hex| is_hmac(secret, hex, body)),
        Forge::Gitea => is_hmac(secret, given, body),
        // GitLab signs nothing and sends the secret itself. Both are hashed, so that not even the length shows.
        Forge::GitLab => Sha256::digest(secret).ct_eq(&Sha256::digest(given.as_bytes())).into(),
    }
}

fn is_hmac(secret: &[u8], given: &str, body: &[u8]) -> bool {
    let Ok(given) = hex::decode(given) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}
