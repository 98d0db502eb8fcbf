//! Tools whose runs need Docker: files by their own report code, taken from `PyPI`.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use port::bench::read::Format;

use super::Written;
use super::tools::{Python, process};

/// The packages, in the order in which the script takes them: the newest harness of SWE-bench, and the last one
/// before it told faults of the infrastructure apart.
const PACKAGES: [(&str, &str); 4] =
    [("swebench", "5.0.2"), ("swebench", "4.1.0"), ("terminal-bench", "0.2.18"), ("harbor", "0.25.0")];

/// Calls their report code with results of our own.
const SCRIPT: &str = include_str!("report_code.py");

/// What they write.
pub(super) fn report_code(python: &Python, folder: &Path) -> Result<Vec<Written>> {
    let script = folder.join("report_code.py");
    std::fs::write(&script, SCRIPT)?;
    let out = folder.join("reports");
    let mut arguments = vec![script.to_string_lossy().into_owned()];
    for (name, version) in PACKAGES {
        arguments.push(unpacked(python, folder, name, version)?);
    }
    arguments.push(out.to_string_lossy().into_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let finished = process(&python.program("python"), folder, &arguments)?;
    ensure!(finished.succeeded(), "the report code failed: {}", finished.tail(10));
    let one = |tool, format, path: &str, results, good| {
        let path = out.join(path);
        Written { tool, format, path, results, good }
    };
    let mut written = vec![
        one("swebench_5", Format::Swebench, "newer/model.run.json", 4, 1),
        one("swebench_4", Format::Swebench, "older/model.run.json", 4, 1),
        one("terminal_bench", Format::TerminalBench, "results.json", 3, 2),
        one("harbor", Format::Harbor, "job", 3, 1),
    ];
    let trials = std::fs::read_dir(out.join("job"))?.filter_map(Result::ok).map(|entry| entry.path());
    let mut good =
        trials.filter(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("good")));
    let trial = good.next().context("harbor wrote no trial")?.join("result.json");
    written.push(Written { tool: "harbor_trial", format: Format::Harbor, path: trial, results: 1, good: 1 });
    Ok(written)
}

/// A wheel of `PyPI` as a folder. It may ask for a newer Python than is here; nothing of it is installed.
fn unpacked(python: &Python, folder: &Path, name: &str, version: &str) -> Result<String> {
    let wheel = folder.join(format!("{name}-{version}"));
    let wanted = format!("{name}=={version}");
    let into = wheel.to_string_lossy().into_owned();
    let download =
        ["-q", "download", "--no-deps", "--python-version=3.13", "--only-binary=:all:", "-d", &into, &wanted];
    let finished = process(&python.program("pip"), folder, &download)?;
    ensure!(finished.succeeded(), "cannot fetch {wanted}: {}", finished.tail(5));
    let unzip = "import sys, zipfile, pathlib\nfolder = pathlib.Path(sys.argv[1])\n\
                 [zipfile.ZipFile(wheel).extractall(folder) for wheel in folder.glob('*.whl')]";
    let finished = process(&python.program("python"), folder, &["-c", unzip, &into])?;
    ensure!(finished.succeeded(), "cannot unpack {wanted}: {}", finished.tail(5));
    Ok(into)
}
