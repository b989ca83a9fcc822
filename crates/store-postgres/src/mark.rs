//! By which the sessions of a process are known to the server, and to other nodes.

/// What every session of ours is called.
const NAME: &str = "signalpost";
const DIGITS: usize = 16;

/// Tells the sessions of one process from those of every other one. It made it by chance when it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    pub(crate) fn of(origin: i64) -> Self {
        Self(format!("{origin:016x}"))
    }

    /// What a session is called (`application_name`), in front of what the URL would have it called. The server cuts it to 63
    /// bytes.
    pub(crate) fn application_name(&self, given: Option<&str>) -> String {
        match given.filter(|given| *given != NAME) {
            Some(given) => format!("{} {given}", self.session_prefix()),
            None => self.session_prefix(),
        }
    }

    /// What the names of its sessions begin with.
    pub(crate) fn session_prefix(&self) -> String {
        format!("{NAME} {}", self.0)
    }

    /// As it stands in the row of a node, in front of what the process is called by those on the same machine.
    pub(crate) fn before(&self, process: &str) -> String {
        format!("{} {process}", self.0)
    }
}

/// What a session is called whose process has no mark yet, or is no node.
pub(crate) fn unmarked(given: Option<&str>) -> String {
    given.unwrap_or(NAME).to_owned()
}

/// The parts of what [`Mark::before`] gives. Whoever is older has no mark.
pub(crate) fn parts(process: &str) -> (Option<Mark>, &str) {
    let is_mark = |text: &str| text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match process.split_once(' ') {
        Some((mark, name)) if is_mark(mark) => (Some(Mark(mark.to_owned())), name),
        _ => (None, process),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_as_it_was_written_with_its_mark_or_without() {
        let mark = Mark::of(0x0123_4567_89ab_cdef);
        for name in ["", "boot/pid:[1]/7/8", "a b"] {
            assert_eq!(parts(&mark.before(name)), (Some(mark.clone()), name));
        }
        for older in ["", "boot/pid:[1]/7/8", "a b", "0123456789abcdef", "0123456789abcdeg x"] {
            assert_eq!(parts(older), (None, older));
        }
    }

    #[test]
    fn sessions_are_known_whatever_the_url_calls_them() {
        let mark = Mark::of(-1);
        assert_eq!(mark.application_name(None), "signalpost ffffffffffffffff");
        assert_eq!(mark.application_name(Some(NAME)), mark.application_name(None));
        let long = "x".repeat(63);
        let name = mark.application_name(Some(&long));
        assert!(name[..63].starts_with(&mark.session_prefix()), "{name}");
        assert_eq!((unmarked(None), unmarked(Some("mine"))), (NAME.to_owned(), "mine".to_owned()));
    }
}
