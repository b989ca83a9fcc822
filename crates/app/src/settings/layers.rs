//! Which value wins: defaults, then the file, then the environment, then flags.

use std::collections::BTreeMap;
use std::path::Path;

use super::environment::Environment;
use super::file::{self, DialectTable, File};
use super::keys::{self, Key};
use super::problems::Problems;
use super::value::{Source, Value};

/// What the command line says, by name of the flag; texts as they were given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    pub(crate) config: Option<String>,
    pub(crate) database_url: Option<String>,
    pub(crate) values: BTreeMap<&'static str, String>,
}

/// Every setting with the value that won.
#[derive(Debug)]
pub(crate) struct Effective {
    values: BTreeMap<&'static str, Chosen>,
    /// The file that was read, if any.
    pub(crate) file: Option<String>,
    /// Empty when all built-in shapes are served.
    pub(crate) dialects: Vec<DialectTable>,
}

/// The value of one setting, `None` when it is left out, and who said so.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    pub(crate) value: Option<Value>,
    pub(crate) source: Source,
}

impl Effective {
    /// Reads the file, if one is named, and lays everything over the defaults.
    pub(crate) fn gather(flags: &Flags, environment: &Environment, problems: &mut Problems) -> Self {
        let named = match &flags.config {
            Some(path) => Some(path.as_str()),
            None => problems.keep(environment.get(keys::CONFIG_VARIABLE)).flatten(),
        };
        let file = named.map(|path| file::read(Path::new(path), problems));
        Self::lay(flags, environment, file, problems)
    }

    pub(crate) fn lay(
        flags: &Flags,
        environment: &Environment,
        file: Option<File>,
        problems: &mut Problems,
    ) -> Self {
        let chosen =
            |key: &&'static Key| (key.name, choose(key, flags, environment, file.as_ref(), problems));
        let values = keys::ALL.iter().map(chosen).collect();
        let name = file.as_ref().map(|file| file.name.clone());
        Self { values, file: name, dialects: file.map_or_else(Vec::new, |file| file.dialects) }
    }

    pub(crate) fn get(&self, key: &Key) -> &Chosen {
        self.values.get(key.name).expect("every key of the table was laid")
    }
}

/// The first of flag, variable, file and default that says something.
fn choose(
    key: &'static Key,
    flags: &Flags,
    environment: &Environment,
    file: Option<&File>,
    problems: &mut Problems,
) -> Chosen {
    let variable = problems.keep(environment.get(key.variable)).flatten();
    let (text, source) = if let Some(text) = flags.values.get(key.flag) {
        (Some(text.as_str()), Source::Flag(key.flag))
    } else if let Some(text) = variable {
        (Some(text), Source::Variable(key.variable))
    } else if let Some((file, (value, line))) = file.and_then(|file| Some((file, file.values.get(key.name)?)))
    {
        let source = Source::File { name: file.name.clone(), line: *line };
        return Chosen { value: Some(value.clone()), source };
    } else {
        (key.default, Source::Default)
    };
    let value = text.and_then(|text| problems.take(&source, key.name, key.kind.read(text)));
    Chosen { value, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_win_and_each_value_knows_its_source() {
        let text = "data = '/f'\npublic = '127.0.0.1:1'\nlog = 'warn'\negress_allow = '10.0.0.0/8'\n";
        let (data, public, log, egress) = (keys::DATA, keys::PUBLIC, keys::LOG, keys::EGRESS_ALLOW);
        let flags = |pairs: &[(&'static str, &str)]| Flags {
            values: pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
            ..Flags::default()
        };
        let environment = Environment::from([
            ("SIGNALPOST_DATA", "/e"),
            ("SIGNALPOST_LOG", "debug"),
            ("SIGNALPOST_OPERATOR", ""),
        ]);
        let mut problems = Problems::default();
        let file = file::parse("s.toml", text, &mut problems);
        let laid = flags(&[("data", "/g"), ("egress-allow", "")]);
        let effective = Effective::lay(&laid, &environment, Some(file), &mut problems);
        assert_eq!(problems.sentences(), [] as [&str; 0]);
        let table = [
            (data, "/g", "--data"),
            (public, "127.0.0.1:1", "s.toml:2"),
            (log, "debug", "SIGNALPOST_LOG"),
            (keys::OPERATOR, "127.0.0.1:8081", "default"),
            (egress, "", "--egress-allow"),
            (keys::PUBLIC_CONNECTIONS, "8192", "default"),
        ];
        for (key, value, source) in table {
            let Chosen { value: chosen, source: from } = effective.get(key);
            assert_eq!(chosen.as_ref().map(Value::plain).as_deref(), Some(value), "{}", key.name);
            assert_eq!(from.to_string(), source, "{}", key.name);
        }
        assert_eq!(effective.get(keys::PUBLIC_KEY).value, None);
    }
}
