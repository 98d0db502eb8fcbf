//! The file of a daemon: which ports `tidelock watch --config FILE` watches, and what it offers to others.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::diagnostic::ConfigError;
use super::env;
use super::span::span_of;
use crate::daemon::webhook::{Forge, SECRET_BYTES_MIN};
use crate::dashboard::is_name;

/// The format of the daemon's file that this program reads.
pub const DAEMON_VERSION: u32 = 1;
/// The most ports that one daemon watches.
pub const PORTS_MAX: usize = 1000;
/// The most ports that one daemon may sync at once.
pub const JOBS_MAX: u32 = 64;
/// The longest daemon file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The whole file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DaemonFile {
    /// The version of this format: 1.
    pub version: u32,
    /// The most ports to sync at once; looking is not counted. Default: 1.
    pub jobs: Option<u32>,
    /// The address, such as `127.0.0.1:9470`, at which the dashboard, `/healthz`, `/readyz`, `/metrics` and webhooks are answered.
    /// Default: none.
    pub listen: Option<String>,
    /// The secrets of webhooks. A forge without one is not answered.
    #[serde(default)]
    pub webhook: WebhookSection,
    /// What the dashboard offers.
    #[serde(default)]
    pub dashboard: DashboardSection,
    /// The ports. When each is looked at stands in its own `tidelock.toml`.
    #[serde(default)]
    pub port: Vec<DaemonPortSection>,
}

/// `[webhook]` of a daemon's file: names of environment variables, each with a secret of at least 16 bytes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookSection {
    /// For `POST /webhook/github`.
    pub github_secret_env: Option<String>,
    /// For `POST /webhook/gitlab`.
    pub gitlab_secret_env: Option<String>,
    /// For `POST /webhook/gitea`, also of Forgejo.
    pub gitea_secret_env: Option<String>,
}

/// `[dashboard]` of a daemon's file
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DashboardSection {
    /// The name of an environment variable with a token of at least 16 bytes: who signs in with it may have the daemon look
    /// now, and take up again what is parked. Default: none, and pages only show.
    pub token_env: Option<String>,
    /// Names by which the pages may be asked for, beside addresses and `localhost`, such as that of a proxy.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// `[[port]]` of a daemon's file
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DaemonPortSection {
    /// The folder with its `tidelock.toml`, from the folder of this file.
    pub folder: String,
}

/// What a daemon is to do.
#[derive(Debug, Clone)]
pub struct DaemonSettings {
    /// The most ports to sync at once.
    pub jobs: u32,
    /// Where to answer over HTTP.
    pub listen: Option<SocketAddr>,
    /// The secrets of forges.
    pub secrets: Vec<(Forge, SecretString)>,
    /// With which people sign in to the dashboard; without it pages only show.
    pub token: Option<SecretString>,
    /// Names by which the dashboard may be asked for, beside addresses and `localhost`.
    pub hosts: Vec<String>,
    /// The folders of the ports.
    pub folders: Vec<PathBuf>,
}

impl DaemonSettings {
    /// A daemon over these folders, with nothing configured.
    pub fn of(folders: Vec<PathBuf>) -> Self {
        Self { jobs: 1, listen: None, secrets: Vec::new(), token: None, hosts: Vec::new(), folders }
    }
}

/// Reads a daemon's file.
pub fn load(path: &Path) -> Result<DaemonSettings, super::LoadError> {
    let path = std::path::absolute(path).unwrap_or_else(|_no_current_folder| path.to_owned());
    let unreadable = |source| super::LoadError::Unreadable { path: path.clone(), source };
    let length = std::fs::metadata(&path).map_err(unreadable)?.len();
    if length > FILE_BYTES_MAX {
        let said = format!("it has {length} bytes, and at most {FILE_BYTES_MAX} are read");
        return Err(unreadable(std::io::Error::other(said)));
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Ok(read(&path, &text, env::secret)?)
}

/// Reads a daemon's file from its text; `path` says where it is, and `secret` what a variable holds.
pub fn read(
    path: &Path,
    text: &str,
    secret: impl Fn(&str) -> Option<SecretString>,
) -> Result<DaemonSettings, ConfigError> {
    let file: DaemonFile = toml::from_str(text).map_err(|error| {
        let help = "docs/daemon.md shows what belongs here";
        ConfigError::at(path, text, error.span(), error.message().to_owned(), help)
    })?;
    let complaint = |keys: &[&str], message: String, help: String| {
        ConfigError::at(path, text, span_of(text, keys), message, help)
    };
    let wrong = |keys: &[&str], message, help| Err(complaint(keys, message, help));
    if file.version != DAEMON_VERSION {
        let message =
            format!("this file has format {}, and this program reads {DAEMON_VERSION}", file.version);
        return wrong(
            &["version"],
            message,
            format!("write `version = {DAEMON_VERSION}`, or update Tidelock"),
        );
    }
    let jobs = file.jobs.unwrap_or(1);
    if !(1..=JOBS_MAX).contains(&jobs) {
        return wrong(&["jobs"], format!("`jobs` is {jobs}"), format!("write a number from 1 to {JOBS_MAX}"));
    }
    if file.port.is_empty() || file.port.len() > PORTS_MAX {
        let message = format!("this file names {} ports", file.port.len());
        return wrong(
            &["port"],
            message,
            format!("write from 1 to {PORTS_MAX} `[[port]]`, each with a `folder`"),
        );
    }
    let listen = match file.listen.as_deref().map(str::parse) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_no_address)) => {
            let message = format!("`{}` is no address", file.listen.as_deref().unwrap_or_default());
            let help = "write an address and a port, such as `127.0.0.1:9470` or `[::1]:9470`";
            return wrong(&["listen"], message, help.to_owned());
        }
    };
    // A secret is no secret where it can be guessed, and of no use where nothing listens.
    let secret_of = |keys: [&str; 2], name: &Option<String>, what: &str| {
        let Some(name) = name else { return Ok(None) };
        let secret = secret(name);
        let length = secret.as_ref().map_or(0, |secret| secret.expose_secret().len());
        let Some(secret) = secret.filter(|_| length >= SECRET_BYTES_MIN) else {
            let said = if length == 0 { "is not set".to_owned() } else { format!("holds {length} bytes") };
            let help = format!(
                "give it a secret of at least {SECRET_BYTES_MIN}, such as `openssl rand -hex 32` writes"
            );
            return Err(complaint(&keys, format!("the environment variable `{name}` {said}"), help));
        };
        if listen.is_none() {
            let help = "add `listen = \"127.0.0.1:9470\"`, or take this line out";
            return Err(complaint(&keys, format!("nothing listens for {what}"), help.to_owned()));
        }
        Ok(Some(secret))
    };
    let mut secrets = Vec::new();
    for (forge, key, name) in [
        (Forge::GitHub, "github-secret-env", &file.webhook.github_secret_env),
        (Forge::GitLab, "gitlab-secret-env", &file.webhook.gitlab_secret_env),
        (Forge::Gitea, "gitea-secret-env", &file.webhook.gitea_secret_env),
    ] {
        secrets.extend(secret_of(["webhook", key], name, "webhooks")?.map(|secret| (forge, secret)));
    }
    let token = secret_of(["dashboard", "token-env"], &file.dashboard.token_env, "the dashboard")?;
    if let Some(host) = file.dashboard.hosts.iter().find(|host| !is_name(host)) {
        let help = "write names alone, such as `tidelock.example.org`; addresses and `localhost` are known";
        return wrong(&["dashboard", "hosts"], format!("`{host}` is no name of a host"), help.to_owned());
    }
    let root = path.parent().unwrap_or(Path::new("."));
    let folders = file.port.iter().map(|port| root.join(&port.folder)).collect();
    Ok(DaemonSettings { jobs, listen, secrets, token, hosts: file.dashboard.hosts, folders })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> Option<SecretString> {
        match name {
            "GOOD" => Some(SecretString::from("0123456789abcdef")),
            "SHORT" => Some(SecretString::from("hunter2")),
            _ => None,
        }
    }

    fn complaint(text: &str) -> String {
        let error = read(Path::new("/etc/tidelock/daemon.toml"), text, secret).unwrap_err();
        format!("{}:{} {} | {}", error.line, error.column, error.message, error.help)
    }

    #[test]
    fn folders_start_from_the_file() {
        let text = "version = 1\n[[port]]\nfolder = \"../a\"\n[[port]]\nfolder = \"/b\"\n";
        let settings = read(Path::new("/etc/tidelock/daemon.toml"), text, secret).unwrap();
        assert_eq!(settings.folders, [PathBuf::from("/etc/tidelock/../a"), PathBuf::from("/b")]);
        assert_eq!(settings.jobs, 1);
    }

    #[test]
    fn what_is_wrong_is_shown_where_it_stands() {
        let check = |text: &str, place: &str, words: &str| {
            let complaint = complaint(text);
            assert!(complaint.starts_with(place) && complaint.contains(words), "{text}: {complaint}");
        };
        check("version = 2\n[[port]]\nfolder = 'a'", "1:11 ", "reads 1");
        check("version = 1\n", "1:1 ", "names 0 ports");
        check("version = 1\njobs = 0\n[[port]]\nfolder = 'a'", "2:8 ", "from 1 to 64");
        check("version = 1\n[[port]]\npath = 'a'", "3:1 ", "unknown field `path`");
        check("version = 1\n[[port]]\n", "2:1 ", "missing field `folder`");
        let port = "[[port]]\nfolder = 'a'\n";
        check(&format!("version = 1\nlisten = 'everywhere'\n{port}"), "2:10 ", "`127.0.0.1:9470`");
        let webhook = |listen: &str, name: &str| {
            format!("version = 1\n{listen}\n[webhook]\ngithub-secret-env = '{name}'\n{port}")
        };
        let listen = "listen = '127.0.0.1:0'";
        check(&webhook(listen, "ABSENT"), "4:21 ", "`ABSENT` is not set");
        check(&webhook(listen, "SHORT"), "4:21 ", "holds 7 bytes | give it a secret of at least 16");
        check(&webhook("", "GOOD"), "4:21 ", "nothing listens");
        let board = |listen: &str, line: &str| format!("version = 1\n{listen}\n[dashboard]\n{line}\n{port}");
        check(&board(listen, "token-env = 'ABSENT'"), "4:13 ", "`ABSENT` is not set");
        check(
            &board(listen, "token-env = 'SHORT'"),
            "4:13 ",
            "holds 7 bytes | give it a secret of at least 16",
        );
        check(&board("", "token-env = 'GOOD'"), "4:13 ", "nothing listens for the dashboard");
        check(&board(listen, "token = 'hunter2'"), "4:1 ", "unknown field `token`");
        check(&board(listen, "hosts = ['a', 'http://b']"), "4:9 ", "`http://b` is no name of a host");
    }

    #[test]
    fn secrets_are_read_and_never_shown() {
        let text = "version = 1\nlisten = '[::1]:9470'\n[webhook]\ngitea-secret-env = 'GOOD'\n[dashboard]\n\
                    token-env = 'GOOD'\nhosts = ['ports.example.org']\n[[port]]\nfolder = 'a'\n";
        let settings = read(Path::new("/d.toml"), text, secret).unwrap();
        assert_eq!((settings.secrets.len(), settings.token.is_some()), (1, true));
        assert_eq!(settings.hosts, ["ports.example.org"]);
        assert!(!format!("{settings:?}").contains("0123456789"), "{settings:?}");
    }
}
