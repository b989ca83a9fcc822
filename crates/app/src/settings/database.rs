//! Which databases the data lies in: those of PostgreSQL servers, named by URLs, or the embedded one in the data directory.
//!
//! A URL may hold a password, so it is read as keys are: from a flag, a variable, or a file that a variable names, and never
//! from the configuration file.

use std::path::Path;

use signalpost_core::cell::CellNumber;
use signalpost_core::limits::CELLS_MAX;
use signalpost_core::secret::Secret;

use super::environment::Environment;
use super::keys::file_variable;
use super::layers::Flags;
use super::read_bounded;
use crate::cmd::Failure;

pub(crate) const DATABASE_URL: &str = "SIGNALPOST_DATABASE_URL";
const FLAG: &str = "--database-url";

/// One database of a server.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    /// Which part of the installation it is; `None` for the whole.
    pub(crate) cell: Option<CellNumber>,
    pub(crate) url: Secret,
}

/// The databases that are to be used, in ascending order of their numbers; none for the embedded store.
pub(crate) fn databases(flags: &Flags, environment: &Environment) -> Result<Vec<Database>, Failure> {
    let given = find(flags.database_url.as_deref(), FLAG, environment)?;
    given.map_or(Ok(Vec::new()), |(text, source)| read_all(&text, &source))
}

/// The one database that a flag of another name is about, if there is one.
pub(crate) fn given_url(
    text: Option<&str>,
    flag: &str,
    environment: &Environment,
) -> Result<Option<Secret>, Failure> {
    let Some((text, source)) = find(text, flag, environment)? else { return Ok(None) };
    read_url(text.trim(), &source).map(Some)
}

/// Whether one is given, and by whom; for those who must not show it.
pub(crate) fn source(flags: &Flags, environment: &Environment) -> Result<Option<String>, Failure> {
    Ok(find(flags.database_url.as_deref(), FLAG, environment)?.map(|(_, source)| source))
}

/// `postgres://…` for the whole, or `0=postgres://… 1=postgres://…` for cells.
fn read_all(text: &str, source: &str) -> Result<Vec<Database>, Failure> {
    let text = text.trim();
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Ok(vec![Database { cell: None, url: read_url(text, source)? }]);
    }
    let mut cells = Vec::new();
    for part in text.split_whitespace() {
        cells.push(read_cell(part, source)?);
    }
    cells.sort_by_key(|database: &Database| database.cell);
    match cells.windows(2).find(|pair| pair[0].cell == pair[1].cell) {
        Some(pair) => Err(Failure::new(format!("{source} names cell {} twice", shown(pair[0].cell)))),
        None => Ok(cells),
    }
}

fn read_cell(part: &str, source: &str) -> Result<Database, Failure> {
    let (number, url) = part.split_once('=').unwrap_or((part, ""));
    let cell = number.parse().ok().and_then(CellNumber::new).ok_or_else(|| {
        Failure::new(format!("{source}: {number:.9} is not the number of a cell"))
            .hint(format!("Write each as number=url, with numbers from 0 to {}.", CELLS_MAX - 1))
    })?;
    Ok(Database { cell: Some(cell), url: read_url(url, &format!("{source}: cell {cell}"))? })
}

fn read_url(text: &str, source: &str) -> Result<Secret, Failure> {
    let is_one = !text.contains(char::is_whitespace);
    if is_one && (text.starts_with("postgres://") || text.starts_with("postgresql://")) {
        return Ok(Secret::from_text(text));
    }
    Err(Failure::new(format!("{source} is no URL of a PostgreSQL server")).hint(
        "Write it as postgres://user:password@host:5432/database, or leave it out for the embedded store.",
    ))
}

fn shown(cell: Option<CellNumber>) -> String {
    cell.map(|cell| cell.to_string()).unwrap_or_default()
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

    fn read(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Vec<Database>, String> {
        let flags = Flags { database_url: flag.map(str::to_owned), ..Flags::default() };
        let environment = variables.iter().copied().collect();
        databases(&flags, &environment).map_err(|failure| failure.what)
    }

    fn given(flag: Option<&str>, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let read = read(flag, variables)?;
        assert!(read.iter().all(|database| database.cell.is_none()) && read.len() <= 1);
        Ok(read.first().map(|database| database.url.expose_text().to_owned()))
    }

    #[test]
    fn cells_are_named_by_their_numbers() {
        let cells = |text: &str| {
            let read = read(Some(text), &[])?;
            let each =
                read.iter().map(|one| (one.cell.map(CellNumber::number), one.url.expose_text().to_owned()));
            Ok::<_, String>(each.collect::<Vec<_>>())
        };
        let (a, b) = ("postgres://a/d".to_owned(), "postgres://b/d?x=1".to_owned());
        assert_eq!(cells(&format!(" 3={b}\n0={a}\n")), Ok(vec![(Some(0), a.clone()), (Some(3), b.clone())]));
        assert_eq!(cells(&format!("1={b}")), Ok(vec![(Some(1), b.clone())]), "a worker may have one alone");
        for (bad, sentence) in [
            (format!("0={a} 0={b}"), "--database-url names cell 0 twice"),
            (format!("16={a}"), "--database-url: 16 is not the number of a cell"),
            ("0=mysql://a".to_owned(), "--database-url: cell 0 is no URL of a PostgreSQL server"),
            (format!("0={a} {b}"), "--database-url: postgres: is not the number of a cell"),
            (format!("{a} {b}"), "--database-url is no URL of a PostgreSQL server"),
        ] {
            assert_eq!(cells(&bad), Err(sentence.to_owned()), "{bad}");
        }
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
