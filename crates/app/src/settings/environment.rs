//! The process's environment as far as it is ours, taken once, so that everything after it is a function of values.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::keys;
use super::near::near;

const PREFIX: &str = "SIGNALPOST_";

#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<String, OsString>);

impl Environment {
    pub(crate) fn of_process() -> Self {
        let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self(named.filter(|(name, _)| name.starts_with(PREFIX)).collect())
    }

    /// What a variable says; an empty one says nothing. The error is a sentence.
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, String> {
        match self.0.get(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => {
                let text = value.to_str().ok_or_else(|| format!("{name}: the value is not text in UTF-8"));
                text.map(Some)
            }
        }
    }

    /// Sentences about variables that are not known and look like ones that are. Others may well belong to
    /// somebody else: orchestrators name variables after services.
    pub(crate) fn suspicions(&self) -> Vec<String> {
        let mut known: Vec<String> = keys::ALL.iter().map(|key| key.variable.to_owned()).collect();
        known.push(keys::CONFIG_VARIABLE.to_owned());
        for (_, variable) in keys::SECRETS {
            known.extend([variable.to_owned(), keys::file_variable(variable)]);
        }
        let strangers = self.0.keys().filter(|name| !known.contains(name));
        let said = |name: &String| {
            let meant = near(name, known.iter().map(String::as_str))?;
            Some(format!("the variable {name} is not known; did you mean {meant}?"))
        };
        strangers.filter_map(said).collect()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Environment {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_says_nothing() {
        let environment = Environment::from([("SIGNALPOST_DATA", ""), ("SIGNALPOST_LOG", "debug")]);
        assert_eq!(environment.get("SIGNALPOST_DATA"), Ok(None));
        assert_eq!(environment.get("SIGNALPOST_LOG"), Ok(Some("debug")));
        assert_eq!(environment.get("SIGNALPOST_PUBLIC"), Ok(None));
    }

    #[test]
    fn a_misspelt_variable_is_suspicious_and_a_strange_one_is_not() {
        let environment = Environment::from([
            ("SIGNALPOST_PUBILC", "x"),
            ("SIGNALPOST_MASTER_KEY_FLIE", "x"),
            ("SIGNALPOST_SERVICE_HOST", "10.0.0.1"),
            ("SIGNALPOST_PORT_8080_TCP_ADDR", "10.0.0.1"),
            ("SIGNALPOST_DATA", "x"),
        ]);
        let said = environment.suspicions();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("SIGNALPOST_MASTER_KEY_FILE") && said[1].contains("SIGNALPOST_PUBLIC?"));
    }
}
