//! Which database the data lies in: that of a server, named by a URL, or the embedded one in the data directory.
//!
//! A URL may hold a password, so it is read as keys are: from a flag, a variable, or a file that a variable names, and never
//! from the configuration file.

use std::path::Path;

use signalpost_core::secret::Secret;

use super::environment::Environment;
use super::keys::file_variable;
use super::layers::Flags;
use super::read_bounded;
use crate::cmd::Failure;

pub(crate) const DATABASE_URL: &str = "SIGNALPOST_DATABASE_URL";
const FLAG: &str = "--database-url";

/// The URL of a PostgreSQL server, if one is to be used.
pub(crate) fn database_url(flags: &Flags, environment: &Environment) -> Result<Option<Secret>, Failure> {
    given_url(flags.database_url.as_deref(), FLAG, environment)
}

/// The same for a flag of another name.
pub(crate) fn given_url(
    text: Option<&str>,
    flag: &str,
    environment: &Environment,
) -> Result<Option<Secret>, Failure> {
    let Some((text, source)) = find(text, flag, environment)? else { return Ok(None) };
    let text = text.trim();
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        return Ok(Some(Secret::from_text(text)));
    }
    Err(Failure::new(format!("{source} is no URL of a PostgreSQL server")).hint(
        "Write it as postgres://user:password@host:5432/database, or leave it out for the embedded store.",
    ))
}

/// Whether one is given, and by whom; for those who must not show it.
pub(crate) fn source(flags: &Flags, environment: &Environment) -> Result<Option<String>, Failure> {
    Ok(find(flags.database_url.as_deref(), FLAG, environment)?.map(|(_, source)| source))
}

fn find(
    text: Option<&str>,
    flag: &str,
    environment: &Environment,
) -> Result<Option<(String, String)>, Failure> {
    if let Some(text) = text {
        return Ok(Some((text.to_owned(), flag.to_owned())));
    }
    let variable = file_variable(DATABASE_URL);
    let value = environment.get(DATABASE_URL).map_err(Failure::new)?;
    let named = environment.get(&variable).map_err(Failure::new)?;
    match (value, named) {
        (Some(_), Some(_)) => {
            Err(Failure::new(format!("both {DATABASE_URL} and {variable} are set")).hint("Set one of them."))
        }
        (Some(text), None) => Ok(Some((text.to_owned(), DATABASE_URL.to_owned()))),
        (None, Some(path)) => {
            let text = read_bounded(Path::new(path))
                .map_err(|error| Failure::io(format!("{variable}: cannot read {path}"), error))?;
            Ok(Some((text, format!("{variable} ({path})"))))
        }
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalpost_testkit::TempDir;

    fn given(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let flags = Flags { database_url: flag.map(str::to_owned), ..Flags::default() };
        let environment = variables.iter().copied().collect();
        let url = database_url(&flags, &environment).map_err(|failure| failure.what)?;
        Ok(url.map(|url| url.expose_text().to_owned()))
    }

    #[test]
    fn a_url_is_found_where_it_may_be_given_and_nowhere_else() {
        let (url, other) = ("postgres://u:p@host/db", "postgresql://other/db");
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("url");
        std::fs::write(&path, format!("{other}\n")).expect("written");
        let path = path.to_str().expect("a path in UTF-8");
        let (variable, file) = (DATABASE_URL, "SIGNALPOST_DATABASE_URL_FILE");
        assert_eq!(given(None, &[]), Ok(None));
        assert_eq!(given(None, &[(variable, url)]), Ok(Some(url.to_owned())));
        assert_eq!(given(Some(other), &[(variable, url)]), Ok(Some(other.to_owned())), "a flag wins");
        assert_eq!(given(None, &[(file, path)]), Ok(Some(other.to_owned())));
        assert!(given(None, &[(file, path), (variable, url)]).is_err());
        assert!(given(None, &[(file, "/nowhere")]).is_err());
        for bad in ["", "mysql://host/db", "host=db"] {
            let refused = given(Some(bad), &[]).expect_err("refused");
            assert_eq!(refused, "--database-url is no URL of a PostgreSQL server");
        }
    }
}
