//! The keys and certificates of a node, for its user alone (0600): the group's authority, by which any node lets another in, and its own.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::Error;
use crate::link::{Authority, Credentials};

const AUTHORITY: &str = "authority.pem";
const AUTHORITY_KEY: &str = "authority.key";
const NODE: &str = "node.pem";
const NODE_KEY: &str = "node.key";
const REMOVED: &str = "removed";

#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
}

impl Files {
    /// The folder is made if it is not there.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| Error::File { path: folder.to_owned(), error })?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub fn has_authority(&self) -> bool {
        self.folder.join(AUTHORITY_KEY).exists()
    }
    pub fn authority(&self) -> Result<Authority, Error> {
        Ok(Authority::from_pem(&self.read(AUTHORITY)?, &self.read(AUTHORITY_KEY)?)?)
    }
    pub fn keep_authority(&self, certificate: &str, key: &str) -> Result<(), Error> {
        self.write(AUTHORITY, certificate)?;
        // The key comes last: where it is, all is.
        self.write(AUTHORITY_KEY, key)
    }

    pub fn credentials(&self) -> Result<Credentials, Error> {
        Ok(Credentials::from_pem(&self.read(NODE)?, &self.read(NODE_KEY)?, &self.read(AUTHORITY)?)?)
    }
    pub fn keep_node(&self, certificate: &str, key: &str) -> Result<(), Error> {
        self.write(NODE_KEY, key)?;
        self.write(NODE, certificate)
    }

    /// The group has forgotten the node that this folder is, for ever.
    pub fn note_removed(&self) -> Result<(), Error> {
        self.write(REMOVED, "")
    }
    pub fn is_removed(&self) -> bool {
        self.folder.join(REMOVED).exists()
    }
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn read(&self, name: &str) -> Result<String, Error> {
        let path = self.folder.join(name);
        fs::read_to_string(&path).map_err(|error| Error::File { path, error })
    }

    /// Whole or not at all, and on disk when it returns.
    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.folder.join(name);
        let unfinished = self.folder.join(format!("{name}.new"));
        let written = || {
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            File::open(&self.folder)?.sync_all()
        };
        written().map_err(|error| Error::File { path: path.clone(), error })
    }
}
