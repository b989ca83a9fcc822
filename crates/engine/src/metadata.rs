//! What an owner, or a dialect, keeps with a webhook: judged here, read by nobody.

use signalpost_core::error::{Error, FieldErrors};
use signalpost_core::limits::WEBHOOK_METADATA_NAME_CHARS_MAX;
use signalpost_core::metadata::{MetadataChange, check_metadata_name, check_metadata_value, merged};

/// One that is to be removed needs no good name: nobody has it then.
pub(crate) fn check_metadata(errors: &mut FieldErrors, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let checked = check_metadata_name(name).and_then(|()| check_metadata_value(value));
    // Shortened, and escaped as in RFC 6901, for `/` joins the parts of a place.
    let shown: String = name.chars().take(WEBHOOK_METADATA_NAME_CHARS_MAX).collect();
    errors.take(&format!("metadata/{}", shown.replace('~', "~0").replace('/', "~1")), checked);
}

/// The entries of a new webhook. `Invalid` when they are too many.
pub(crate) fn collected(entries: Vec<(String, String)>) -> Result<Vec<(String, String)>, Error> {
    let set = entries.into_iter().map(|(name, value)| (name, Some(value))).collect();
    after(&[], &MetadataChange::Merge(set))
}

/// The entries after a change. `Invalid` when they are too many.
pub(crate) fn after(
    present: &[(String, String)],
    change: &MetadataChange,
) -> Result<Vec<(String, String)>, Error> {
    merged(present, change).map_err(|problem| Error::field("metadata", problem.to_string()))
}
