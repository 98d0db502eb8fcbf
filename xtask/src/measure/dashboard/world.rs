//! A small port of a small crate with some modules, two releases behind, for the pages to be about.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use upstream::process::{Invocation, Limits, ProcessRunner, SystemProcessRunner};

use super::super::poll::git;

const LIB: &str = "pub mod layout;\npub mod names;\n\n/// The vowels of a word.\npub fn count_vowels(word: &str) -> usize {\n    word.chars().filter(|c| \"aeiou\".contains(*c)).count()\n}\n\n/// Whether it can be said.\npub fn is_pronounceable(word: &str) -> bool {\n    count_vowels(word) > 0\n}\n\n/// A name for an address.\npub fn slug(text: &str) -> String {\n    text.to_lowercase().replace(' ', \"-\")\n}\n\n/// A name for a file.\npub fn file_name(text: &str) -> String {\n    slug(text) + \".txt\"\n}\n";
const NAMES: &str = "/// The first letters.\npub fn initials(name: &str) -> String {\n    name.split(' ').filter_map(|part| part.chars().next()).collect()\n}\n";
const LAYOUT: &str = "/// Its width.\npub fn width(text: &str) -> usize {\n    text.chars().count()\n}\n\n/// In lines.\npub fn wrap(text: &str, columns: usize) -> Vec<String> {\n    if width(text) <= columns { vec![text.to_owned()] } else { text.split(' ').map(str::to_owned).collect() }\n}\n";

const PORT_INIT: &str = "from tinytext.layout import wrap\nfrom tinytext.names import initials\n\n\ndef count_vowels(word: str) -> int:\n    return sum(1 for c in word if c in \"aeiou\")\n\n\ndef is_pronounceable(word: str) -> bool:\n    return count_vowels(word) > 0\n\n\ndef slug(text: str) -> str:\n    return text.lower().replace(\" \", \"-\")\n\n\ndef file_name(text: str) -> str:\n    return slug(text) + \".txt\"\n\n\ndef paragraph(text: str) -> str:\n    return initials(text) + \"\\n\".join(wrap(text, 20))\n";
const PORT_NAMES: &str =
    "def initials(name: str) -> str:\n    return \"\".join(part[0] for part in name.split(\" \") if part)\n";
const PORT_LAYOUT: &str = "def width(text: str) -> int:\n    return len(text)\n\n\ndef wrap(text: str, columns: int) -> list[str]:\n    if width(text) <= columns:\n        return [text]\n    return text.split(\" \")\n";
const CONFIG: &str = "version = 1\n\n[upstream]\ngit = \"../upstream\"\ntags = \"0.*\"\n\n[port]\nname = \"tinytext-py\"\nlanguage = \"python\"\n\n[[map]]\nitems = \"**\"\nsymbol = \"{crate}.{module}.{type}.{name}\"\nfile = \"{crate}/{module}.py\"\n";

/// The longest that adopting may take, in milliseconds.
const PATIENCE_MS: u64 = 600_000;

/// Makes the upstream in `upstream` and the port in `port` below this folder.
pub(super) fn make(program: &Path, root: &Path) -> Result<()> {
    let write = |file: &str, text: &str| -> Result<()> {
        let path = root.join(file);
        std::fs::create_dir_all(path.parent().context("a folder")?)?;
        Ok(std::fs::write(path, text)?)
    };
    write(
        "upstream/Cargo.toml",
        "[package]\nname = \"tinytext\"\nversion = \"0.3.0\"\nedition = \"2021\"\n",
    )?;
    for (file, text) in [("lib", LIB), ("names", NAMES), ("layout", LAYOUT)] {
        write(&format!("upstream/src/{file}.rs"), text)?;
    }
    let upstream = root.join("upstream");
    git(&upstream, &["init", "--quiet", "-b", "main"])?;
    commit(&upstream, "first")?;
    git(&upstream, &["tag", "0.3.0"])?;
    write("port/tinytext/__init__.py", PORT_INIT)?;
    write("port/tinytext/names.py", PORT_NAMES)?;
    write("port/tinytext/layout.py", PORT_LAYOUT)?;
    write("port/tidelock.toml", CONFIG)?;
    write("port/.gitignore", "/.tidelock\n__pycache__\n")?;
    let port = root.join("port");
    git(&port, &["init", "--quiet", "-b", "main"])?;
    commit(&port, "a port of 0.3.0")?;
    tidelock(program, &port, &["init", "--adopt", "0.3.0"])?;
    // What waits stands in the lock: one item does, as after a sync that nobody could translate for.
    let lock = port.join("tidelock.lock");
    let text = std::fs::read_to_string(&lock)?;
    let waits = "parked = [\n  { item = \"tinytext::layout::wrap\", symbol = \"tinytext.layout.wrap\", revision = \"0.3.0\", \
                 reason = \"every answer of the chain (rules, memory, local-large) was refused\" },\n";
    if !text.contains("parked = [\n") {
        bail!("the lock has no list of what is parked");
    }
    std::fs::write(&lock, text.replace("parked = [\n", waits))?;
    // Somebody edited a symbol by hand.
    write("port/tinytext/names.py", &PORT_NAMES.replace("if part)", "if part.strip())"))?;
    commit(&port, "adopt, and edit")?;
    for (from, to, tag) in [("\"aeiou\"", "\"aeiouy\"", "0.4.0"), ("\"-\"", "\"_\"", "0.4.1")] {
        let text = std::fs::read_to_string(upstream.join("src/lib.rs"))?.replace(from, to);
        write("upstream/src/lib.rs", &text)?;
        commit(&upstream, tag)?;
        git(&upstream, &["tag", tag])?;
    }
    // So that the mirror knows of them.
    tidelock(program, &port, &["status"])
}

fn commit(folder: &Path, message: &str) -> Result<()> {
    git(folder, &["add", "-A"])?;
    git(folder, &["-c", "user.name=x", "-c", "user.email=x@invalid", "commit", "--quiet", "-m", message])
}

fn tidelock(program: &Path, folder: &Path, arguments: &[&str]) -> Result<()> {
    let program = program.display().to_string();
    let limits = Limits { timeout_ms: PATIENCE_MS, ..Limits::default() };
    let invocation = Invocation::new(&program, folder).args(arguments.iter().copied()).limits(limits);
    let invocation =
        invocation.inherit(&["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "TMPDIR"]);
    let finished = SystemProcessRunner::default().run(&invocation)?;
    if !finished.succeeded() {
        bail!("`tidelock {}` failed: {}", arguments.join(" "), finished.tail(20));
    }
    Ok(())
}
