//! Entries for the fuzz targets, behind the cargo feature `fuzzing`: rows and blobs of a database that somebody damaged.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};
use signalpost_store::StoreError;
use signalpost_store::row::Row;

use crate::fetch::Cells;
use signalpost_store::{pack, pack_sealed, row};

/// A value that stands in a column.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    /// Whatever the bytes are.
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(value) => ToSqlOutput::Owned(Value::Integer(value)),
            Self::Real(value) => ToSqlOutput::Owned(Value::Real(value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text)),
            Self::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
        })
    }
}

/// What a row is read as.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    Workspace,
    Webhook,
    Remembered,
    SigningKey,
    Cut,
    Credential,
    OperatorKey,
    Event,
    Password,
    Session,
    Right,
    OperatorLogin,
    OperatorSession,
    Act,
    PortalSession,
}

impl Reader {
    pub const ALL: [Self; 15] = [
        Self::Workspace,
        Self::Webhook,
        Self::Remembered,
        Self::SigningKey,
        Self::Cut,
        Self::Credential,
        Self::OperatorKey,
        Self::Event,
        Self::Password,
        Self::Session,
        Self::Right,
        Self::OperatorLogin,
        Self::OperatorSession,
        Self::Act,
        Self::PortalSession,
    ];
}

/// Reads a row of these cells, and shows what was read as the surfaces do.
///
/// # Panics
/// When the reader does, when what it read cannot be shown, or when its error is not about the row.
pub fn read(reader: Reader, cells: &[Cell<'_>]) {
    thread_local! {
        static MEMORY: Connection = Connection::open_in_memory().expect("a database in memory");
    }
    let places: Vec<String> = (1..=cells.len()).map(|place| format!("?{place}")).collect();
    let select = format!("SELECT {}", places.join(", "));
    MEMORY.with(|connection| {
        let mut statement = connection.prepare_cached(&select).expect("a good select");
        let mut rows = statement.query(params_from_iter(cells)).expect("any value can be selected");
        let row = rows.next().expect("a row is made of constants").expect("one row");
        match shown(reader, &Cells(row)) {
            Ok(_) => {}
            Err(StoreError::Corrupt { problem, .. }) => assert!(!problem.is_empty()),
            Err(other) => panic!("{other}"),
        }
    });
}

/// The texts that stand in answers for what a row holds.
fn shown(reader: Reader, row: &Row<'_>) -> Result<Vec<String>, StoreError> {
    Ok(match reader {
        Reader::Workspace => vec![row::workspace(row)?.created_at.to_rfc3339_ms()],
        Reader::Webhook => vec![row::webhook(row)?.updated_at.to_rfc3339_ms()],
        Reader::Remembered => vec![format!("{:?}", row::remembered(row)?)],
        Reader::SigningKey => vec![row::signing_key(row)?.created_at.to_rfc3339_ms()],
        Reader::Cut => vec![row::cut(row)?.at.to_rfc3339_ms()],
        Reader::Credential => vec![row::credential(row)?.id.to_public()],
        Reader::OperatorKey => {
            let key = row::operator_key(row)?;
            let successor = key.successor.map(|key| key.to_public());
            successor.into_iter().chain([key.id.to_public()]).collect()
        }
        Reader::Event => {
            let event = row::event(row)?;
            let delivery = |webhook| signalpost_core::id::DeliveryId { event: event.id, webhook }.to_public();
            let texts = event.targets.iter().map(|webhook| delivery(*webhook));
            texts.chain([event.id.to_public(), event.content.time.to_rfc3339_s()]).collect()
        }
        Reader::Password => {
            // The hash is not asked: what it costs is too much for every input.
            let (user, _) = row::user_with_password(row)?;
            vec![user.created_at.to_rfc3339_ms()]
        }
        Reader::Session => vec![row::user_with_session(row)?.1.expires_at.to_rfc3339_ms()],
        Reader::Right => vec![row::held_right(row)?.right.id.to_public()],
        Reader::OperatorLogin => vec![row::operator_login(row)?.account.id.to_public()],
        Reader::OperatorSession => {
            let session = row::operator_session(row)?.session;
            vec![session.id.to_public(), session.expires_at.to_rfc3339_ms()]
        }
        Reader::PortalSession => {
            let session = row::portal_session(row)?;
            let shown = [session.id.to_public(), session.expires_at.to_rfc3339_ms()];
            shown.into_iter().chain(session.name).collect()
        }
        Reader::Act => {
            let act = row::act(row)?;
            vec![act.id.to_public(), act.at.to_rfc3339_ms(), act.action.as_str().to_owned()]
        }
    })
}

/// Reads a blob as each kind of blob. What can be read is the same after it was written and read again.
///
/// # Panics
/// When that is not so.
pub fn unpack(blob: &[u8]) {
    if let Ok(texts) = pack::unpack_texts(blob) {
        assert_eq!(pack::unpack_texts(&pack::pack_texts(&texts)), Ok(texts));
    }
    if let Ok(pairs) = pack::unpack_pairs(blob) {
        assert_eq!(pack::unpack_pairs(&pack::pack_pairs(&pairs)), Ok(pairs));
    }
    if let Ok(ids) = pack::unpack_ids(blob) {
        assert_eq!(pack::pack_ids(ids), blob);
    }
    if let Ok(detail) = pack::unpack_detail(blob) {
        let again = pack::pack_detail(detail.timing_us, &detail.text, &detail.headers, &detail.answer);
        assert_eq!(pack::unpack_detail(&again), Ok(detail));
    }
    if let Ok(headers) = pack_sealed::unpack_headers(blob) {
        let again = pack_sealed::pack_headers(&headers);
        assert_eq!(again.map_or(Ok(Vec::new()), |blob| pack_sealed::unpack_headers(&blob)), Ok(headers));
    }
    if let Ok(secrets) = pack_sealed::unpack_secrets(blob) {
        let again = pack_sealed::pack_secrets(&secrets);
        assert_eq!(again.map_or(Ok(Vec::new()), |blob| pack_sealed::unpack_secrets(&blob)), Ok(secrets));
    }
}
