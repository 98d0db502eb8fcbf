//! The runtime module in a tree of the port: what stands there, what may be imported of it, and what lands with it.

use std::collections::BTreeMap;

use port::runtime::{Offer, Runtime, State, VERSION};
use upstream::TreeId;

use crate::config::RuntimeSettings;
use crate::session::Session;

impl Session {
    /// Where the module stands; else why the port has none.
    fn runtime(&self) -> Result<Runtime, String> {
        match &self.settings.runtime {
            RuntimeSettings::File(file) => Runtime::new(file, &self.language)
                .ok_or_else(|| format!("`{file}` is no module that Python can import")),
            RuntimeSettings::None { why } => Err(why.clone()),
        }
    }

    /// The text where the module is to be. What cannot be read as a file is there all the same.
    fn runtime_text(&self, tree: &TreeId, runtime: &Runtime) -> Option<String> {
        match self.port.read(tree, runtime.file()) {
            Ok(bytes) => Some(String::from_utf8_lossy(&bytes?).into_owned()),
            Err(_no_plain_file) => Some(String::new()),
        }
    }

    /// The file of the module and what stands there, where the port may have one.
    pub(crate) fn runtime_state(&self, tree: &TreeId) -> Option<(String, State)> {
        let runtime = self.runtime().ok()?;
        let text = self.runtime_text(tree, &runtime);
        Some((runtime.file().to_owned(), State::of(text.as_deref(), &self.language)))
    }

    /// What of the module a translation may import in a tree.
    pub(crate) fn runtime_offer(&self, tree: &TreeId) -> Offer {
        match self.runtime() {
            Ok(runtime) => runtime.offer(self.runtime_text(tree, &runtime).as_deref(), &self.language),
            Err(why) => Offer::No { module: None, why },
        }
    }

    /// The file of the module and its text, where one of these texts needs it and the tree does not have it as it is
    /// by now. What a person wrote or edited there stays.
    pub(crate) fn runtime_to_be_written(
        &self,
        tree: &TreeId,
        changed: &BTreeMap<String, Option<String>>,
    ) -> Option<(String, String)> {
        let runtime = self.runtime().ok()?;
        let text = self.runtime_text(tree, &runtime);
        let others: Vec<(&str, &str)> =
            changed.iter().filter_map(|(file, text)| Some((file.as_str(), text.as_deref()?))).collect();
        let text = runtime.to_be_written(text.as_deref(), &others, &self.language)?;
        Some((runtime.file().to_owned(), text))
    }

    /// What a person should know of the module in a tree.
    pub(crate) fn runtime_note(&self, tree: &TreeId) -> Option<String> {
        let (file, state) = self.runtime_state(tree)?;
        match state {
            State::Absent | State::Current => None,
            State::Older(version) => Some(format!(
                "{file}, the runtime module, has version {version}; the next translation that uses it brings version {VERSION}"
            )),
            State::Newer(version) => Some(format!(
                "{file}, the runtime module, has version {version}, newer than this program's {VERSION}, and is left as it is"
            )),
            State::Edited => Some(format!(
                "{file}, the runtime module, was edited by hand, and is left as it is: take the edit back (delete the \
                 file, and it is written anew when it is next used), or name another file as `runtime` in `[port]`"
            )),
            State::Foreign => Some(format!(
                "{file} is not Tidelock's, so that translations have no runtime module: name another file as `runtime` \
                 in `[port]`, or write `runtime = false`"
            )),
        }
    }

    /// What a commit says of the module, where it brings it.
    pub(crate) fn runtime_brought(&self, before: &TreeId, after: &TreeId) -> Option<String> {
        let (file, new) = self.runtime_state(after)?;
        let (_, old) = self.runtime_state(before)?;
        (new == State::Current && old != new).then(|| {
            format!("`{file}` is Tidelock's runtime module, version {VERSION}, which the code imports.")
        })
    }
}
