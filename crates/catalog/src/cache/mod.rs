//! Caches of what was read from the catalogs.
//!
//! # How it works
//! A [`SharedCache`] belongs to a database (one more to the cluster, for roles and databases) and
//! holds committed state in buckets. A [`SessionCache`] reads through it. From a session's first
//! catalog change until the end of its transaction it reads past the shared cache, into a map of
//! its own that every further change clears, and every catalog change that another session commits.
//! All shared caches of a server charge one [`CacheMemory`], which has a limit: what was not read
//! for longest makes room.
//!
//! # Rules
//! 1. A load notes the bucket's generation before it reads the catalogs and is kept only if the
//!    generation is still the same (engine rule 14).
//! 2. A commit invalidates after its publication and before it releases its locks.
//! 3. What is not there is cached as well: as `None` or an empty list.
//! 4. An entry is kept only if its memory is charged. What somebody holds is not evicted.

mod footprint;
mod room;

pub(crate) use footprint::Footprint;
pub use room::CacheMemory;

use base::{Oid, Result};
use hashbrown::{Equivalent, HashMap};
use memory::Charge;
use parking_lot::Mutex;
use std::any::Any;
use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const BUCKETS: usize = 64;

/// What a cached entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Type,
    TypeNamed,
    DomainChecks,
    Enum,
    Range,
    Proc,
    ProcsNamed,
    Operator,
    OperatorsNamed,
    Cast,
    Aggregate,
    OpClass,
    OpClassesOf,
    OpFamily,
    FamilyOperators,
    FamilyProcs,
    OperatorFamilies,
    Collation,
    CollationNamed,
    Namespace,
    NamespaceNamed,
    Language,
    Relation,
    RelationNamed,
    IndexTable,
    Role,
    RoleNamed,
    Memberships,
    Database,
    DatabaseNamed,
    Statistics,
}

impl Kind {
    /// Whether all databases share what it is about.
    fn shared(self) -> bool {
        use Kind::*;
        matches!(self, Role | RoleNamed | Memberships | Database | DatabaseNamed)
    }
}

/// The name of an entry: what it is about, an OID and a name (or a second OID) as its kind
/// needs.
#[derive(Clone, Copy, Hash, PartialEq, Eq, Debug)]
pub(crate) struct KeyRef<'a> {
    pub(crate) kind: Kind,
    pub(crate) oid: Oid,
    pub(crate) other: Oid,
    pub(crate) name: &'a str,
}

impl<'a> KeyRef<'a> {
    pub(crate) fn oid(kind: Kind, oid: Oid) -> KeyRef<'a> {
        KeyRef { kind, oid, other: Oid::INVALID, name: "" }
    }

    pub(crate) fn named(kind: Kind, oid: Oid, name: &'a str) -> KeyRef<'a> {
        KeyRef { kind, oid, other: Oid::INVALID, name }
    }

    pub(crate) fn pair(kind: Kind, oid: Oid, other: Oid) -> KeyRef<'a> {
        KeyRef { kind, oid, other, name: "" }
    }
}

/// An owned [`KeyRef`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Key {
    kind: Kind,
    oid: Oid,
    other: Oid,
    name: Box<str>,
}

impl Key {
    fn as_ref(&self) -> KeyRef<'_> {
        KeyRef { kind: self.kind, oid: self.oid, other: self.other, name: &self.name }
    }
}

impl From<KeyRef<'_>> for Key {
    fn from(key: KeyRef<'_>) -> Key {
        Key { kind: key.kind, oid: key.oid, other: key.other, name: key.name.into() }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_ref().hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        *self == key.as_ref()
    }
}

/// What can be cached.
pub(crate) trait Cached: Any + Footprint + Send + Sync {}

impl<T: Any + Footprint + Send + Sync> Cached for T {}

type Entry = Arc<dyn Cached>;
type Map<E> = HashMap<Key, E, foldhash::fast::FixedState>;

/// An entry that sessions share.
struct SharedEntry {
    value: Entry,
    /// The time of its last use, as [`CacheMemory`] counts it.
    used: u64,
    /// None in a cache without a limit.
    charge: Option<Charge>,
}

impl SharedEntry {
    fn is_used(&self) -> bool {
        Arc::strong_count(&self.value) > 1 || self.value.is_used()
    }
}

#[derive(Default)]
struct Bucket {
    generation: u64,
    entries: Map<SharedEntry>,
}

/// Committed state that the sessions of a database share.
pub struct SharedCache {
    buckets: Vec<Mutex<Bucket>>,
    generation: AtomicU64,
    hasher: foldhash::fast::FixedState,
    memory: Option<Arc<CacheMemory>>,
}

impl std::fmt::Debug for SharedCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedCache").field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl Default for SharedCache {
    fn default() -> SharedCache {
        SharedCache::new()
    }
}

impl SharedCache {
    /// An empty cache without a limit: for tests and tools.
    pub fn new() -> SharedCache {
        SharedCache::charging(None)
    }

    fn charging(memory: Option<Arc<CacheMemory>>) -> SharedCache {
        let buckets = (0..BUCKETS).map(|_| Mutex::default()).collect();
        SharedCache { buckets, generation: AtomicU64::new(1), hasher: Default::default(), memory }
    }

    /// The number of committed changes of the catalogs. A plan that was checked at this number
    /// needs no further check.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn bucket(&self, key: &KeyRef<'_>) -> &Mutex<Bucket> {
        let hash = self.hasher.hash_one(key);
        &self.buckets[(hash >> 32) as usize % BUCKETS]
    }

    fn now(&self) -> u64 {
        self.memory.as_ref().map_or(0, |memory| memory.now())
    }

    /// Keeps an entry that was loaded at a bucket's `generation`, if there is room for it. The
    /// caller has no bucket locked: making room locks them.
    fn keep(&self, key: KeyRef<'_>, value: Entry, value_bytes: usize, generation: u64) {
        let bytes = value_bytes + key.name.len() + size_of::<(Key, SharedEntry)>();
        let charge = match &self.memory {
            None => None,
            Some(memory) => match memory.room_for(bytes as u64) {
                None => return,
                charge => charge,
            },
        };
        let used = self.now();
        let mut bucket = self.bucket(&key).lock();
        if bucket.generation == generation {
            bucket.entries.insert(key.into(), SharedEntry { value, used, charge });
        }
    }

    fn invalidate(&self, keys: &[Key]) {
        for key in keys {
            let mut bucket = self.bucket(&key.as_ref()).lock();
            bucket.generation += 1;
            bucket.entries.remove(key);
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Forgets everything: after a change that names no single entry, or when memory is short.
    pub fn clear(&self) {
        for bucket in &self.buckets {
            let mut bucket = bucket.lock();
            bucket.generation += 1;
            bucket.entries = Map::default();
        }
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}

/// A session's own uncommitted changes.
#[derive(Default)]
struct Overlay {
    entries: Map<Entry>,
    /// The generations, of the database and of the cluster, at which the entries were loaded.
    read_at: (u64, u64),
    touched: Vec<Key>,
}

/// How one session reads the caches.
pub(crate) struct SessionCache {
    database: Arc<SharedCache>,
    cluster: Arc<SharedCache>,
    overlay: RefCell<Option<Overlay>>,
}

impl SessionCache {
    pub(crate) fn new(database: Arc<SharedCache>, cluster: Arc<SharedCache>) -> SessionCache {
        SessionCache { database, cluster, overlay: RefCell::new(None) }
    }

    pub(crate) fn database(&self) -> &Arc<SharedCache> {
        &self.database
    }

    pub(crate) fn cluster(&self) -> &Arc<SharedCache> {
        &self.cluster
    }

    /// Whether the session has changes that are not committed.
    pub(crate) fn is_changed(&self) -> bool {
        self.overlay.borrow().is_some()
    }

    /// The entry of a key, loaded when it is not there.
    pub(crate) fn get<T: Cached>(
        &self,
        key: KeyRef<'_>,
        load: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let read_at = (self.database.generation(), self.cluster.generation());
        if let Some(overlay) = &mut *self.overlay.borrow_mut() {
            // What others have committed since is news here, too.
            if overlay.read_at != read_at {
                overlay.entries.clear();
                overlay.read_at = read_at;
            }
            if let Some(entry) = overlay.entries.get(&key) {
                return Ok(downcast(entry));
            }
        }
        if self.is_changed() {
            let entry = Arc::new(load()?);
            if let Some(overlay) = &mut *self.overlay.borrow_mut()
                && overlay.read_at == read_at
            {
                overlay.entries.insert(key.into(), Arc::clone(&entry) as Entry);
            }
            return Ok(entry);
        }
        let shared = if key.kind.shared() { &self.cluster } else { &self.database };
        let generation = {
            let mut bucket = shared.bucket(&key).lock();
            if let Some(entry) = bucket.entries.get_mut(&key) {
                entry.used = shared.now();
                return Ok(downcast(&entry.value));
            }
            bucket.generation
        };
        let entry = Arc::new(load()?);
        let bytes = size_of::<T>() + entry.heap_bytes();
        shared.keep(key, Arc::clone(&entry) as Entry, bytes, generation);
        Ok(entry)
    }

    /// Notes that the session changed what `keys` name.
    pub(crate) fn touch<'k>(&self, keys: impl IntoIterator<Item = KeyRef<'k>>) {
        let mut overlay = self.overlay.borrow_mut();
        let overlay = overlay.get_or_insert_default();
        overlay.entries.clear();
        for key in keys {
            let key = Key::from(key);
            if !overlay.touched.contains(&key) {
                overlay.touched.push(key);
            }
        }
    }

    /// Forgets what was read of the session's own changes: some of them were undone.
    pub(crate) fn forget_own(&self) {
        if let Some(overlay) = &mut *self.overlay.borrow_mut() {
            overlay.entries.clear();
        }
    }

    /// The transaction is published: rule 2.
    pub(crate) fn published(&self) {
        let Some(overlay) = self.overlay.borrow_mut().take() else { return };
        let (cluster, database): (Vec<Key>, Vec<Key>) =
            overlay.touched.into_iter().partition(|key| key.kind.shared());
        if !cluster.is_empty() {
            self.cluster.invalidate(&cluster);
        }
        self.database.invalidate(&database);
    }

    /// The transaction is undone.
    pub(crate) fn aborted(&self) {
        self.overlay.borrow_mut().take();
    }
}

/// The kind of a key decides the type of its entry.
fn downcast<T: Cached>(entry: &Entry) -> Arc<T> {
    let entry: Arc<dyn Any + Send + Sync> = entry.clone();
    match entry.downcast() {
        Ok(entry) => entry,
        Err(_) => panic!("a cached entry has another type than its key's kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn session(shared: &Arc<SharedCache>) -> SessionCache {
        SessionCache::new(Arc::clone(shared), Arc::new(SharedCache::new()))
    }

    #[test]
    fn a_change_is_seen_by_its_session_at_once_and_by_others_after_publication() {
        let shared = Arc::new(SharedCache::new());
        let (one, two) = (session(&shared), session(&shared));
        let committed = Cell::new(1);
        let key = KeyRef::oid(Kind::Type, Oid(7));
        let read = |s: &SessionCache, value: i32| *s.get(key, || Ok(value)).unwrap();
        assert_eq!(read(&one, committed.get()), 1);
        one.touch([key]);
        assert_eq!(read(&one, 2), 2, "own change");
        assert_eq!(read(&two, 9), 1, "still the committed entry");
        let before = shared.generation();
        one.published();
        committed.set(2);
        assert_eq!(read(&two, committed.get()), 2);
        assert!(shared.generation() > before);
    }

    #[test]
    fn a_load_that_overlaps_an_invalidation_is_not_kept() {
        let shared = Arc::new(SharedCache::new());
        let (one, two) = (session(&shared), session(&shared));
        let key = KeyRef::named(Kind::TypeNamed, Oid(11), "x");
        let stale = two.get(key, || {
            one.touch([key]);
            one.published();
            Ok("old".to_owned())
        });
        assert_eq!(*stale.unwrap(), "old");
        assert_eq!(*two.get(key, || Ok("new".to_owned())).unwrap(), "new");
    }
}
