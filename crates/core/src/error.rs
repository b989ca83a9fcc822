//! The closed set of ways in which a use case can refuse, mapped once by each surface.

use std::fmt;

/// What kind of refusal this is. Adding one means deciding its answer in every dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// The request cannot be read: not JSON, cut off, not UTF-8.
    Malformed,
    /// The body is not of a type that is read here.
    UnsupportedMediaType,
    /// The request was read and breaks a rule; [`Error::fields`] says where.
    Invalid,
    /// The body or batch is larger than permitted.
    TooLarge,
    /// The request did not arrive in time.
    RequestTimeout,
    /// No credential, or one that is unknown, revoked or expired.
    Unauthenticated,
    /// The credential may not do this.
    Forbidden,
    /// No such object in this workspace.
    NotFound,
    /// The path exists, the method does not.
    MethodNotAllowed,
    /// The object's state or another object stands against it.
    Conflict,
    /// There are as many objects of this kind as there may be.
    LimitReached,
    /// The idempotency key belongs to another request.
    KeyReused,
    /// The caller must slow down.
    RateLimited,
    /// This process has another part of the work; another one answers this.
    Misdirected,
    /// The engine cannot take this now; nothing was stored and a retry is safe.
    Unavailable,
    /// The disk has no room for more; nothing was stored, and a retry is safe once there is.
    StorageFull,
    /// Our fault; details are in the log only.
    Internal,
}

impl ErrorCode {
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::TooLarge,
        Self::RequestTimeout,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Conflict,
        Self::LimitReached,
        Self::KeyReused,
        Self::RateLimited,
        Self::Misdirected,
        Self::Unavailable,
        Self::StorageFull,
        Self::Internal,
    ];

    /// The stable name in answers, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed_request",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid => "invalid_request",
            Self::TooLarge => "too_large",
            Self::RequestTimeout => "request_timeout",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict => "conflict",
            Self::LimitReached => "limit_reached",
            Self::KeyReused => "idempotency_key_reused",
            Self::RateLimited => "rate_limited",
            Self::Misdirected => "misdirected",
            Self::Unavailable => "unavailable",
            Self::StorageFull => "storage_full",
            Self::Internal => "internal",
        }
    }
}

/// One broken rule of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Name of the field as the caller wrote it; nested ones joined by `/`.
    pub field: String,
    /// A sentence for the caller, without a full stop.
    pub message: String,
}

/// A refusal: what the caller may see, and apart from it what the operator should see.
#[derive(Debug)]
pub struct Error {
    pub code: ErrorCode,
    /// For the caller. Never holds a secret, an internal address or another tenant's data.
    pub message: String,
    pub fields: Vec<FieldError>,
    /// Seconds after which another try makes sense, where that is known.
    pub retry_after_s: Option<u32>,
    /// For the log. Not part of any answer.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fields: Vec::new(), retry_after_s: None, cause: None }
    }

    /// [`ErrorCode::Invalid`] at one field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// [`ErrorCode::Invalid`] at several fields; the first one is also the message.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let message = match fields.first() {
            Some(first) => format!("{}: {}", first.field, first.message),
            None => "the request breaks a rule".to_owned(),
        };
        Self { fields, ..Self::new(ErrorCode::Invalid, message) }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("no such {what}"))
    }

    /// [`ErrorCode::RateLimited`] until then.
    pub fn too_fast(message: impl Into<String>, retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(ErrorCode::RateLimited, message) }
    }

    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..Self::new(ErrorCode::Internal, "internal error") }
    }

    pub fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let message = "the engine cannot store this right now; nothing was accepted, try again";
        Self { cause: Some(cause.into()), ..Self::new(ErrorCode::Unavailable, message) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

/// Collects broken rules so that a caller learns of all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn push(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), message: message.into() });
    }

    /// Keeps a value, or notes its rule's message under `field`.
    pub fn take<T>(&mut self, field: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.push(field, message)).ok()
    }

    pub fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::fields(self.0)) }
    }
}
