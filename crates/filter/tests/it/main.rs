//! Filters from outside: what they mean, what they cost, and that nothing gets past their bounds.

mod bounds;
mod like_cel;
mod meaning;
mod memory;
mod subject;
