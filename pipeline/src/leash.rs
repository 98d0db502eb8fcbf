//! The hidden subcommand that a translator's command runs below, so that it ends with the run that asked it.

use std::ffi::OsString;

use upstream::process::{Ending, ProcessError, leashed};

/// The subcommand's name.
pub(crate) const LEASHED_SUBCOMMAND: &str = "__leashed";

/// The exit code that says that the program was not started; the confined ones use it as well.
const NOT_STARTED: u8 = 125;

/// The words before a program that is to end with this process.
pub(crate) fn words() -> Vec<OsString> {
    vec![LEASHED_SUBCOMMAND.into(), std::process::id().to_string().into()]
}

/// Carries out the arguments behind the subcommand's name: the process that holds the leash, the program, its
/// arguments. Gives the exit code, or why there is none.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<u8, (u8, String)> {
    let mut arguments = arguments.into_iter();
    let holder = arguments.next().and_then(|word| word.to_str()?.parse().ok());
    let (Some(holder), Some(program)) = (holder, arguments.next()) else {
        return Err((
            NOT_STARTED,
            "this subcommand is not for people: it needs a process and a program".to_owned(),
        ));
    };
    let rest: Vec<OsString> = arguments.collect();
    match leashed(holder, &program, &rest) {
        Ok(Ending::Exited(code)) => Ok(u8::try_from(code).unwrap_or(u8::MAX)),
        // As a shell says it.
        Ok(Ending::Signalled(signal)) => {
            Err((u8::try_from(128 + signal).unwrap_or(u8::MAX), format!("it was ended by signal {signal}")))
        }
        Ok(Ending::TimedOut | Ending::Silent | Ending::TooMuchOutput | Ending::Interrupted) => Ok(u8::MAX),
        Err(error @ (ProcessError::Spawn { .. } | ProcessError::Wait { .. })) => {
            Err((NOT_STARTED, error.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_of_our_making_is_refused() {
        for line in [&[][..], &["7"], &["x", "true"], &["-1", "true"]] {
            assert_eq!(run(line.iter().map(OsString::from)).unwrap_err().0, NOT_STARTED, "{line:?}");
        }
    }
}
