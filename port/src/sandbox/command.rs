//! The command line of the inner half: what the outer half asks it to give up before it becomes a program.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use upstream::process::Invocation;

use super::confined::ConfinedError;
use super::limits::ResourceLimits;
use super::process_group::ProcessGroup;

/// The hidden subcommand of the binary that leads to [`super::confined_exec`].
pub const CONFINED_SUBCOMMAND: &str = "__confined";

/// The most arguments read before the program: far more than any access needs.
const OPTIONS_MAX: usize = 10_000;

/// A program and what is to be given up before it starts. In this order it is carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ConfinedCommand {
    /// The process that started this one, as a number: the program is killed when that ends, however it ends.
    pub(super) parent: Option<i32>,
    /// The control group to join, which bounds the number of processes.
    pub(super) process_group: Option<PathBuf>,
    /// Folders to cover with empty ones; of what they hold, only `read` and `write` stay.
    /// There being any says that there is a mount namespace to do so in.
    pub(super) private: Vec<PathBuf>,
    /// Folders to make where they are missing, after that, and to leave writable.
    pub(super) scratch: Vec<PathBuf>,
    /// Resource bounds to set.
    pub(super) limits: Option<ResourceLimits>,
    /// Whether to give up, through Landlock, all files but these, TCP and all capabilities.
    pub(super) landlock: bool,
    /// What Landlock leaves readable.
    pub(super) read: Vec<PathBuf>,
    /// What Landlock leaves writable.
    pub(super) write: Vec<PathBuf>,
    /// The program to become.
    pub(super) program: OsString,
    /// Its arguments.
    pub(super) arguments: Vec<OsString>,
}

impl ConfinedCommand {
    /// The arguments that say this, behind the path of our own binary.
    pub(super) fn to_arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec![CONFINED_SUBCOMMAND.into()];
        let mut option = |name: &str, value: &OsStr| arguments.extend([name.into(), value.to_owned()]);
        if let Some(parent) = self.parent {
            option("--parent", OsStr::new(&parent.to_string()));
        }
        if let Some(path) = &self.process_group {
            option("--process-group", path.as_os_str());
        }
        for path in &self.private {
            option("--private", path.as_os_str());
        }
        for path in &self.scratch {
            option("--scratch", path.as_os_str());
        }
        if let Some(limits) = &self.limits {
            option("--limits", OsStr::new(&limits.to_string()));
        }
        for path in &self.read {
            option("--read", path.as_os_str());
        }
        for path in &self.write {
            option("--write", path.as_os_str());
        }
        if self.landlock {
            arguments.push("--landlock".into());
        }
        arguments.extend(["--".into(), self.program.clone()]);
        arguments.extend(self.arguments.iter().cloned());
        arguments
    }

    /// Reads what [`Self::to_arguments`] wrote, without the subcommand's name.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfinedError> {
        let invalid = |reason: String| ConfinedError::Arguments { reason };
        let mut arguments = arguments.into_iter();
        let mut command = Self::default();
        for _ in 0..OPTIONS_MAX {
            let option = arguments.next().ok_or_else(|| invalid("no program is named".to_owned()))?;
            let mut value = || {
                let missing = || invalid(format!("`{}` lacks its value", option.display()));
                arguments.next().ok_or_else(missing)
            };
            match option.to_str() {
                Some("--parent") => {
                    let text = value()?.to_string_lossy().into_owned();
                    let number = text.parse();
                    let number = number.map_err(|_not_a_number: std::num::ParseIntError| {
                        invalid(format!("`{text}` is no process"))
                    })?;
                    command.parent = Some(number);
                }
                Some("--process-group") => command.process_group = Some(value()?.into()),
                Some("--private") => command.private.push(value()?.into()),
                Some("--scratch") => command.scratch.push(value()?.into()),
                Some("--limits") => {
                    let text = value()?.to_string_lossy().into_owned();
                    command.limits = Some(text.parse().map_err(|error| invalid(format!("{error}")))?);
                }
                Some("--read") => command.read.push(value()?.into()),
                Some("--write") => command.write.push(value()?.into()),
                Some("--landlock") => command.landlock = true,
                Some("--") => {
                    command.program =
                        arguments.next().ok_or_else(|| invalid("no program is named".to_owned()))?;
                    command.arguments = arguments.collect();
                    return Ok(command);
                }
                Some(_) | None => return Err(invalid(format!("unknown option `{}`", option.display()))),
            }
        }
        Err(invalid(format!("more than {OPTIONS_MAX} options")))
    }
}

/// An invocation that is led by our own binary: it ends with us, and joins the group before it starts.
pub(super) fn led(inner: Invocation, binary: &Path, group: Option<&ProcessGroup>) -> Invocation {
    let command = ConfinedCommand {
        parent: Some(own_id()),
        process_group: group.map(|group| group.path.clone()),
        program: inner.program,
        arguments: inner.arguments,
        ..ConfinedCommand::default()
    };
    Invocation { program: binary.into(), arguments: command.to_arguments(), ..inner }
}

/// This process, which is the parent of what it starts.
pub(super) fn own_id() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("(-|--|[a-z /.-]{1,8})", 0..4)
    }

    proptest! {
        #[test]
        fn any_command_survives_the_command_line(
            read in words(), write in words(), private in words(), scratch in words(),
            program in "[a-z-]{1,6}", arguments in words(), landlock: bool,
        ) {
            let paths = |words: Vec<String>| words.into_iter().map(PathBuf::from).collect::<Vec<_>>();
            let command = ConfinedCommand {
                parent: Some(7),
                process_group: Some("/sys/fs/cgroup/pids/x".into()),
                private: paths(private),
                scratch: paths(scratch),
                limits: Some(ResourceLimits::default()),
                landlock,
                read: paths(read),
                write: paths(write),
                program: program.into(),
                arguments: arguments.into_iter().map(OsString::from).collect(),
            };
            let mut line = command.to_arguments();
            prop_assert_eq!(line.remove(0), CONFINED_SUBCOMMAND);
            prop_assert_eq!(ConfinedCommand::parse(line).unwrap(), command);
        }
    }

    #[test]
    fn command_lines_that_say_something_else_are_refused() {
        for line in [&[][..], &["--read"], &["--"], &["--limits", "many", "--", "true"], &["true"]] {
            let parsed = ConfinedCommand::parse(line.iter().map(OsString::from));
            assert!(matches!(parsed, Err(ConfinedError::Arguments { .. })), "{line:?}: {parsed:?}");
        }
    }
}
