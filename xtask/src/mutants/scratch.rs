//! The copy of the source that mistakes are put into, with a target folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::list::{Edit, Mutant};
use crate::{Outcome, workspace};

pub(super) struct Scratch {
    tree: PathBuf,
    target: PathBuf,
}

/// A mistake that stands in the copy until it is taken out again.
pub(super) struct Applied {
    /// Files with what they held before.
    before: Vec<(PathBuf, String)>,
}

impl Scratch {
    /// Copies every file that git knows. Files that have not changed keep their time, so that little is built again.
    pub(super) fn copy() -> Result<Self, String> {
        let target = workspace::target_directory()?.join("mutants");
        let scratch = Self { tree: target.join("tree"), target };
        let files = workspace::files()?;
        for file in &files {
            copy_changed(&workspace::root().join(file), &scratch.tree.join(file))?;
        }
        scratch.remove_strays(&files)?;
        Ok(scratch)
    }

    /// Cargo for the copy: with what makes a small change quick to build.
    pub(super) fn cargo(&self) -> Command {
        let mut cargo = workspace::cargo();
        cargo.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "1");
        cargo
    }

    /// Where cargo puts what it builds of the copy.
    pub(super) fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name)
    }

    /// Whether every edit of a mutant fits.
    pub(super) fn check(&self, mutant: &Mutant) -> Outcome {
        mutant.edits.iter().try_for_each(|edit| self.edited(mutant, edit).map(drop))
    }

    pub(super) fn apply(&self, mutant: &Mutant) -> Result<Applied, String> {
        let mut applied = Applied { before: Vec::new() };
        for edit in &mutant.edits {
            let path = self.tree.join(&edit.file);
            let before = read(&path)?;
            // An edit before this one may have been in the same file.
            let after = self.edited(mutant, edit)?;
            if !applied.before.iter().any(|(known, _)| *known == path) {
                applied.before.push((path.clone(), before));
            }
            write(&path, &after)?;
        }
        Ok(applied)
    }

    /// A file as an edit leaves it.
    fn edited(&self, mutant: &Mutant, edit: &Edit) -> Result<String, String> {
        let text = read(&self.tree.join(&edit.file))?;
        match text.matches(&edit.find).count() {
            1 => Ok(text.replace(&edit.find, &edit.replace)),
            count => Err(format!(
                "mutant `{}`: what it replaces stands {count} times in {}, it must stand there once:\n{}",
                mutant.name, edit.file, edit.find
            )),
        }
    }

    /// Removes what a copy before this one had and the source has no more.
    fn remove_strays(&self, files: &[String]) -> Outcome {
        let mut folders = vec![self.tree.clone()];
        while let Some(folder) = folders.pop() {
            for path in entries(&folder)? {
                let name = path.strip_prefix(&self.tree).unwrap_or(&path).to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.push(path);
                } else if files.binary_search(&name).is_err() {
                    std::fs::remove_file(&path).map_err(|error| told(&path, &error))?;
                }
            }
        }
        Ok(())
    }
}

impl Applied {
    /// Not in a destructor: an error here must end the run.
    pub(super) fn revert(self) -> Outcome {
        self.before.iter().try_for_each(|(path, text)| write(path, text))
    }
}

fn copy_changed(from: &Path, to: &Path) -> Outcome {
    let wanted = std::fs::read(from).map_err(|error| told(from, &error))?;
    if std::fs::read(to).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(|error| told(folder, &error))?;
    }
    std::fs::write(to, wanted).map_err(|error| told(to, &error))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| told(folder, &error))?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(|error| told(folder, &error))).collect()
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| told(path, &error))
}

fn write(path: &Path, text: &str) -> Outcome {
    std::fs::write(path, text).map_err(|error| told(path, &error))
}

fn told(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::judge::Judge;

    fn mutant(edits: &[(&str, &str)]) -> Mutant {
        let edit = |(find, replace): &(&str, &str)| Edit {
            file: "file".into(),
            find: (*find).into(),
            replace: (*replace).into(),
        };
        let judge = Judge::parse("sim", None).expect("a judge");
        let edits = edits.iter().map(edit).collect();
        Mutant { name: "m".into(), promise: "p".into(), edits, judge, finding: "f".into() }
    }

    #[test]
    fn mistakes_go_in_and_come_out_again() {
        let tree = std::env::temp_dir().join(format!("xtask-mutants-{}", std::process::id()));
        std::fs::create_dir_all(&tree).expect("a folder");
        let file = tree.join("file");
        let scratch = Scratch { tree: tree.clone(), target: tree.clone() };
        std::fs::write(&file, "one two two").expect("it writes");
        let applied = scratch.apply(&mutant(&[("one", "three"), ("three", "four")])).expect("it fits");
        assert_eq!(read(&file), Ok("four two two".to_owned()));
        applied.revert().expect("it writes");
        assert_eq!(read(&file), Ok("one two two".to_owned()));
        for (find, count) in [("two", "2 times"), ("six", "0 times")] {
            let error = scratch.check(&mutant(&[(find, "x")])).expect_err("it does not fit");
            assert!(error.contains(count), "{error}");
        }
        std::fs::remove_dir_all(&tree).expect("it was there");
    }
}
