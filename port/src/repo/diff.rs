//! The difference between two trees as text, for reports.

use git2::{DiffFormat, DiffOptions};
use upstream::TreeId;

use super::PortRepo;
use super::error::{RepoError, git};

/// The largest difference that is shown.
pub const DIFF_BYTES_MAX: usize = 4 << 20;

impl PortRepo {
    /// The unified difference between two trees, of these paths or, where none is named, of all. One that is
    /// over the bound is an error: no difference is cut.
    pub fn diff_text(&self, old: &TreeId, new: &TreeId, paths: &[&str]) -> Result<String, RepoError> {
        let (old, new) = (self.tree(old)?, self.tree(new)?);
        let mut options = DiffOptions::new();
        options.disable_pathspec_match(true);
        for path in paths {
            options.pathspec(*path);
        }
        let diff = self
            .git
            .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))
            .map_err(git("compare two trees"))?;
        let (mut bytes, mut fits) = (Vec::new(), true);
        let printed = diff.print(DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), ' ' | '+' | '-') {
                bytes.extend(line.origin().to_string().into_bytes());
            }
            bytes.extend_from_slice(line.content());
            fits = bytes.len() <= DIFF_BYTES_MAX;
            fits
        });
        if !fits {
            return Err(RepoError::DiffTooLarge { max: DIFF_BYTES_MAX });
        }
        printed.map_err(git("write the difference of two trees"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
