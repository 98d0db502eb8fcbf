//! Giving up rights through Landlock and capabilities, for the calling process and all that come from it.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::path::{Path, PathBuf};

/// Landlock's versions that differ in what they can deny, newest first. Before 3 a file could be
/// truncated anywhere, which we do not call confined.
const VERSIONS: &[(ABI, u8)] = &[(ABI::V9, 9), (ABI::V6, 6), (ABI::V5, 5), (ABI::V4, 4), (ABI::V3, 3)];

/// A version of Landlock whose denials this kernel enforces in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LandlockVersion {
    abi: ABI,
    /// Its number.
    pub(super) number: u8,
}

impl LandlockVersion {
    /// The newest one that this kernel enforces in full, if there is any worth having.
    pub(super) fn best() -> Option<Self> {
        let enforced = |&&(abi, number): &&(ABI, u8)| Self { abi, number }.ruleset().is_ok();
        VERSIONS.iter().find(enforced).map(|&(abi, number)| Self { abi, number })
    }

    /// Whether it denies TCP.
    pub(super) fn denies_tcp(self) -> bool {
        self.number >= 4
    }

    /// Whether it denies connections to sockets that are files.
    pub(super) fn denies_socket_files(self) -> bool {
        self.number >= 9
    }

    /// A ruleset that denies all that this version can; an error where the kernel cannot do it in full.
    fn ruleset(self) -> Result<RulesetCreated, RulesetError> {
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(self.abi))?;
        if self.number >= 4 {
            ruleset = ruleset.handle_access(AccessNet::from_all(self.abi))?;
        }
        if self.number >= 6 {
            ruleset = ruleset.scope(Scope::from_all(self.abi))?;
        }
        ruleset.create()
    }

    /// Gives up all files but these. Device files cannot be made even where writing is allowed: root
    /// could read the disk through one.
    pub(super) fn restrict(self, read: &[PathBuf], write: &[PathBuf]) -> Result<(), String> {
        let reading = AccessFs::from_read(self.abi);
        let writing = AccessFs::from_all(self.abi) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
        let mut ruleset = self.ruleset().map_err(|error| error.to_string())?;
        for (paths, rights) in [(read, reading), (write, writing)] {
            for path in paths {
                ruleset = self
                    .allow(ruleset, path, rights)
                    .map_err(|reason| format!("{}: {reason}", path.display()))?;
            }
        }
        let status = ruleset.restrict_self().map_err(|error| error.to_string())?;
        if status.ruleset == RulesetStatus::FullyEnforced && status.no_new_privs {
            Ok(())
        } else {
            Err(format!("landlock ABI {} is not enforced in full", self.number))
        }
    }

    fn allow(
        self,
        ruleset: RulesetCreated,
        path: &Path,
        rights: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, String> {
        let folder = std::fs::metadata(path).map_err(|error| error.to_string())?.is_dir();
        let rights = if folder { rights } else { rights & AccessFs::from_file(self.abi) };
        let opened = PathFd::new(path).map_err(|error| error.to_string())?;
        ruleset.add_rule(PathBeneath::new(opened, rights)).map_err(|error| error.to_string())
    }
}

/// Gives up all capabilities, also those that starting a program as root would bring back.
pub(super) fn drop_capabilities() -> rustix::io::Result<()> {
    for capability in CapabilitySet::all().iter() {
        match rustix::thread::remove_capability_from_bounding_set(capability) {
            // An ordinary user may not shrink the set, and needs no shrinking; a kernel may be older than
            // a capability.
            Ok(()) | Err(rustix::io::Errno::PERM | rustix::io::Errno::INVAL) => {}
            Err(other) => return Err(other),
        }
    }
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets)
}
