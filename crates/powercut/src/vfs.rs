//! The layer under SQLite (<https://www.sqlite.org/vfs.html>): opens and deletes, passed on and kept.

use std::cell::Cell;
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Arc, Once};

use rusqlite::ffi;

use crate::file_methods::{Handle, LayerFile, METHODS, below};
use crate::watch::{Folder, Power, folder_of};
use crate::{Op, interpose};

/// Puts the layer under every database that this program opens from now on. Once is enough.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        assert!(interpose::functions().iter().all(|function| *function != 0));
        // SAFETY: the system's VFS lives as long as the program, and so does what is leaked here; SQLite wants exactly
        // that of a VFS. It is copied whole: what is not replaced below takes no notice of the VFS that it is given.
        let registered = unsafe {
            let system = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!system.is_null(), "SQLite has no VFS");
            let mut layer = std::ptr::read(system);
            layer.iVersion = layer.iVersion.min(2);
            layer.szOsFile += c_int::try_from(size_of::<LayerFile>()).expect("a few words");
            layer.pNext = null_mut();
            layer.zName = c"powercut".as_ptr();
            layer.pAppData = system.cast();
            layer.xOpen = Some(open);
            layer.xDelete = Some(delete);
            layer.xAccess = Some(access);
            layer.xFullPathname = Some(full_path_name);
            ffi::sqlite3_vfs_register(Box::leak(Box::new(layer)), 1)
        };
        assert_eq!(registered, ffi::SQLITE_OK, "the layer is not taken");
    });
}

/// # Safety
/// `layer` is the one that [`install`] has registered.
unsafe fn system_below(layer: *mut ffi::sqlite3_vfs) -> *mut ffi::sqlite3_vfs {
    // SAFETY: `install` has put it there.
    unsafe { (*layer).pAppData.cast() }
}

/// # Safety
/// As SQLite calls it: room for `szOsFile` bytes at `file`, a name that is null or ends with a zero.
unsafe extern "C" fn open(
    layer: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    // SAFETY: our part comes first in the room and the system's after it, as `szOsFile` was made to permit.
    unsafe {
        let system = system_below(layer);
        let ours = file.cast::<LayerFile>();
        (*ours).base.pMethods = std::ptr::null();
        (*ours).handle = null_mut();
        let place = place_of(name, flags);
        if place.as_ref().is_some_and(|(folder, _)| folder.is_dark()) {
            return ffi::SQLITE_CANTOPEN;
        }
        let open = (*system).xOpen.expect("every VFS opens");
        let opened = open(system, name, below(file), flags, flags_out);
        if opened == ffi::SQLITE_OK {
            (*ours).base.pMethods = &raw const METHODS;
            if let Some((folder, path)) = place {
                (*ours).handle = Box::into_raw(Box::new(handle(folder, &path, flags)));
            }
        }
        opened
    }
}

/// Journals of both kinds.
const JOURNALS: c_int = ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_WAL;

/// Where a file lies, when it is one that outlives its opening and lies in a watched folder.
///
/// # Safety
/// A name that is null or ends with a zero.
unsafe fn place_of(name: *const c_char, flags: c_int) -> Option<(Arc<Folder>, PathBuf)> {
    if name.is_null() || flags & (JOURNALS | ffi::SQLITE_OPEN_MAIN_DB) == 0 {
        return None;
    }
    // SAFETY: as the caller says.
    folder_of(unsafe { path_of(name) })
}

fn handle(folder: Arc<Folder>, path: &Path, flags: c_int) -> Handle {
    let (file, era) = (folder.file_at(path), folder.era());
    // As the system's own VFS does: the first sync of a journal that may be new syncs its directory as well.
    let syncs_directory = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & JOURNALS != 0;
    let directory = path.parent().map(Path::to_owned).unwrap_or_default();
    Handle { folder, file, era, directory: Cell::new(syncs_directory.then_some(directory)) }
}

/// # Safety
/// As SQLite calls it: a name that ends with a zero.
unsafe extern "C" fn delete(layer: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: the name is SQLite's and lives for the call.
    unsafe {
        let system = system_below(layer);
        let delete = (*system).xDelete.expect("every VFS deletes");
        let Some((folder, path)) = folder_of(path_of(name)) else { return delete(system, name, sync) };
        if folder.power(folder.era()) == Power::Off {
            return ffi::SQLITE_IOERR_DELETE;
        }
        // The directory is not synced for real.
        let deleted = delete(system, name, 0);
        if deleted == ffi::SQLITE_OK {
            let directory = path.parent().map(Path::to_owned).unwrap_or_default();
            folder.removed(path);
            if sync != 0 {
                folder.keep(Op::SyncDirectory { path: directory });
            }
        }
        deleted
    }
}

/// # Safety
/// As SQLite calls it.
unsafe extern "C" fn access(
    layer: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    answer: *mut c_int,
) -> c_int {
    // SAFETY: everything is passed on as it came.
    unsafe {
        let system = system_below(layer);
        (*system).xAccess.expect("every VFS looks")(system, name, flags, answer)
    }
}

/// # Safety
/// As SQLite calls it.
unsafe extern "C" fn full_path_name(
    layer: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    answer: *mut c_char,
) -> c_int {
    // SAFETY: everything is passed on as it came.
    unsafe {
        let system = system_below(layer);
        (*system).xFullPathname.expect("every VFS completes names")(system, name, room, answer)
    }
}

/// # Safety
/// A string that ends with a zero and outlives what is made of it.
unsafe fn path_of<'a>(name: *const c_char) -> &'a Path {
    // SAFETY: as the caller says.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()))
}
