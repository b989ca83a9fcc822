//! The layer under one open file: reads and locks are passed on; what changes the file is passed on and kept; syncs
//! are kept alone.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ffi::{self, sqlite3_file};

use crate::watch::{Folder, Power};
use crate::{FileId, Op, pragma};

/// Our part of an open file. The system's follows right behind it.
#[repr(C)]
pub(crate) struct LayerFile {
    pub(crate) base: sqlite3_file,
    /// Null for files that are not watched.
    pub(crate) handle: *mut Handle,
}

/// An open file of a watched folder. SQLite uses a file on one thread at a time.
pub(crate) struct Handle {
    pub(crate) folder: Arc<Folder>,
    pub(crate) file: FileId,
    pub(crate) era: u64,
    /// The directory that the first sync makes safe as well.
    pub(crate) directory: Cell<Option<PathBuf>>,
}

/// Version 2: with a log's shared memory, without pages mapped into memory, which would be written past this.
pub(crate) static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// The system's part of a file.
///
/// # Safety
/// `file` has room for both parts.
pub(crate) unsafe fn below(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: our part is as long as the distance.
    unsafe { file.cast::<LayerFile>().add(1).cast() }
}

/// Passes a call on to the system's part.
macro_rules! pass {
    ($file:ident.$method:ident($($argument:expr),*)) => {{
        // SAFETY: the file was opened by both parts, and everything is passed on as SQLite gave it.
        unsafe {
            let file = below($file);
            (*(*file).pMethods).$method.expect("the system's VFS has every method")(file $(, $argument)*)
        }
    }};
}

macro_rules! passed_on {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $answer:ty)?, $method:ident;)*) => {$(
        /// # Safety
        /// As SQLite calls it.
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $type)*) $(-> $answer)? {
            pass!(file.$method($($argument),*))
        }
    )*};
}

passed_on! {
    fn read(into: *mut c_void, bytes: c_int, offset: i64) -> c_int, xRead;
    fn file_size(answer: *mut i64) -> c_int, xFileSize;
    fn lock(level: c_int) -> c_int, xLock;
    fn unlock(level: c_int) -> c_int, xUnlock;
    fn check_reserved_lock(answer: *mut c_int) -> c_int, xCheckReservedLock;
    fn sector_size() -> c_int, xSectorSize;
    fn device_characteristics() -> c_int, xDeviceCharacteristics;
    fn shm_map(page: c_int, bytes: c_int, extend: c_int, answer: *mut *mut c_void) -> c_int, xShmMap;
    fn shm_lock(offset: c_int, count: c_int, flags: c_int) -> c_int, xShmLock;
    fn shm_barrier(), xShmBarrier;
    fn shm_unmap(delete: c_int) -> c_int, xShmUnmap;
}

/// # Safety
/// A file that the layer has opened; the answer lives as long as it is open.
unsafe fn handle<'a>(file: *mut sqlite3_file) -> Option<&'a Handle> {
    // SAFETY: `open` has put a handle or null there.
    unsafe { (*file.cast::<LayerFile>()).handle.as_ref() }
}

impl Handle {
    fn power(&self) -> Power {
        self.folder.power(self.era)
    }

    fn keep(&self, op: Op) {
        self.folder.keep(op);
    }
}

/// # Safety
/// As SQLite calls it, once for each file.
unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let closed = pass!(file.xClose());
    // SAFETY: `open` has made it by a box, and nobody looks at it any more.
    unsafe {
        let ours = file.cast::<LayerFile>();
        if !(*ours).handle.is_null() {
            drop(Box::from_raw((*ours).handle));
            (*ours).handle = std::ptr::null_mut();
        }
    }
    closed
}

/// # Safety
/// As SQLite calls it: `bytes` bytes can be read at `from`.
unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, bytes: c_int, offset: i64) -> c_int {
    // SAFETY: the file is open and the bytes are there, as SQLite promises.
    let (handle, written) = unsafe {
        let length = usize::try_from(bytes).expect("SQLite writes no negative number of bytes");
        (handle(file), std::slice::from_raw_parts(from.cast::<u8>(), length))
    };
    let Some(handle) = handle else { return pass!(file.xWrite(from, bytes, offset)) };
    if handle.power() == Power::Off {
        return ffi::SQLITE_IOERR_WRITE;
    }
    let done = pass!(file.xWrite(from, bytes, offset));
    if done == ffi::SQLITE_OK {
        let offset = usize::try_from(offset).expect("SQLite writes at no negative place");
        handle.keep(Op::Write { file: handle.file, offset, bytes: written.into() });
    }
    done
}

/// # Safety
/// As SQLite calls it.
unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    // SAFETY: the file is open.
    let Some(handle) = (unsafe { handle(file) }) else { return pass!(file.xTruncate(length)) };
    if handle.power() == Power::Off {
        return ffi::SQLITE_IOERR_TRUNCATE;
    }
    let done = pass!(file.xTruncate(length));
    if done == ffi::SQLITE_OK {
        let length = usize::try_from(length).expect("no file has a negative length");
        handle.keep(Op::Truncate { file: handle.file, length });
    }
    done
}

/// Nothing is synced for real, watched or not: what the layer is for comes and goes with a test.
///
/// # Safety
/// As SQLite calls it.
unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let Some(handle) = (unsafe { handle(file) }) else { return ffi::SQLITE_OK };
    if handle.power() == Power::Off {
        return ffi::SQLITE_IOERR_FSYNC;
    }
    handle.keep(Op::Sync { file: handle.file });
    if let Some(path) = handle.directory.take() {
        handle.keep(Op::SyncDirectory { path });
    }
    ffi::SQLITE_OK
}

/// # Safety
/// As SQLite calls it.
unsafe extern "C" fn file_control(file: *mut sqlite3_file, verb: c_int, argument: *mut c_void) -> c_int {
    if verb == ffi::SQLITE_FCNTL_PRAGMA {
        // SAFETY: the file is open, and the argument is what SQLite gives with this verb.
        let looked = unsafe { handle(file).map(|handle| pragma::look(&handle.folder.pragmas, argument)) };
        if looked == Some(ffi::SQLITE_OK) {
            return ffi::SQLITE_OK;
        }
    }
    pass!(file.xFileControl(verb, argument))
}
