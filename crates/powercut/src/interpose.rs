//! What the product does to files by the standard library, past SQLite: syncs, renames and new directories.
//!
//! A function of the C library that is defined here takes the library's place in whatever program this crate is linked
//! into: the linker looks there only for what is missing. Outside watched folders each does what it always does, by the
//! system's own call.

use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::Op;
use crate::watch::folder_of;

/// Where the functions are: naming them makes the linker take them.
pub(crate) fn functions() -> [usize; 3] {
    [fsync as *const () as usize, rename as *const () as usize, mkdir as *const () as usize]
}

#[unsafe(no_mangle)]
extern "C" fn fsync(descriptor: c_int) -> c_int {
    let link = format!("/proc/self/fd/{descriptor}");
    if let Ok(path) = std::fs::read_link(link)
        && let Some((folder, inside)) = folder_of(&path)
    {
        folder.synced(&inside);
        return 0;
    }
    // SAFETY: the call takes a number and judges it itself.
    outcome(unsafe { libc::syscall(libc::SYS_fsync, descriptor) })
}

/// # Safety
/// As the function of the C library: both are strings that end with a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the strings are the caller's and live for the call.
    let (done, from, to) = unsafe {
        let here = libc::AT_FDCWD;
        let done = outcome(libc::syscall(libc::SYS_renameat2, here, from, here, to, 0));
        (done, path_of(from), path_of(to))
    };
    if done == 0
        && let (Some((folder, from)), Some((_, to))) = (folder_of(&from), folder_of(&to))
    {
        folder.renamed(from, to);
    }
    done
}

/// # Safety
/// As the function of the C library: a string that ends with a zero.
#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: libc::mode_t) -> c_int {
    // SAFETY: the string is the caller's and lives for the call.
    let (done, path) = unsafe {
        let done = outcome(libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode));
        (done, path_of(path))
    };
    if done == 0
        && let Some((folder, path)) = folder_of(&path)
        && !path.as_os_str().is_empty()
    {
        folder.keep(Op::MakeDirectory { path });
    }
    done
}

/// # Safety
/// A string that ends with a zero.
unsafe fn path_of(text: *const c_char) -> PathBuf {
    // SAFETY: as the caller says.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes();
    let path = Path::new(OsStr::from_bytes(bytes));
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The system's calls answer with 0 or -1 here, and set the error themselves.
fn outcome(answer: libc::c_long) -> c_int {
    if answer == 0 { 0 } else { -1 }
}
