//! Addresses without what could be a secret in them.

/// An address without the user's name and password, for messages and for what is written down.
///
/// The user of an ssh address stays: it is no secret, and without it the address means another place.
pub(super) fn without_userinfo(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    match authority.rsplit_once('@') {
        Some((user, host)) if is_secret(scheme, user) => format!("{scheme}://{host}{path}"),
        Some(_) | None => address.to_owned(),
    }
}

/// A text of somebody else's, with every address in it so shown.
pub(super) fn redacted(text: &str) -> String {
    let ends = |character: char| character.is_whitespace() || "\"'`(),".contains(character);
    text.split_inclusive(ends).map(without_userinfo).collect()
}

/// Whether an address holds a user's name or a password that nobody should write down.
pub(super) fn holds_secret(address: &str) -> bool {
    without_userinfo(address) != address
}

/// Over http even the name alone can be a token.
fn is_secret(scheme: &str, user: &str) -> bool {
    user.contains(':') || scheme.to_ascii_lowercase().starts_with("http")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_within_a_text_are_found() {
        let text =
            "fatal: unable to access 'https://me:secret@host/up/': no (see http://t@h, ssh://git@host)";
        let shown = "fatal: unable to access 'https://host/up/': no (see http://h, ssh://git@host)";
        assert_eq!(redacted(text), shown);
    }

    #[test]
    fn names_and_passwords_are_left_out_and_the_user_of_ssh_stays() {
        for (address, shown) in [
            ("https://me:secret@host/up", "https://host/up"),
            ("https://token@host:8443/up@v1", "https://host:8443/up@v1"),
            ("HTTPS://a@b@host", "HTTPS://host"),
            ("ssh://git:secret@host/up", "ssh://host/up"),
            ("ssh://git@host/up", "ssh://git@host/up"),
            ("git@host:up", "git@host:up"),
            ("https://host/~me@x/up", "https://host/~me@x/up"),
            ("../up", "../up"),
        ] {
            assert_eq!(without_userinfo(address), shown);
            assert_eq!(holds_secret(address), address != shown);
        }
    }
}
