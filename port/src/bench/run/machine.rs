//! What a machine is, as far as timings depend on it. Results of different machines are never paired.

use serde::{Deserialize, Serialize};

/// A machine's description.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The processor.
    pub processor: String,
    /// Its cores, as the system counts them.
    pub cores: usize,
    /// Memory in mebibytes, rounded down to whole gibibytes.
    pub memory_mib: u64,
    /// The kernel's release.
    pub kernel: String,
}

impl Fingerprint {
    /// This machine's. What cannot be learned stays empty, and equal machines still look equal.
    pub fn of_this_machine() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned())
        };
        let memory = field(&text("/proc/meminfo"), "MemTotal").unwrap_or_default();
        let kib: u64 = memory.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Self {
            processor: field(&text("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
            memory_mib: kib / (1 << 20) * 1024,
            kernel: text("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }

    /// A short name that differs where anything differs.
    pub fn short(&self) -> String {
        let Self { processor, cores, memory_mib, kernel } = self;
        upstream::ContentHash::of(format!("{processor}\n{cores}\n{memory_mib}\n{kernel}")).short()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_always_the_same_and_another_kernel_is_another_machine() {
        let this = Fingerprint::of_this_machine();
        assert_eq!(this.short(), Fingerprint::of_this_machine().short());
        assert!(this.cores > 0 && !this.processor.is_empty());
        let other = Fingerprint { kernel: "other".to_owned(), ..this.clone() };
        assert_ne!(other.short(), this.short());
    }
}
