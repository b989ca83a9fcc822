//! How pages look: their frame, their style, and how states, moments and numbers are written on them.

pub(crate) mod assets;
pub(crate) mod chart;
pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod house;
pub(crate) mod id;
pub(crate) mod json;
pub(crate) mod numbers;
pub(crate) mod pager;
pub(crate) mod pill;
pub(crate) mod time;
pub(crate) mod timeline;
pub(crate) mod twice;
pub(crate) mod when;
pub(crate) mod words;
