//! The customers' portal: links that let somebody in for a while, and who is there.

pub mod links;
pub mod sessions;
