//! Contents read in great numbers, neighbours after each other.
//!
//! A pack stores an object as the difference to a base, which has a base in turn. gix keeps what such chains lead
//! through, but never their beginnings, so each version of a file begins with unpacking the whole of another one.
//! [`ObjectReader`] keeps those too: it reads packs by gix-pack's files and goes back to gix for everything else
//! (loose objects, replaced ones, and whatever is damaged, so that errors read the same).

use std::collections::hash_map::RandomState;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use clru::{CLruCache, CLruCacheConfig, WeightScale};
use gix::ObjectId;
use gix::odb::pack::data::entry::Header;
use gix::odb::pack::{data, index};
use gix::zlib::Inflate;

use super::delta::{self, Malformed};
use super::{UpstreamRepo, whole_message};

/// What is kept of decoded objects per thread.
const KEPT_BYTES: NonZeroUsize = NonZeroUsize::new(16 << 20).expect("it is not zero");
/// The longest chain of deltas that is followed; git makes none longer than 4,095.
const CHAIN_MAX: usize = 4_096;
/// The largest object that is decoded here; the size comes from the pack, which may lie.
const OBJECT_BYTES_MAX: usize = 256 << 20;
/// The most packs of one repository that are opened here.
const PACKS_MAX: usize = 1_000;

/// The packs of a repository, opened once for all threads.
#[derive(Clone)]
pub(crate) struct Packs {
    packs: Arc<[Pack]>,
}

struct Pack {
    index: index::File,
    data: data::File,
}

impl Packs {
    /// Opens what can be opened; gix says what is wrong with the rest when it is asked for.
    pub(crate) fn open(repo: &UpstreamRepo) -> Self {
        let repo = repo.local();
        let store = repo.objects.store_ref();
        // An object that another one stands in for must not be read by its own name.
        if store.replacements().next().is_some() {
            return Self { packs: Arc::default() };
        }
        let mut folders = vec![store.path().to_owned()];
        folders.extend(store.alternate_db_paths().unwrap_or_default());
        let indices = folders.into_iter().flat_map(|folder| {
            let files = walkdir::WalkDir::new(folder.join("pack")).max_depth(1).sort_by_file_name();
            files.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path)
        });
        let is_index = |path: &PathBuf| path.extension().is_some_and(|end| end == "idx");
        let open = |path: PathBuf| {
            let index = index::File::at(&path, repo.object_hash()).ok()?;
            let data = data::File::at(path.with_extension("pack"), repo.object_hash()).ok()?;
            Some(Pack { index, data })
        };
        Self { packs: indices.filter(is_index).filter_map(open).take(PACKS_MAX).collect() }
    }
}

/// Reads contents for one thread.
pub(crate) struct ObjectReader {
    repo: gix::Repository,
    packs: Packs,
    /// Where the last object was found: the next one is most likely there too.
    last_pack: usize,
    inflate: Inflate,
    kept: CLruCache<Place, Rc<Vec<u8>>, RandomState, Bytes>,
}

/// The pack, and the place of an object in it.
type Place = (usize, data::Offset);

/// What a kept object weighs.
struct Bytes;

impl WeightScale<Place, Rc<Vec<u8>>> for Bytes {
    fn weight(&self, _: &Place, object: &Rc<Vec<u8>>) -> usize {
        object.len()
    }
}

impl ObjectReader {
    /// A reader for this thread.
    pub(crate) fn new(repo: &UpstreamRepo, packs: &Packs) -> Self {
        let mut repo = repo.local();
        // Whole objects are kept here.
        repo.object_cache_size(None);
        Self {
            repo,
            packs: packs.clone(),
            last_pack: 0,
            inflate: Inflate::default(),
            kept: CLruCache::with_config(CLruCacheConfig::new(KEPT_BYTES).with_scale(Bytes)),
        }
    }

    /// gix, for what is read once.
    pub(crate) fn repo(&self) -> &gix::Repository {
        &self.repo
    }

    /// The content of an object, or the reason why it cannot be read.
    pub(crate) fn read(&mut self, id: ObjectId) -> Result<Rc<Vec<u8>>, String> {
        if let Some(place) = self.place(id)
            && let Ok(object) = self.unpacked(place)
        {
            return Ok(object);
        }
        match self.repo.find_object(id) {
            Ok(object) => Ok(Rc::new(object.detach().data)),
            Err(error) => {
                Err(format!("object {id} is missing from the repository: {}", whole_message(&error)))
            }
        }
    }

    fn place(&mut self, id: ObjectId) -> Option<Place> {
        let count = self.packs.packs.len();
        for step in 0..count {
            let at = (self.last_pack + step) % count;
            let index = &self.packs.packs.get(at)?.index;
            if let Some(entry) = index.lookup(id) {
                self.last_pack = at;
                return Some((at, index.pack_offset_at_index(entry)));
            }
        }
        None
    }

    /// Goes down the chain of deltas to something that is at hand or stands by itself, and up again.
    fn unpacked(&mut self, (pack, offset): Place) -> Result<Rc<Vec<u8>>, Malformed> {
        let packs = Arc::clone(&self.packs.packs);
        let files = packs.get(pack).ok_or("there is no such pack")?;
        let mut deltas = Vec::new();
        let mut at = offset;
        let mut object = loop {
            if let Some(kept) = self.kept.get(&(pack, at)) {
                break Rc::clone(kept);
            }
            let entry = files.data.entry(at).map_err(|_damaged| "an entry of a pack is damaged")?;
            let base = match entry.header {
                Header::Commit | Header::Tree | Header::Blob | Header::Tag => {
                    let whole = Rc::new(self.inflated(&files.data, &entry)?);
                    self.keep((pack, at), &whole);
                    break whole;
                }
                Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance),
                Header::RefDelta { base_id } => {
                    files.index.lookup(base_id).map(|base| files.index.pack_offset_at_index(base))
                }
            };
            deltas.push((at, entry));
            if deltas.len() > CHAIN_MAX {
                return Err("a chain of deltas has no end");
            }
            at = base.ok_or("the base of a delta is not in its pack")?;
        };
        while let Some((at, entry)) = deltas.pop() {
            let delta = self.inflated(&files.data, &entry)?;
            object = Rc::new(delta::apply(&object, &delta, OBJECT_BYTES_MAX)?);
            self.keep((pack, at), &object);
        }
        Ok(object)
    }

    fn inflated(&mut self, pack: &data::File, entry: &data::Entry) -> Result<Vec<u8>, Malformed> {
        let size = usize::try_from(entry.decompressed_size).ok().filter(|size| *size <= OBJECT_BYTES_MAX);
        let mut bytes = vec![0; size.ok_or("an entry of a pack is too large")?];
        pack.decompress_entry(entry, &mut self.inflate, &mut bytes)
            .map_err(|_damaged| "an entry of a pack is damaged")?;
        Ok(bytes)
    }

    fn keep(&mut self, place: Place, object: &Rc<Vec<u8>>) {
        // What is larger than all there is room for is not kept.
        let _refused = self.kept.put_with_weight(place, Rc::clone(object));
    }
}
