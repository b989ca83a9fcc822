//! The two keys of an installation: from the environment, else from a file in the data directory that is made at the
//! first start and readable by its owner alone.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use signalpost_core::base62;
use signalpost_core::ports::Random;
use signalpost_core::seal::{Keyring, MASTER_KEY_BYTES};
use signalpost_core::secret::Secret;
use signalpost_core::sign::hex;

use crate::cmd::Failure;
use crate::ports::SystemRandom;

const OPERATOR_KEY: KeyFile = KeyFile { variable: "SIGNALPOST_OPERATOR_KEY", file: "operator.key" };
const MASTER_KEY: KeyFile = KeyFile { variable: "SIGNALPOST_MASTER_KEY", file: "master.key" };
/// Below this an operator key could be guessed; it is stored as a plain hash.
const OPERATOR_KEY_CHARS_MIN: usize = 16;

struct KeyFile {
    variable: &'static str,
    file: &'static str,
}

/// A key and where it was found.
pub(crate) struct FoundKey {
    pub(crate) key: Secret,
    pub(crate) source: String,
}

pub(crate) fn make_directory(data: &Path) -> Result<(), Failure> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| Failure::io(format!("cannot make the data directory {}", data.display()), error))
}

pub(crate) fn operator_key(data: &Path) -> Result<FoundKey, Failure> {
    let found = OPERATOR_KEY.read_or_make(data, || format!("spo_{}", base62::random(40, &mut fill)))?;
    if found.key.expose().len() < OPERATOR_KEY_CHARS_MIN {
        return Err(Failure::new(format!("the operator key from {} is too short", found.source)).hint(
            format!("Use at least {OPERATOR_KEY_CHARS_MIN} random characters, or let Signalpost make one."),
        ));
    }
    Ok(found)
}

pub(crate) fn keyring(data: &Path) -> Result<Keyring, Failure> {
    let found = MASTER_KEY.read_or_make(data, || {
        let mut key = [0u8; MASTER_KEY_BYTES];
        fill(&mut key);
        hex(&key)
    })?;
    Keyring::parse(found.key.expose_text()).map_err(|error| {
        Failure::new(format!("the master key from {} cannot be used: {error}", found.source))
    })
}

impl KeyFile {
    fn read_or_make(&self, data: &Path, make: impl FnOnce() -> String) -> Result<FoundKey, Failure> {
        if let Some(value) = std::env::var_os(self.variable).filter(|value| !value.is_empty()) {
            let text =
                value.to_str().ok_or_else(|| Failure::new(format!("{} is not text", self.variable)))?;
            return Ok(FoundKey { key: Secret::from_text(text.trim()), source: self.variable.to_owned() });
        }
        let path = data.join(self.file);
        let key = match std::fs::read_to_string(&path) {
            Ok(text) => Secret::from_text(text.trim()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let key = Secret::from_text(&make());
                write_new(&path, &key)
                    .map_err(|error| Failure::io(format!("cannot write {}", path.display()), error))?;
                key
            }
            Err(error) => return Err(Failure::io(format!("cannot read {}", path.display()), error)),
        };
        Ok(FoundKey { key, source: path.display().to_string() })
    }
}

/// Writes a key beside its place and renames it there, synced: a crash leaves the whole key or none.
fn write_new(path: &PathBuf, key: &Secret) -> std::io::Result<()> {
    let draft = path.with_extension("key.new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(key.expose())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn fill(bytes: &mut [u8]) {
    SystemRandom.fill(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const TEST_KEY: KeyFile = KeyFile { variable: "SIGNALPOST_TEST_KEY_THAT_NOBODY_SETS", file: "test.key" };

    #[test]
    fn a_key_is_made_once_and_readable_by_its_owner_alone() {
        let data = std::env::temp_dir().join(format!("signalpost-keys-{}", std::process::id()));
        make_directory(&data).expect("a temporary directory");
        let first = TEST_KEY.read_or_make(&data, || "made".to_owned()).expect("made");
        let again = TEST_KEY.read_or_make(&data, || panic!("there is one")).expect("read");
        assert_eq!((first.key.expose(), again.key.expose()), (b"made".as_slice(), b"made".as_slice()));
        let mode = std::fs::metadata(data.join("test.key")).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_dir_all(&data).expect("removed");
    }
}
