//! The two keys of an installation: from the environment, from a file that the environment names, else from a file
//! in the data directory that is made at the first start and readable by its owner alone.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use signalpost_core::credential::CredentialHash;
use signalpost_core::hex;
use signalpost_core::operator_key::mint;
use signalpost_core::ports::Random;
use signalpost_core::seal::{Keyring, MASTER_KEY_BYTES};
use signalpost_core::secret::Secret;
use signalpost_store_sqlite::{holds_database, make_directory as make_durable_directory};

use crate::cmd::Failure;
use crate::ports::SystemRandom;
use crate::settings::Settings;
use crate::settings::environment::Environment;
use crate::settings::keys::file_variable;
use crate::settings::read_bounded;

pub(crate) const OPERATOR_KEY_FILE: &str = "operator.key";
pub(crate) const MASTER_KEY_FILE: &str = "master.key";
const OPERATOR_KEY: KeyFile = KeyFile { variable: "SIGNALPOST_OPERATOR_KEY", file: OPERATOR_KEY_FILE };
const MASTER_KEY: KeyFile = KeyFile { variable: "SIGNALPOST_MASTER_KEY", file: MASTER_KEY_FILE };
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

/// What a server needs of them.
pub(crate) struct Keys {
    pub(crate) operator_key: CredentialHash,
    /// Where the operator key came from, to tell the person who starts us; never the key itself.
    pub(crate) operator_key_source: String,
    pub(crate) keyring: Keyring,
}

impl Keys {
    /// The keys for these settings: what is missing is made, but for a master key that other nodes would have to share.
    pub(crate) fn of(settings: &Settings, environment: &Environment) -> Result<Self, Failure> {
        if settings.databases.is_empty() {
            return Self::read_or_make(&settings.data, environment);
        }
        let keyring = shared_keyring(&settings.data, environment)?;
        make_directory(&settings.data)?;
        Self::with_keyring(keyring, &settings.data, environment)
    }

    /// Reads both keys; what is missing is made, and the data directory with it.
    pub(crate) fn read_or_make(data: &Path, environment: &Environment) -> Result<Self, Failure> {
        make_directory(data)?;
        let keyring = keyring(data, environment)?;
        Self::with_keyring(keyring, data, environment)
    }

    fn with_keyring(keyring: Keyring, data: &Path, environment: &Environment) -> Result<Self, Failure> {
        let operator_key = operator_key(data, environment)?;
        Ok(Self {
            operator_key: CredentialHash::of(operator_key.key.expose()),
            operator_key_source: operator_key.source,
            keyring,
        })
    }

    /// Whether [`Keys::of`] would find good keys or make new ones. Makes nothing.
    pub(crate) fn check(settings: &Settings, environment: &Environment) -> Result<(), Failure> {
        let data = &settings.data;
        OPERATOR_KEY.find(data, environment)?.map(|found| check_operator_key(&found)).transpose()?;
        if !settings.databases.is_empty() {
            return shared_keyring(data, environment).map(drop);
        }
        match MASTER_KEY.find(data, environment)? {
            Some(found) => parse_keyring(&found).map(drop),
            None => refuse_data_without_key(data),
        }
    }
}

pub(crate) fn make_directory(data: &Path) -> Result<(), Failure> {
    let made = make_durable_directory(data);
    made.map_err(|error| Failure::io(format!("cannot make the data directory {}", data.display()), error))
}

pub(crate) fn operator_key(data: &Path, environment: &Environment) -> Result<FoundKey, Failure> {
    let found = match OPERATOR_KEY.find(data, environment)? {
        Some(found) => found,
        None => OPERATOR_KEY.make(data, mint(&mut fill).expose_text())?,
    };
    check_operator_key(&found)?;
    Ok(found)
}

/// The key to ask a running server with; nothing is made.
pub(crate) fn existing_operator_key(data: &Path, environment: &Environment) -> Result<FoundKey, Failure> {
    let found = OPERATOR_KEY.find(data, environment)?;
    found.ok_or_else(|| {
        Failure::new(format!("there is no operator key: no {OPERATOR_KEY_FILE} in {}", data.display()))
            .hint("Set SIGNALPOST_OPERATOR_KEY, or name the server's data directory with --data DIR.")
    })
}

/// The ring of a data directory that holds a database; nothing is made.
pub(crate) fn existing_keyring(data: &Path, environment: &Environment) -> Result<Keyring, Failure> {
    if !holds_database(data) {
        return Err(Failure::new(format!("there is no database in {}", data.display()))
            .hint("Name the data directory that `signalpost serve` was started with."));
    }
    keyring(data, environment)
}

fn keyring(data: &Path, environment: &Environment) -> Result<Keyring, Failure> {
    if let Some(found) = MASTER_KEY.find(data, environment)? {
        return parse_keyring(&found);
    }
    refuse_data_without_key(data)?;
    let mut key = [0u8; MASTER_KEY_BYTES];
    fill(&mut key);
    parse_keyring(&MASTER_KEY.make(data, &hex::encode(&key))?)
}

/// Of a server that keeps its data in a database which other nodes may share: given, and never made.
pub(crate) fn shared_keyring(data: &Path, environment: &Environment) -> Result<Keyring, Failure> {
    let Some(found) = MASTER_KEY.find(data, environment)? else {
        let variable = MASTER_KEY.variable;
        return Err(Failure::new("there is no master key, and with a database URL none is made").hint(format!(
            "Every node needs the same one: 64 hexadecimal digits, for example of `openssl rand -hex 32`, in \
             {variable} or {variable}_FILE."
        )));
    };
    parse_keyring(&found)
}

/// A sentence for each secret: whether it is set, and where. `database` is where the URL of a database comes from, which
/// leaves no master key to be made.
pub(crate) fn sources(
    data: &Path,
    environment: &Environment,
    database: Option<&str>,
) -> Result<[(&'static str, String); 2], Failure> {
    let source = |key: KeyFile, otherwise: &dyn Fn(&Path) -> String| {
        let found = key.find(data, environment)?;
        let said = found
            .map_or_else(|| otherwise(&data.join(key.file)), |found| format!("set, from {}", found.source));
        Ok((key.variable, said))
    };
    let made = |file: &Path| format!("made at the first start, in {}", file.display());
    let master_key = match database {
        None => source(MASTER_KEY, &made),
        Some(_) => source(MASTER_KEY, &|_| "missing: with a database URL none is made".to_owned()),
    };
    Ok([source(OPERATOR_KEY, &made)?, master_key?])
}

fn check_operator_key(found: &FoundKey) -> Result<(), Failure> {
    if found.key.expose().len() >= OPERATOR_KEY_CHARS_MIN {
        return Ok(());
    }
    let hint =
        format!("Use at least {OPERATOR_KEY_CHARS_MIN} random characters, or let Signalpost make one.");
    Err(Failure::new(format!("the operator key from {} is too short", found.source)).hint(hint))
}

fn parse_keyring(found: &FoundKey) -> Result<Keyring, Failure> {
    Keyring::parse(found.key.expose_text()).map_err(|error| {
        Failure::new(format!("the master key from {} cannot be used: {error}", found.source))
    })
}

/// A new key would open none of the secrets that lie in the database.
fn refuse_data_without_key(data: &Path) -> Result<(), Failure> {
    if !holds_database(data) {
        return Ok(());
    }
    let (directory, KeyFile { variable, file }) = (data.display(), MASTER_KEY);
    Err(Failure::new(format!(
        "{directory} holds a database but no master key, and a new key opens none of its secrets"
    ))
    .hint(format!("Put {file} back beside the database, or give the key in {variable} or {variable}_FILE.")))
}

impl KeyFile {
    /// The key, if there is one. Set in two ways at once it is refused: nobody could say which one counts.
    fn find(&self, data: &Path, environment: &Environment) -> Result<Option<FoundKey>, Failure> {
        let variable = file_variable(self.variable);
        let (value, named) = (
            environment.get(self.variable).map_err(Failure::new)?,
            environment.get(&variable).map_err(Failure::new)?,
        );
        match (value, named) {
            (Some(_), Some(_)) => Err(Failure::new(format!("both {} and {variable} are set", self.variable))
                .hint("Set one of them.")),
            (Some(text), None) => {
                Ok(Some(FoundKey { key: Secret::from_text(text.trim()), source: self.variable.to_owned() }))
            }
            (None, Some(path)) => read_named(&variable, path).map(Some),
            (None, None) => self.find_in(data),
        }
    }

    fn find_in(&self, data: &Path) -> Result<Option<FoundKey>, Failure> {
        let path = data.join(self.file);
        match read_bounded(&path) {
            Ok(text) => {
                if let Some(mode) = mode_for_all(&path) {
                    tracing::warn!(
                        "{} has mode {mode:04o}: anybody on this machine can use this key",
                        path.display()
                    );
                }
                Ok(Some(FoundKey { key: Secret::from_text(text.trim()), source: path.display().to_string() }))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::io(format!("cannot read {}", path.display()), error)),
        }
    }

    fn make(&self, data: &Path, text: &str) -> Result<FoundKey, Failure> {
        let path = data.join(self.file);
        let key = Secret::from_text(text);
        write_new(&path, &key)
            .map_err(|error| Failure::io(format!("cannot write {}", path.display()), error))?;
        Ok(FoundKey { key, source: path.display().to_string() })
    }
}

/// The key in a file that a variable names. An empty file is a mistake, not a wish for a new key.
fn read_named(variable: &str, path: &str) -> Result<FoundKey, Failure> {
    let text = read_bounded(Path::new(path))
        .map_err(|error| Failure::io(format!("{variable}: cannot read {path}"), error))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::new(format!("{variable}: {path} is empty")));
    }
    Ok(FoundKey { key: Secret::from_text(text), source: format!("{variable} ({path})") })
}

/// The mode of a file that is open to all. A group may be meant: that of a server which does not own its keys.
fn mode_for_all(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0).then_some(mode)
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
    use crate::settings::layers::Flags;
    use signalpost_powercut::{Keep, Op, Platter, Settings, Watch, install};
    use signalpost_store_sqlite::SqliteStore;
    use signalpost_testkit::TempDir;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fn settings(folder: &TempDir, database_url: Option<&str>) -> crate::settings::Settings {
        let data = folder.path().to_str().expect("a path in UTF-8").to_owned();
        let flags = Flags {
            values: [("data", data)].into(),
            database_url: database_url.map(str::to_owned),
            ..Flags::default()
        };
        crate::settings::Settings::read(&flags, &Environment::default()).expect("good settings")
    }

    fn message<T>(result: Result<T, Failure>) -> String {
        result.err().expect("refused").what
    }

    #[test]
    fn a_key_is_made_once_and_readable_by_its_owner_alone() {
        let folder = TempDir::new().expect("a folder");
        let environment = Environment::default();
        Keys::check(&settings(&folder, None), &environment).expect("nothing is wrong with nothing");
        assert!(!folder.path().join("operator.key").exists(), "looking makes nothing");
        let first = operator_key(folder.path(), &environment).expect("made");
        let again = operator_key(folder.path(), &environment).expect("read");
        assert_eq!(first.key.expose(), again.key.expose());
        let file = std::fs::metadata(folder.path().join("operator.key")).expect("the file");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        let path = folder.path().join("operator.key");
        for (mode, told) in [(0o600, None), (0o640, None), (0o644, Some(0o644))] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("ours");
            assert_eq!(mode_for_all(&path), told);
        }
        assert_eq!(first.source, again.source);
    }

    /// Never a half of a key, nor a database without the key that opens it; and keys that were told of stay.
    #[test]
    fn the_power_may_go_at_any_moment_of_the_first_start() {
        install();
        let (folder, environment) = (TempDir::new().expect("a folder"), Environment::default());
        let settings = Settings { keep: Keep::Log, pragmas: Vec::new() };
        let watch = Watch::begin(folder.path(), settings).expect("it is there");
        let start = |folder: &TempDir| {
            let data = folder.path().join("data");
            Keys::read_or_make(&data, &environment).map_err(|failure| failure.what)?;
            let text = |file| std::fs::read_to_string(data.join(file)).map_err(|error| error.to_string());
            Ok::<_, String>([text(MASTER_KEY_FILE)?, text(OPERATOR_KEY_FILE)?])
        };
        let made = start(&folder).expect("made");
        watch.note(0);
        drop(SqliteStore::open_inline(&folder.path().join("data")).expect("a store"));
        let log = watch.log();
        drop(watch);
        let mut platter = Platter::of(&log.base);
        let mut told = false;
        for (place, op) in log.ops.iter().enumerate() {
            platter.apply(op);
            told |= matches!(op, Op::Note(_));
            for seed in 0..8 {
                let left = TempDir::new().expect("a folder");
                platter.cut(seed).write_to(left.path()).expect("written");
                let found = start(&left);
                let is_good = found.as_ref().is_ok_and(|found| !told || *found == made);
                assert!(is_good, "cut {seed} after change {place}, {op:?}: {:?}", found.err());
            }
        }
        assert!(told && log.ops.len() > 50, "{} changes", log.ops.len());
    }

    #[test]
    fn a_variable_can_name_a_file_with_the_key() {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("secret");
        let named = path.to_str().expect("a path in UTF-8");
        std::fs::write(&path, "a key of sixteen and more\r\n").expect("written");
        let environment = Environment::from([("SIGNALPOST_OPERATOR_KEY_FILE", named)]);
        let found = operator_key(folder.path(), &environment).expect("read");
        assert_eq!(found.key.expose(), b"a key of sixteen and more");
        assert_eq!(found.source, format!("SIGNALPOST_OPERATOR_KEY_FILE ({named})"));
        let both = Environment::from([
            ("SIGNALPOST_OPERATOR_KEY_FILE", named),
            ("SIGNALPOST_OPERATOR_KEY", "another key of sixteen"),
        ]);
        assert!(message(operator_key(folder.path(), &both)).starts_with("both SIGNALPOST_OPERATOR_KEY and"));
        std::fs::write(&path, "\n").expect("written");
        assert!(message(operator_key(folder.path(), &environment)).ends_with("is empty"));
        std::fs::write(&path, "short").expect("written");
        assert!(message(Keys::check(&settings(&folder, None), &environment)).ends_with("is too short"));
        std::fs::remove_file(&path).expect("removed");
        assert!(message(operator_key(folder.path(), &environment)).contains("cannot read"));
    }

    #[test]
    fn a_shared_database_needs_a_master_key_that_is_given() {
        let folder = TempDir::new().expect("a folder");
        let (none, given) = (Environment::default(), Environment::from([("SIGNALPOST_MASTER_KEY", HEX)]));
        let shared = settings(&folder, Some("postgres://host/db"));
        for refused in [message(Keys::check(&shared, &none)), message(Keys::of(&shared, &none).map(drop))] {
            assert_eq!(refused, "there is no master key, and with a database URL none is made");
        }
        assert!(!folder.path().join("master.key").exists() && !folder.path().join("operator.key").exists());
        assert!(Keys::check(&shared, &given).is_ok() && Keys::of(&shared, &given).is_ok());
    }

    #[test]
    fn a_database_without_its_master_key_is_refused() {
        let folder = TempDir::new().expect("a folder");
        std::fs::write(folder.path().join("signalpost.db"), "rows").expect("written");
        let none = Environment::default();
        for refused in [
            message(Keys::check(&settings(&folder, None), &none)),
            message(Keys::read_or_make(folder.path(), &none).map(drop)),
        ] {
            assert!(refused.contains("holds a database but no master key"), "{refused}");
        }
        assert!(!folder.path().join("master.key").exists(), "none was made");
        let given = Environment::from([("SIGNALPOST_MASTER_KEY", HEX)]);
        assert!(Keys::read_or_make(folder.path(), &given).is_ok());
    }
}
