//! Workspaces go from one cell to another: all of them arrives, and nothing happens to them meanwhile.

mod arriving;
mod killed;
mod meanwhile;
mod refused;
mod retained;
mod stage;
