//! What was done, or may have been done: one file per thing, written before the call it is about.
//!
//! ```text
//!  folder/<key, escaped>.json   one line of JSON, one line with its hash   codec.rs, file_name.rs
//!  folder/<key>.unreadable-1    what could not be read, kept for people
//! ```
//!
//! One file is one atomic, durable replacement. Knows nothing of what a record says, and decides nothing.
#![warn(missing_docs)]
#![forbid(unsafe_code)]

mod codec;
mod file_name;

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use rt::Ctx;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use codec::{Corrupt, decode, encode};
pub use file_name::{Identity, file_name, identity};

/// What a record is about. `parse(k.as_str()) == k`.
pub trait Key: Ord + Clone + Debug + Display {
    /// A text as [`Key::as_str`] gave it. Total.
    fn parse(text: &str) -> Self;
    /// The whole of it as text.
    fn as_str(&self) -> &str;
}

/// What a start found in the folder.
#[derive(Debug)]
pub struct Loaded<K, R> {
    /// Everything that could be read.
    pub records: BTreeMap<K, R>,
    /// What could not, and was set aside.
    pub set_aside: Vec<SetAside<K>>,
}

/// A record that could not be read. Its file stays for people to look at.
#[derive(Debug, Clone)]
pub struct SetAside<K> {
    /// Where it is now.
    pub file: PathBuf,
    /// Whose record it was, by the file's name.
    pub identity: Option<Identity<K>>,
    /// What is wrong with it.
    pub problem: Corrupt,
}

impl<K: Key> SetAside<K> {
    /// Whether it may have been about this one.
    pub fn is_of(&self, key: &K) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.is(key))
    }
}

/// The folder of records. Clones are the same folder.
pub struct Journal<K, R> {
    ctx: Ctx,
    folder: PathBuf,
    of: PhantomData<fn(K) -> R>,
}

impl<K, R> Clone for Journal<K, R> {
    fn clone(&self) -> Self {
        Self { ctx: self.ctx.clone(), folder: self.folder.clone(), of: PhantomData }
    }
}

/// Marks files that could not be read.
const UNREADABLE: &str = ".unreadable-";
/// The same, once it does not matter any more.
const SETTLED: &str = ".settled-";
const RECORD: &str = ".json";

impl<K: Key, R: Serialize + DeserializeOwned> Journal<K, R> {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// The disk's.
    pub async fn open(ctx: Ctx, folder: PathBuf) -> io::Result<Self> {
        ctx.disk().make_dir(&folder).await?;
        Ok(Self { ctx, folder, of: PhantomData })
    }

    /// Reads everything, and renames what cannot be read to `<name>.unreadable-<n>`. Such files are reported at every start,
    /// until [`Journal::settle`] or a person takes them away.
    ///
    /// # Errors
    /// The disk's.
    pub async fn load(&self) -> io::Result<Loaded<K, R>> {
        let mut loaded = Loaded { records: BTreeMap::new(), set_aside: Vec::new() };
        let names = self.ctx.disk().list(&self.folder).await?;
        for name in &names {
            let Some(name) = Path::new(name).file_name().and_then(|name| name.to_str()) else { continue };
            if let Some((stem, _)) = name.split_once(UNREADABLE) {
                let file = self.folder.join(name);
                loaded.set_aside.push(SetAside { file, identity: identity(stem), problem: Corrupt::SetAsideBefore });
            }
            let Some(stem) = name.strip_suffix(RECORD) else { continue };
            let file = self.folder.join(name);
            let problem = match decode::<K, R>(&self.ctx.disk().read(&file).await?) {
                Ok((key, record)) if file_name(&key) == stem => {
                    loaded.records.insert(key, record);
                    continue;
                }
                Ok((key, _)) => Corrupt::Misplaced { key: key.to_string() },
                Err(problem) => problem,
            };
            loaded.set_aside.push(self.set_aside(&file, stem, problem, &names).await?);
        }
        Ok(loaded)
    }

    /// What an unreadable record was about has been found otherwise: its file stays, and is not spoken of again.
    ///
    /// # Errors
    /// The disk's.
    pub async fn settle(&self, aside: &SetAside<K>) -> io::Result<()> {
        let name = aside.file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let settled = self.folder.join(name.replacen(UNREADABLE, SETTLED, 1));
        self.ctx.disk().rename(&aside.file, &settled).await
    }

    /// Writes a record durably. When this returns, a crash cannot take it back.
    ///
    /// # Errors
    /// The disk's; the old record stands then.
    pub async fn save(&self, key: &K, record: &R) -> io::Result<()> {
        self.ctx.disk().replace(&self.file(key), encode(key, record)).await
    }

    /// Crosses a record out.
    ///
    /// # Errors
    /// The disk's.
    pub async fn remove(&self, key: &K) -> io::Result<()> {
        self.ctx.disk().remove(&self.file(key)).await
    }

    /// Where the record of this one is, or would be.
    pub fn file(&self, key: &K) -> PathBuf {
        self.folder.join(format!("{}{RECORD}", file_name(key)))
    }

    async fn set_aside(&self, file: &Path, stem: &str, problem: Corrupt, taken: &[PathBuf]) -> io::Result<SetAside<K>> {
        let free = (1..).map(|n| format!("{stem}{UNREADABLE}{n}")).find(|name| !taken.iter().any(|t| t.ends_with(name)));
        let aside = self.folder.join(free.unwrap_or_default());
        self.ctx.disk().rename(file, &aside).await?;
        Ok(SetAside { file: aside, identity: identity(stem), problem })
    }
}

#[cfg(test)]
mod tests;
