//! Why a build failed, in one line that stands before the last lines of what Cargo said.
//!
//! Main function: [`why`]. Cargo ends with what it happened to do last; a report that shows one line needs the cause.

use upstream::process::{Ending, Finished};

/// How many of the compiler's last lines are told.
const COMPILER_LINES: usize = 20;
/// The longest that the first line may be, in characters: foreign code chooses its words.
const CAUSE_CHARS_MAX: usize = 300;

/// How Cargo begins to speak of a build script that failed.
const SCRIPT_FAILED: &str = "error: failed to run custom build command for `";
/// What Cargo says of each package that has errors, be they told before or not.
const PACKAGE_FAILED: &str = "error: could not compile `";

/// The cause in a line of its own, and the last lines behind it.
pub(super) fn why(finished: &Finished) -> String {
    let text = String::from_utf8_lossy(&finished.stderr);
    let lines: Vec<&str> = text.lines().collect();
    let cause = cause(&lines).unwrap_or_else(|| silent(finished.ending));
    let cause: String = cause.chars().take(CAUSE_CHARS_MAX).collect();
    let tail = finished.tail(COMPILER_LINES);
    if tail.lines().next() == Some(cause.as_str()) { tail } else { format!("{cause}\n{tail}") }
}

/// The first error that says something: a full disk, a build script's own words, the compiler's, Cargo's.
fn cause(lines: &[&str]) -> Option<String> {
    if let Some(full) = lines.iter().find_map(|line| full_disk(line)) {
        return Some(full);
    }
    let first = |matches: fn(&str) -> bool| lines.iter().position(|line| matches(line));
    if let Some(at) = first(|line| line.starts_with(SCRIPT_FAILED)) {
        return Some(script(lines.get(at..).unwrap_or_default()));
    }
    if let Some(at) = first(|line| is_error(line) && !line.starts_with(PACKAGE_FAILED)) {
        return lines.get(at).map(|line| line.trim().to_owned());
    }
    // The compiler itself was ended, such as by a macro, and Cargo alone speaks of it.
    let at = first(|line| line.starts_with(PACKAGE_FAILED))?;
    let rest = lines.get(at..).unwrap_or_default();
    let package = rest.first().and_then(|line| line.strip_prefix(PACKAGE_FAILED)).and_then(name);
    let ended = rest.iter().find_map(|line| ended(line)).unwrap_or("with errors");
    Some(format!("the compiler of `{}` ended: {ended}", package.unwrap_or_default()))
}

/// What a disk without room looks like: any further error may come of it.
fn full_disk(line: &str) -> Option<String> {
    if line.contains("No space left on device") {
        return Some(format!("no space left on device: {}", line.trim()));
    }
    // Linkers write through memory that stands for the file; what cannot be stored is a fault of memory then.
    let is_fault = line.contains("signal 7 [Bus error]") || line.contains("(signal: 7, SIGBUS");
    is_fault.then(|| format!("no space left on device, by the looks of it: {}", line.trim()))
}

/// `error: ...`, `error[E0308]: ...`, `src/lib.rs:1:2: error: ...`
fn is_error(line: &str) -> bool {
    let at_start = |text: &str| text.starts_with("error: ") || text.starts_with("error[");
    at_start(line)
        || line.split_once(": ").is_some_and(|(place, rest)| place.contains(".rs:") && at_start(rest))
}

/// What a build script said last, from the line on which Cargo says that it failed.
fn script(lines: &[&str]) -> String {
    let package = lines.first().and_then(|line| line.strip_prefix(SCRIPT_FAILED)).and_then(name);
    // Cargo indents what the script wrote.
    let is_its_own = |line: &&&str| line.is_empty() || line.starts_with("  ");
    let words = lines.iter().skip_while(|line| line.trim() != "--- stderr").skip(1).take_while(is_its_own);
    let words: Vec<&str> = words.map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let panicked = words.iter().position(|line| line.contains("panicked at "));
    let said = match panicked {
        Some(at) => words.get(at + 1).copied(),
        None => words.iter().rev().find(|line| !line.starts_with("note: ")).copied(),
    };
    let said = said.or_else(|| lines.iter().find_map(|line| ended(line)));
    format!(
        "the build script of `{}` failed: {}",
        package.unwrap_or_default(),
        said.unwrap_or("it does not say why")
    )
}

/// The name in ``name v1.0.0 (/folder)` `` and ``name` (lib) …``.
fn name(rest: &str) -> Option<&str> {
    rest.split([' ', '`']).next()
}

/// How a process ended, of Cargo's ``process didn't exit successfully: `…` (signal: 9, SIGKILL: kill)``.
fn ended(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix("process didn't exit successfully: ")?;
    rest.rsplit_once(" (").map(|(_, ending)| ending.trim_end_matches(')'))
}

/// An ending of which nothing on standard error tells.
fn silent(ending: Ending) -> String {
    match ending {
        // What a shell makes of a signal; in a sandbox one leads.
        Ending::Exited(code @ 129..=192) => {
            format!("signal {} ended the build, and it does not say why", code - 128)
        }
        Ending::Exited(code) => format!("the build ended with code {code}, and does not say why"),
        Ending::Signalled(signal) => format!("signal {signal} ended the build, and it does not say why"),
        Ending::TimedOut
        | Ending::Silent
        | Ending::TooMuchOutput
        | Ending::TooMuchDisk
        | Ending::DiskFull
        | Ending::Interrupted => "the build was ended by a bound".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ending: Ending, stderr: &str) -> String {
        let (stdout, stderr) = (Vec::new(), stderr.as_bytes().to_vec());
        let told = why(&Finished { ending, stdout, stderr, duration_ms: 1 });
        told.lines().next().unwrap_or_default().to_owned()
    }

    const FAILED: Ending = Ending::Exited(101);

    #[test]
    fn a_build_script_is_told_by_its_own_words() {
        let said = |words: &str| {
            format!(
                "   Compiling a v1.0.0\nerror: failed to run custom build command for `a v1.0.0 (/x/y)`\n\nCaused by:\n  \
                 process didn't exit successfully: `/x/build-script-build` (signal: 6, SIGABRT: process abort signal)\n  \
                 --- stdout\n  cargo:warning=one\n{words}"
            )
        };
        for (words, expected) in [
            (
                "  --- stderr\n\n  thread 'main' panicked at build.rs:1:2:\n  no luck\n  note: run with `RUST_BACKTRACE=1`\n",
                "no luck",
            ),
            (
                "  --- stderr\n  first\n  memory allocation of 9 bytes failed\nwarning: build failed, waiting for other jobs\n   Compiling b\n",
                "memory allocation of 9 bytes failed",
            ),
            ("", "signal: 6, SIGABRT: process abort signal"),
        ] {
            assert_eq!(told(FAILED, &said(words)), format!("the build script of `a` failed: {expected}"));
        }
    }

    #[test]
    fn the_compilers_first_error_is_the_cause() {
        let text = "   Compiling a v1.0.0\nsrc/lib.rs:1:2: warning: odd\nsrc/lib.rs:3:4: error[E0308]: mismatched types\n\
                    src/lib.rs:9:9: error: other\nerror: could not compile `a` (lib) due to 2 previous errors\n";
        assert_eq!(told(FAILED, text), "src/lib.rs:3:4: error[E0308]: mismatched types");
        let cargos = "error: no matching package named `b` found\nlocation searched: x\n";
        assert_eq!(told(FAILED, cargos), "error: no matching package named `b` found");
        assert_eq!(
            why(&Finished { ending: FAILED, stdout: vec![], stderr: cargos.into(), duration_ms: 1 }),
            cargos.trim()
        );
    }

    #[test]
    fn a_full_disk_is_the_cause_of_whatever_else_is_told() {
        let llvm = "   Compiling a v1.0.0\nsrc/lib.rs:1:2: error: x\nrustc-LLVM ERROR: IO failure on output stream: \
                    No space left on device\n";
        assert_eq!(
            told(FAILED, llvm),
            "no space left on device: rustc-LLVM ERROR: IO failure on output stream: No space left on device"
        );
        let linker = "error: could not compile `a` (bin)\nerror: linking with `cc` failed: exit status: 1\n\
                      collect2: fatal error: ld terminated with signal 7 [Bus error]\n";
        assert_eq!(
            told(FAILED, linker),
            "no space left on device, by the looks of it: collect2: fatal error: ld terminated with signal 7 [Bus error]"
        );
    }

    #[test]
    fn what_was_ended_without_a_word_is_told_by_how_it_ended() {
        let compiler = "   Compiling a v1.0.0\nerror: could not compile `a` (lib)\n\nCaused by:\n  \
                        process didn't exit successfully: `rustc --crate-name a` (signal: 9, SIGKILL: kill)\n";
        assert_eq!(told(FAILED, compiler), "the compiler of `a` ended: signal: 9, SIGKILL: kill");
        let killed = "signal 9 ended the build, and it does not say why";
        for (ending, expected) in [
            (Ending::Exited(137), killed),
            (Ending::Signalled(9), killed),
            (Ending::Exited(3), "the build ended with code 3, and does not say why"),
        ] {
            assert_eq!(told(ending, "   Compiling a v1.0.0\n"), expected);
        }
    }

    #[test]
    fn words_without_end_are_cut() {
        assert_eq!(told(FAILED, &format!("error: {}", "x".repeat(9999))).chars().count(), CAUSE_CHARS_MAX);
    }
}
