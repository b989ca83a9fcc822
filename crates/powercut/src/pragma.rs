//! Settings that the product gives SQLite, changed on their way: a log that is folded back more often, so that a short
//! run has seen it wrap; and, for the control of the proof, no syncs at all. The product has no switch for either.

use std::ffi::{CStr, c_char, c_int, c_void};

use rusqlite::ffi;

/// One pragma and what becomes of it.
#[derive(Clone, Debug)]
pub struct Pragma {
    pub name: &'static CStr,
    /// Instead of whatever value is asked for; no longer than that.
    pub value: &'static CStr,
    /// What a question for the value is answered with; `None` leaves the question to SQLite.
    pub answer: Option<&'static CStr>,
}

/// Looks at a pragma before SQLite does, as `SQLITE_FCNTL_PRAGMA` has it: `SQLITE_OK` when it is answered,
/// `SQLITE_NOTFOUND` when SQLite is to go on with what is there by then.
///
/// # Safety
/// `argument` is what SQLite gives a VFS with `SQLITE_FCNTL_PRAGMA`: an array of strings of which the first is to be set,
/// the second is the name and the third the value or null.
pub(crate) unsafe fn look(pragmas: &[Pragma], argument: *mut c_void) -> c_int {
    let strings = argument.cast::<*mut c_char>();
    // SAFETY: the array and its strings are SQLite's and live for the call. The value is a copy that belongs to this
    // statement's parser, so it may be changed in place as long as it does not grow. What answers a question is
    // made by SQLite's allocator, which frees it.
    unsafe {
        let (name, value) = (*strings.add(1), *strings.add(2));
        let asked = CStr::from_ptr(name);
        let Some(pragma) = pragmas.iter().find(|one| one.name == asked) else { return ffi::SQLITE_NOTFOUND };
        if value.is_null() {
            let Some(answer) = pragma.answer else { return ffi::SQLITE_NOTFOUND };
            *strings = ffi::sqlite3_mprintf(c"%s".as_ptr(), answer.as_ptr());
            return ffi::SQLITE_OK;
        }
        let new = pragma.value.to_bytes_with_nul();
        if new.len() <= CStr::from_ptr(value).to_bytes_with_nul().len() {
            std::ptr::copy_nonoverlapping(new.as_ptr().cast(), value, new.len());
        }
        ffi::SQLITE_NOTFOUND
    }
}
