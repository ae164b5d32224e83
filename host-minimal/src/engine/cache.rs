//! Compiled components on disk, so that a restart does not compile again.
//!
//! Deserialising machine code is as trusting as running it. Wasmtime's own checks catch a
//! mismatch of version or settings, not tampering, so every entry carries an HMAC-SHA-256 under
//! a key that only the host can read, and exactly the bytes that were verified are used. The HMAC
//! is over the entry's name too, which says what was compiled and for which engine: an entry is
//! good in its own place only.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use super::Engine;
use crate::report::chain;

const MAC_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
const KEY_FILE: &str = "key";

/// The cache of one data directory.
#[derive(Debug)]
pub(crate) struct CompileCache {
    directory: PathBuf,
    key: [u8; KEY_BYTES],
    compatibility: u64,
}

/// Why the cache could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the compile cache in {}", .directory.display())]
pub struct CacheError {
    directory: PathBuf,
    #[source]
    source: io::Error,
}

impl CompileCache {
    /// Opens the cache in `directory`, which exists and is private to the host.
    pub(crate) fn open(engine: &Engine, directory: &Path) -> Result<Self, CacheError> {
        let failed = |source| CacheError {
            directory: directory.to_owned(),
            source,
        };
        let key = read_or_create_key(&directory.join(KEY_FILE)).map_err(failed)?;
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        engine
            .wasmtime()
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        Ok(Self {
            directory: directory.to_owned(),
            key,
            compatibility: hasher.finish(),
        })
    }

    /// Removes what a crash left of entries that were being written, and entries that were compiled
    /// for another engine: by another version of Wasmtime, with other settings, or for another
    /// machine. Nobody else may use the directory meanwhile.
    pub(crate) fn tidy(&self) {
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        let mut removed = 0_usize;
        for path in entries.map(|entry| entry.path()) {
            let unfinished = path.extension().is_some_and(|it| it == "tmp");
            let foreign = compiled_for(&path).is_some_and(|engine| engine != self.compatibility);
            if !unfinished && !foreign {
                continue;
            }
            match fs::remove_file(&path) {
                Ok(()) => removed += usize::from(foreign),
                Err(error) => tracing::warn!("cannot remove {}: {error}", path.display()),
            }
        }
        if removed > 0 {
            tracing::info!("{removed} modules that were compiled for another engine are removed");
        }
    }

    /// The component in `wasm`, from the cache where it holds a valid entry.
    ///
    /// A cache that cannot be read or written costs time, never correctness, so its troubles
    /// are logged and not returned.
    ///
    /// # Errors
    ///
    /// Wasmtime's, when `wasm` does not compile.
    pub(crate) fn component(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Component> {
        let path = self.path(wasm);
        if let Some(component) = self.load(engine, &path) {
            return Ok(component);
        }
        let component = engine.compile(wasm)?;
        match component.serialize() {
            Ok(bytes) => {
                if let Err(error) = self.save(&path, &bytes) {
                    tracing::warn!("cannot cache a compiled module: {}", chain(&error));
                }
            }
            Err(error) => tracing::warn!("cannot serialise a compiled module: {error}"),
        }
        Ok(component)
    }

    fn path(&self, wasm: &[u8]) -> PathBuf {
        let hash = hex::encode(Sha256::digest(wasm));
        self.directory
            .join(format!("{hash}-{:016x}.cwasm", self.compatibility))
    }

    fn load(&self, engine: &Engine, path: &Path) -> Option<Component> {
        let entry = fs::read(path).ok()?;
        let Some(compiled) = self.verified(path, &entry) else {
            tracing::warn!(
                "{} was not written there by this host; compiling anew",
                path.display()
            );
            return None;
        };
        #[expect(
            unsafe_code,
            reason = "the bytes were written by this host: their HMAC under its private key was \
                      just verified, and these very bytes are deserialised"
        )]
        let component = unsafe { Component::deserialize(engine.wasmtime(), compiled) };
        component
            .inspect_err(|error| tracing::warn!("{} is of no use: {error}", path.display()))
            .ok()
    }

    fn verified<'a>(&self, path: &Path, entry: &'a [u8]) -> Option<&'a [u8]> {
        let (mac, compiled) = entry.split_at_checked(MAC_BYTES)?;
        self.mac(path, compiled).verify_slice(mac).ok()?;
        Some(compiled)
    }

    fn save(&self, path: &Path, compiled: &[u8]) -> io::Result<()> {
        let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
        file.write_all(&self.mac(path, compiled).finalize().into_bytes())?;
        file.write_all(compiled)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    }

    fn mac(&self, path: &Path, compiled: &[u8]) -> Hmac<Sha256> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.key)
            .expect("HMAC takes keys of every length");
        // Names are of one length, so where the name ends is never in doubt.
        let name = path.file_name().unwrap_or_default();
        mac.update(name.as_encoded_bytes());
        mac.update(compiled);
        mac
    }
}

/// The engine that an entry was compiled for, as its name says; `None` where it is no entry's name.
fn compiled_for(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".cwasm")?;
    let (wasm, engine) = name.split_once('-')?;
    let digits = |text: &str, length| {
        text.len() == length && text.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let is_entry = digits(wasm, 64) && digits(engine, 16);
    is_entry.then(|| u64::from_str_radix(engine, 16).ok())?
}

fn read_or_create_key(path: &Path) -> io::Result<[u8; KEY_BYTES]> {
    match fs::read(path) {
        Ok(bytes) => {
            if let Ok(key) = bytes.try_into() {
                return Ok(key);
            }
            // A crash can leave a short key; entries under it only need compiling again.
            fs::remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut key = [0; KEY_BYTES];
    rand::TryRngCore::try_fill_bytes(&mut rand::rngs::OsRng, &mut key).map_err(io::Error::other)?;
    let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let mut file: File =
        private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
    file.write_all(&key)?;
    file.sync_all()?;
    // Whoever opens the same cache at the same moment sees no key or a whole one.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::read(path)?.try_into().map_err(|_| error)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(key),
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn only_entry(directory: &Path) -> PathBuf {
        let mut entries: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "cwasm")
            })
            .collect();
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    #[test]
    fn an_entry_is_used_again_and_a_changed_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let cache = CompileCache::open(&engine, directory.path()).unwrap();
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        let entry = only_entry(directory.path());
        assert!(cache.load(&engine, &entry).is_some());

        let reopened = CompileCache::open(&engine, directory.path()).unwrap();
        assert!(reopened.load(&engine, &entry).is_some(), "the key is kept");

        let mut bytes = fs::read(&entry).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&entry, &bytes).unwrap();
        assert!(cache.load(&engine, &entry).is_none());
        fs::write(&entry, b"short").unwrap();
        assert!(cache.load(&engine, &entry).is_none());
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        assert!(cache.load(&engine, &entry).is_some(), "written anew");
    }

    /// A component that is not the empty one.
    const OTHER_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0\0\x02\x01a";

    #[test]
    fn an_entry_is_good_in_its_own_place_only() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let cache = CompileCache::open(&engine, directory.path()).unwrap();
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        let (own, other) = (cache.path(EMPTY_COMPONENT), cache.path(OTHER_COMPONENT));
        fs::copy(&own, &other).unwrap();
        assert!(cache.load(&engine, &own).is_some());
        assert!(
            cache.load(&engine, &other).is_none(),
            "it is another's code"
        );
        cache.component(&engine, OTHER_COMPONENT).unwrap();
        assert!(cache.load(&engine, &other).is_some(), "written anew");
    }

    #[test]
    fn what_another_engine_compiled_is_removed_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let before = CompileCache::open(&engine, directory.path()).unwrap();
        before.component(&engine, EMPTY_COMPONENT).unwrap();
        let mut after = CompileCache::open(&engine, directory.path()).unwrap();
        after.compatibility = before.compatibility.wrapping_add(1);
        assert!(after.load(&engine, &after.path(EMPTY_COMPONENT)).is_none());
        after.component(&engine, EMPTY_COMPONENT).unwrap();
        let (old, new) = (before.path(EMPTY_COMPONENT), after.path(EMPTY_COMPONENT));
        assert!(old.exists() && new.exists());
        // Not an entry's name, so not for us to remove.
        let others = ["notes.cwasm", "a-0123456789abcdef.cwasm"].map(|name| {
            let path = directory.path().join(name);
            fs::write(&path, "").unwrap();
            path
        });
        after.tidy();
        assert!(!old.exists(), "no engine of today can use it");
        assert!(after.load(&engine, &new).is_some());
        assert!(others.iter().all(|path| path.exists()));
        // Whoever goes back compiles anew.
        before.component(&engine, EMPTY_COMPONENT).unwrap();
        assert!(before.load(&engine, &old).is_some());
    }

    #[test]
    fn code_of_another_engine_is_of_no_use_even_where_it_is_authentic() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let cache = CompileCache::open(&engine, directory.path()).unwrap();
        let other = wasmtime::Engine::new(wasmtime::Config::new().epoch_interruption(false));
        let foreign = Component::new(&other.unwrap(), EMPTY_COMPONENT).unwrap();
        let path = cache.path(EMPTY_COMPONENT);
        cache.save(&path, &foreign.serialize().unwrap()).unwrap();
        assert!(cache.load(&engine, &path).is_none());
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        assert!(cache.load(&engine, &path).is_some(), "written anew");
    }

    #[test]
    fn what_a_crash_left_is_removed_and_entries_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let cache = CompileCache::open(&engine, directory.path()).unwrap();
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        let entry = only_entry(directory.path());
        let unfinished = entry.with_extension("0.tmp");
        fs::write(&unfinished, b"half an entry").unwrap();
        cache.tidy();
        assert!(!unfinished.exists());
        assert!(cache.load(&engine, &entry).is_some());
    }

    #[test]
    fn an_entry_under_another_key_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        let cache = CompileCache::open(&engine, directory.path()).unwrap();
        cache.component(&engine, EMPTY_COMPONENT).unwrap();
        let entry = only_entry(directory.path());
        fs::write(directory.path().join(KEY_FILE), [7; KEY_BYTES]).unwrap();
        let other = CompileCache::open(&engine, directory.path()).unwrap();
        assert!(other.load(&engine, &entry).is_none());
        other.component(&engine, EMPTY_COMPONENT).unwrap();
        assert!(other.load(&engine, &entry).is_some(), "written anew");
    }

    #[test]
    fn caches_that_are_opened_at_once_share_a_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let path = path.clone();
                std::thread::spawn(move || read_or_create_key(&path).unwrap())
            })
            .collect();
        let keys: Vec<_> = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect();
        assert_eq!(keys, [read_or_create_key(&path).unwrap(); 8]);
        let files = fs::read_dir(directory.path()).unwrap();
        assert_eq!(files.count(), 1, "nothing is left over");
    }

    #[test]
    fn a_damaged_key_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let engine = Engine::new().unwrap();
        fs::write(directory.path().join(KEY_FILE), b"short").unwrap();
        CompileCache::open(&engine, directory.path()).unwrap();
        assert_eq!(
            fs::read(directory.path().join(KEY_FILE)).unwrap().len(),
            KEY_BYTES
        );
    }
}
