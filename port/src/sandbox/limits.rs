//! What a confined process may use of the machine, beside time and output, which its runner bounds.

use std::fmt;
use std::str::FromStr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Bounds that the kernel holds, for each process but where said otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceLimits {
    /// Address space, in bytes.
    pub memory_bytes_max: u64,
    /// Processor time, in seconds.
    pub cpu_s_max: u64,
    /// Processes and threads of the whole sandbox.
    pub processes_max: u64,
    /// The longest file it may write, in bytes.
    pub file_bytes_max: u64,
    /// Open files.
    pub open_files_max: u64,
}

impl Default for ResourceLimits {
    /// Enough for a compiler, too little to disturb the machine for long.
    fn default() -> Self {
        Self {
            memory_bytes_max: 16 << 30,
            cpu_s_max: 60 * 60,
            processes_max: 1024,
            file_bytes_max: 8 << 30,
            open_files_max: 4096,
        }
    }
}

impl ResourceLimits {
    /// Binds the calling process, and what it becomes, to these bounds; without core dumps.
    pub(super) fn apply(&self) -> rustix::io::Result<()> {
        lower(Resource::As, self.memory_bytes_max)?;
        lower(Resource::Cpu, self.cpu_s_max)?;
        lower(Resource::Nproc, self.processes_max)?;
        lower(Resource::Fsize, self.file_bytes_max)?;
        lower(Resource::Nofile, self.open_files_max)?;
        lower(Resource::Core, 0)
    }
}

/// Lowers both the soft and the hard bound; one that is lower already stays.
fn lower(resource: Resource, wanted: u64) -> rustix::io::Result<()> {
    let bound = getrlimit(resource).maximum.map_or(wanted, |hard| hard.min(wanted));
    setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })
}

/// The text form on a command line: five numbers in the order of the fields.
impl fmt::Display for ResourceLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_bytes_max, cpu_s_max, processes_max, file_bytes_max, open_files_max } = self;
        write!(f, "{memory_bytes_max},{cpu_s_max},{processes_max},{file_bytes_max},{open_files_max}")
    }
}

/// A text that names no limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not five numbers with commas between them")]
pub struct InvalidLimits(pub String);

impl FromStr for ResourceLimits {
    type Err = InvalidLimits;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidLimits(text.to_owned());
        let numbers: Vec<u64> = text
            .split(',')
            .map(str::parse)
            .collect::<Result<_, _>>()
            .map_err(|_not_a_number: std::num::ParseIntError| invalid())?;
        let [memory_bytes_max, cpu_s_max, processes_max, file_bytes_max, open_files_max] =
            numbers.try_into().map_err(|_other_count: Vec<u64>| invalid())?;
        Ok(Self { memory_bytes_max, cpu_s_max, processes_max, file_bytes_max, open_files_max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_survive_the_command_line() {
        let limits = ResourceLimits::default();
        assert_eq!(limits.to_string().parse(), Ok(limits));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "1,2,3,4", "1,2,3,4,5,6", "1,2,3,4,x", "1,2,3,4,-5"] {
            assert_eq!(text.parse::<ResourceLimits>(), Err(InvalidLimits(text.to_owned())));
        }
    }
}
