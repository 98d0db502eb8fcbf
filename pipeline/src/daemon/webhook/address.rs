//! The address of a repository, however it is written: by https, by ssh, with `.git` or without.

/// Host and path, comparable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RepositoryAddress(String);

impl RepositoryAddress {
    /// Reads `https://host/path`, `ssh://git@host/path` or `git@host:path`; nothing else names a repository of a
    /// forge.
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let (host, path) = match text.split_once("://") {
            Some(("file", _)) => return None,
            Some((_scheme, rest)) => rest.split_once('/')?,
            None => text.split_once(':')?,
        };
        let host = host.rsplit_once('@').map_or(host, |(_user, host)| host);
        // A port belongs to a protocol; the same repository has another one by ssh.
        let host = host.split_once(':').map_or(host, |(host, _port)| host);
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        if host.is_empty() || path.is_empty() {
            return None;
        }
        Some(Self(format!("{}/{}", host.to_lowercase(), path.to_lowercase())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_address() {
        let check = |text: &str| {
            assert_eq!(
                RepositoryAddress::of(text),
                Some(RepositoryAddress("example.com/o/n".to_owned())),
                "{text}"
            );
        };
        check("https://example.com/o/n.git");
        check("https://Example.com/O/n/");
        check("http://user@example.com:8080/o/n");
        check("ssh://git@example.com:2222/o/n.git");
        check("git@example.com:o/n.git");
        for text in ["", "../upstream", "/srv/git/x", "file:///srv/x", "https://example.com/", "https://"] {
            assert_eq!(RepositoryAddress::of(text), None, "{text}");
        }
    }
}
