//! Several servers on one database: nothing is measured before each has its part of the lane groups.

use std::time::Duration;

use super::client::Connection;
use super::clock::{NS_PER_S, now_ns};
use super::request::Letterhead;
use super::told::lane_groups;
use crate::cmd::Failure;

const LANE_GROUPS: u64 = signalpost_core::limits::LANE_GROUPS as u64;
const WAIT_NS: u64 = 60 * NS_PER_S;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Returns at once where there is one server.
pub(super) async fn wait_for_balance(letterhead: &Letterhead) -> Result<(), Failure> {
    let servers = letterhead.others.len() + 1;
    let end_ns = now_ns() + WAIT_NS;
    while now_ns() < end_ns {
        let (mut least, mut sum) = (u64::MAX, 0);
        for server in 0..servers {
            let mut connection = Connection::new(letterhead.operator_of(server));
            let owned = lane_groups(&connection.metrics(letterhead).await?)?;
            (least, sum) = (least.min(owned), sum + owned);
        }
        if least >= sum / servers as u64 && sum == LANE_GROUPS {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(Failure::new("the servers do not come to share their work evenly"))
}
