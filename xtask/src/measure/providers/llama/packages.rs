//! The server's program: Debian's package of llama.cpp, fetched by `apt` and unpacked beside the system.
//!
//! Nothing is installed, and nothing of the system is changed: `apt` is given folders of its own and, of the system's
//! configuration, the address of the archive. The package is of a newer suite than most systems are, so it runs with the
//! loader and the libraries of its own suite.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::super::python::run;
use super::super::served::bare;

/// The suite that always has the newest llama.cpp.
const SUITE: &str = "sid";
/// The package that holds `llama-server`.
const PACKAGE: &str = "llama.cpp-tools";
/// Debian's keys, where the system has them as a package.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An unpacked `llama-server`.
pub(super) struct Program {
    server: PathBuf,
    loader: PathBuf,
    /// Folders of libraries, as the loader takes them.
    libraries: String,
    /// The backend that every processor of this kind can run.
    backend: PathBuf,
    /// Which package it is of.
    pub(super) version: String,
}

impl Program {
    /// The program in this folder; one that is there already is used as it is.
    pub(super) fn at(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let unpacked = folder.join("unpacked");
        // Made last, so that what was broken off is made again.
        let mark = folder.join("tidelock-installed");
        if !mark.is_file() {
            let archives = fetch(folder)?;
            for archive in &archives {
                let (archive, into) = (archive.to_string_lossy(), unpacked.to_string_lossy());
                run(Path::new("dpkg-deb"), folder, &["--extract", &archive, &into], &[])?;
            }
            std::fs::write(&mark, version(&archives)?)?;
        }
        Self::in_tree(&unpacked, std::fs::read_to_string(mark)?)
    }

    fn in_tree(unpacked: &Path, version: String) -> Result<Self> {
        let mut files = Vec::new();
        walk(unpacked, &mut files)?;
        // The shortest name is the plainest: `libggml-cpu-x64.so` before those of single processors.
        files.sort_by_key(|file| (file.as_os_str().len(), file.clone()));
        let named = |what: &str, is_it: &dyn Fn(&str) -> bool| {
            let name = |file: &PathBuf| file.file_name().is_some_and(|name| is_it(&name.to_string_lossy()));
            let found = files.iter().find(|file| name(file));
            found.cloned().with_context(|| format!("the package holds no {what}"))
        };
        let libraries: BTreeSet<&Path> = files
            .iter()
            .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(".so")))
            .filter_map(|file| file.parent())
            .collect();
        let libraries: Vec<String> =
            libraries.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        Ok(Self {
            server: unpacked.join("usr/bin/llama-server"),
            loader: named("loader", &|name| name.starts_with("ld-linux"))?,
            libraries: libraries.join(":"),
            backend: named("backend", &|name| {
                name.starts_with("libggml-cpu") && name.strip_suffix(".so").is_some()
            })?,
            version,
        })
    }

    /// The command that runs it, without arguments.
    pub(super) fn command(&self) -> Command {
        let mut command = bare(&self.loader);
        command.env("GGML_BACKEND_PATH", &self.backend);
        command.arg("--library-path").arg(&self.libraries).arg(&self.server);
        command
    }
}

/// The package and all that it needs, as archives.
fn fetch(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut refusals = Vec::new();
    for archive in configured()? {
        match fetch_from(&archive, folder) {
            Ok(archives) => return Ok(archives),
            // Such as the archive of security updates, which has no such suite.
            Err(error) => refusals.push(format!("{error:#}")),
        }
    }
    bail!("no archive that `apt` is configured with gave {PACKAGE} of {SUITE}: {}", refusals.join("; "))
}

/// The addresses of archives that the system's `apt` knows, each once, in its order.
fn configured() -> Result<Vec<String>> {
    let format = ["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"];
    let said = run(Path::new("apt-get"), Path::new("."), &format, &[]).context("`apt` is needed")?;
    let mut archives: Vec<String> = Vec::new();
    for archive in said.lines() {
        if !archives.iter().any(|known| known == archive) {
            archives.push(archive.to_owned());
        }
    }
    ensure!(!archives.is_empty(), "`apt` is configured with no archive");
    Ok(archives)
}

fn fetch_from(archive: &str, folder: &Path) -> Result<Vec<PathBuf>> {
    let apt = folder.join("apt");
    let at = |path: &str| apt.join(path);
    for path in ["parts", "preferences", "state/lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(at(path))?;
    }
    let keys = if Path::new(KEYS).is_file() { format!("[signed-by={KEYS}] ") } else { String::new() };
    std::fs::write(at("sources.list"), format!("deb {keys}{archive} {SUITE} main\n"))?;
    // Of what the system has installed nothing counts: the loader is to find all of it in one place.
    std::fs::write(at("status"), "")?;
    let mut options =
        vec!["APT::Sandbox::User=root".to_owned(), "Dir::Etc::Preferences=/dev/null".to_owned()];
    for (key, path) in [
        ("Dir::Etc::SourceList", "sources.list"),
        ("Dir::Etc::SourceParts", "parts"),
        ("Dir::Etc::PreferencesParts", "preferences"),
        ("Dir::State", "state"),
        ("Dir::State::status", "status"),
        ("Dir::Cache", "cache"),
    ] {
        options.push(format!("{key}={}", at(path).display()));
    }
    let options: Vec<&str> = options.iter().flat_map(|option| ["-o", option.as_str()]).collect();
    for command in [
        &["-q", "update"][..],
        &["-q", "-y", "--no-install-recommends", "--download-only", "install", PACKAGE],
    ] {
        run(Path::new("apt-get"), folder, &[&options, command].concat(), &[])?;
    }
    let mut archives = Vec::new();
    walk(&at("cache/archives"), &mut archives)?;
    archives.retain(|file| file.extension().is_some_and(|extension| extension == "deb"));
    Ok(archives)
}

/// The version in the name of the package's archive: `name_version_architecture.deb`, a colon written as `%3a`.
fn version(archives: &[PathBuf]) -> Result<String> {
    let mut names = archives.iter().filter_map(|archive| archive.file_name()?.to_str());
    let version = names.find_map(|name| name.strip_prefix(PACKAGE)?.strip_prefix('_')?.split('_').next());
    Ok(version.with_context(|| format!("{PACKAGE} is not among what was fetched"))?.replace("%3a", ":"))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("there is no {}", folder.display()))? {
        let entry = entry?;
        // Links are left: what they lead to is found by itself.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_with_what_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("usr/lib/here");
        std::fs::create_dir_all(library.join("ggml")).unwrap();
        assert!(
            Program::in_tree(folder.path(), "1".to_owned()).err().unwrap().to_string().contains("no loader")
        );
        for name in
            ["ld-linux-here.so.2", "libllama.so.0", "ggml/libggml-cpu-zen4.so", "ggml/libggml-cpu-x64.so"]
        {
            std::fs::write(library.join(name), "").unwrap();
        }
        let program = Program::in_tree(folder.path(), "1".to_owned()).unwrap();
        let archives =
            ["x/libllama0_2_amd64.deb", "x/llama.cpp-tools_1%3a0.7-2_amd64.deb"].map(PathBuf::from);
        assert_eq!(version(&archives).unwrap(), "1:0.7-2");
        assert!(version(&archives[..1]).is_err());
        assert_eq!(program.backend, library.join("ggml/libggml-cpu-x64.so"));
        assert_eq!(program.libraries, format!("{0}:{0}/ggml", library.display()));
        let command = program.command();
        let arguments: Vec<_> = command.get_args().map(|text| text.to_string_lossy().into_owned()).collect();
        assert_eq!(command.get_program(), library.join("ld-linux-here.so.2").as_os_str());
        let server = folder.path().join("usr/bin/llama-server").display().to_string();
        assert_eq!(arguments, ["--library-path".to_owned(), program.libraries.clone(), server]);
    }
}
