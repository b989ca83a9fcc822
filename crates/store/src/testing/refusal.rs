//! What kind of error a verb answered, comparable between stores: sentences for people are left out.

use crate::StoreError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Taken(&'static str),
    CatalogMoved,
    EventIdReused,
    KeyReused,
    LimitReached(&'static str),
    WrongState,
    Missing(&'static str),
    Moving,
    Overloaded,
    Full,
    Unavailable,
    Corrupt,
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken(what) => Self::Taken(what),
            StoreError::CatalogMoved => Self::CatalogMoved,
            StoreError::EventIdReused => Self::EventIdReused,
            StoreError::KeyReused => Self::KeyReused,
            StoreError::LimitReached { what, .. } => Self::LimitReached(what),
            StoreError::WrongState(_) => Self::WrongState,
            StoreError::Missing(what) => Self::Missing(what),
            StoreError::Moving => Self::Moving,
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Full => Self::Full,
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Corrupt { .. } => Self::Corrupt,
        }
    }
}
