//! Tools that no registry has: built from their own repositories, which are given by path.

use std::path::Path;

use anyhow::{Context as _, Result};
use port::bench::read::Format;

use super::Written;
use super::tools::{run, succeed};

/// Of each tool its name, and the file by which its repository is known.
pub(super) const TOOLS: [(&str, &str); 2] = [
    ("bencher", "services/cli/src/bencher/sub/mock.rs"),
    ("github_action_benchmark", "src/addBenchmarkEntry.ts"),
];

/// What `cargo bench` prints for two benchmarks.
const LIBTEST: &str = "test bench_fib_10 ... bench:         135 ns/iter (+/- 24)\n\
    test bench_fib_20 ... bench:      18,149 ns/iter (+/- 755)\n";

/// The push that the action is told of.
const PUSH: &str = r#"{"head_commit": {"author": {"name": "a"}, "committer": {"name": "a"}, "id": "1", "message": "m",
    "timestamp": "2026-01-01T00:00:00Z", "url": "https://localhost/1"}, "repository": {"html_url": "https://localhost/r", "name": "r", "owner": {"login": "o"}}}"#;

/// What the workflow sets; the action itself has no defaults.
const INPUTS: [(&str, &str); 16] = [
    ("INPUT_TOOL", "cargo"),
    ("INPUT_OUTPUT-FILE-PATH", "printed.txt"),
    ("INPUT_NAME", "suite"),
    ("INPUT_GH-PAGES-BRANCH", "gh-pages"),
    ("INPUT_BENCHMARK-DATA-DIR-PATH", "bench"),
    ("INPUT_AUTO-PUSH", "false"),
    ("INPUT_SKIP-FETCH-GH-PAGES", "true"),
    ("INPUT_COMMENT-ALWAYS", "false"),
    ("INPUT_SUMMARY-ALWAYS", "false"),
    ("INPUT_SAVE-DATA-FILE", "true"),
    ("INPUT_COMMENT-ON-ALERT", "false"),
    ("INPUT_FAIL-ON-ALERT", "false"),
    ("INPUT_ALERT-THRESHOLD", "200%"),
    ("INPUT_GO-FORCE-PACKAGE-SUFFIX", "false"),
    ("INPUT_EXTERNAL-DATA-JSON-PATH", "kept.json"),
    ("GITHUB_EVENT_PATH", "push.json"),
];

/// What a tool writes whose repository this is; nothing where it is of none of them.
pub(super) fn written(repository: &Path, folder: &Path) -> Result<Option<(&'static str, Vec<Written>)>> {
    let git = repository.to_string_lossy();
    for (tool, known_by) in TOOLS {
        let spec = format!("HEAD:{known_by}");
        if !run("git", folder, &["-C", &git, "cat-file", "-e", &spec], &[])?.succeeded() {
            continue;
        }
        let sources = folder.join(tool);
        std::fs::create_dir_all(&sources)?;
        let archive = sources.join("sources.tar");
        let into = archive.to_string_lossy();
        succeed(run("git", folder, &["-C", &git, "archive", "-o", &into, "HEAD"], &[])?, "git archive")?;
        succeed(run("tar", &sources, &["-xf", &into], &[])?, "tar")?;
        let written = if tool == "bencher" { bencher(&sources)? } else { github_action(&sources)? };
        return Ok(Some((tool, written)));
    }
    Ok(None)
}

/// Its own program, with the numbers that it makes up for trying it.
fn bencher(sources: &Path) -> Result<Vec<Written>> {
    // Its settings ask for a linker that need not be here.
    std::fs::remove_dir_all(sources.join(".cargo")).context("the repository of bencher has changed")?;
    std::fs::remove_file(sources.join("rust-toolchain.toml"))
        .context("the repository of bencher has changed")?;
    let build = ["build", "--quiet", "--locked", "-p", "bencher_cli", "--no-default-features"];
    succeed(run("cargo", sources, &build, &[])?, "the build of bencher")?;
    let program = sources.join("target/debug/bencher").to_string_lossy().into_owned();
    let mut written = Vec::new();
    for (tool, measures, results) in [
        ("bencher", &[][..], 5),
        ("bencher_measures", &["--measure", "latency", "--measure", "size"][..], 10),
    ] {
        let arguments = [&["mock", "--count", "5", "--seed", "1"], measures].concat();
        let printed = succeed(run(&program, sources, &arguments, &[])?, "bencher mock")?;
        let path = sources.join(format!("{tool}.json"));
        std::fs::write(&path, &printed.stdout)?;
        written.push(Written { tool, format: Format::Bencher, path, results, good: results });
    }
    Ok(written)
}

/// The action as a workflow runs it, twice, and what a benchmark hands to it.
fn github_action(sources: &Path) -> Result<Vec<Written>> {
    succeed(run("npm", sources, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], &[])?, "npm ci")?;
    succeed(run("npx", sources, &["tsc", "-p", "tsconfig.build.json"], &[])?, "the compiler of the action")?;
    std::fs::write(sources.join("printed.txt"), LIBTEST)?;
    std::fs::write(sources.join("push.json"), PUSH)?;
    for _ in 0..2 {
        succeed(run("node", sources, &["dist/src/index.js"], &INPUTS)?, "the action")?;
    }
    let kept = sources.join("kept.json");
    let script = sources.join("data.js");
    let text = std::fs::read_to_string(&kept).context("the action kept nothing")?;
    // `storeDataJs` of its `write.ts` puts this before the same text, and needs a branch to push for it.
    std::fs::write(&script, format!("window.BENCHMARK_DATA = {text}"))?;
    let one = |tool, path| Written { tool, format: Format::GithubActionBenchmark, path, results: 2, good: 2 };
    Ok(vec![one("github_action_benchmark", kept), one("github_action_benchmark_script", script)])
}
