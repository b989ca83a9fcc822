//! What kinds of values there are, as far as they can be told before an event is there.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Known only when there is an event: whatever comes from its data.
    Any,
    Null,
    Bool,
    Number,
    Text,
    List,
    Map,
    Instant,
    Span,
}

impl Kind {
    /// With its article, in the words of the documents.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Null => "null",
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Instant => "a timestamp",
            Self::Span => "a duration",
        }
    }

    /// Whether a value of this kind can be one of `kinds`.
    pub(crate) fn may_be(self, kinds: &[Self]) -> bool {
        self == Self::Any || kinds.contains(&self)
    }

    /// Whether there is an order among values of this kind.
    pub(crate) fn has_order(self) -> bool {
        self.may_be(&[Self::Bool, Self::Number, Self::Text, Self::Instant, Self::Span])
    }

    /// Of a value that is of one kind or the other.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == other { self } else { Self::Any }
    }
}
