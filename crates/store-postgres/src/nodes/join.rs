//! Becoming a node: a number that nobody had for long, and a token that nobody ever had.

use signalpost_core::cell::CellNumber;
use signalpost_core::lane_share::NodeNumber;
use signalpost_core::limits::NODES_MAX;
use signalpost_store::row::Fields;

use super::{Duty, Node, OnServerTime};
use crate::failure::Failure;
use crate::locks::Locked;
use crate::mark::Mark;
use crate::open::OpenError;
use crate::pool::Pool;
use crate::write::Write;

pub(crate) const SELECT_NUMBERS: &str = "SELECT number FROM node ORDER BY number LIMIT $1";
pub(crate) const SELECT_LAST: &str = "SELECT number FROM last_node";
pub(crate) const UPDATE_LAST: &str = "UPDATE last_node SET number = $1";
pub(crate) const INSERT: &str = "INSERT INTO node (number, token, process, delivers, seen, renewed_at)
    VALUES ($1, (random() * 9e18)::bigint, $2, $3, $4, clock_timestamp()) RETURNING token";

/// `Crowded` when every number is taken.
pub(crate) async fn join(pool: &Pool, on_server_time: OnServerTime) -> Result<Node, OpenError> {
    let session = pool.take().await?;
    let mut write = Write::begin_locked(&session, &pool.shared, &[Locked::Nodes]).await?;
    match number_and_token(&mut write).await {
        Ok(Some((number, token))) => {
            let node = Node::new(number, token, on_server_time);
            write.commit().await?;
            pool.shared.board.ownership.be_node(node.number);
            pool.shared.token.set(node.token);
            Ok(node)
        }
        Ok(None) => {
            write.roll_back().await;
            Err(OpenError::Crowded)
        }
        Err(failure) => {
            write.roll_back().await;
            Err(failure.into())
        }
    }
}

/// Numbers go round: who is thought to be gone and is not yet may make ids with its old one for a while.
async fn number_and_token(write: &mut Write<'_>) -> Result<Option<(NodeNumber, i64)>, Failure> {
    let number = |row: &signalpost_store::row::Row<'_>| Fields::new(row, "node", 1).integer("number");
    let taken = write.all(SELECT_NUMBERS, &[&i64::from(NODES_MAX)], number).await?;
    let last = write.number(SELECT_LAST, &[]).await?;
    let range = write.shared.cell.map_or(0..NODES_MAX, CellNumber::node_numbers);
    let (first, count) = (i64::from(range.start), i64::try_from(range.len()).expect("they are few"));
    let after_last = (1..=count).map(|step| first + (last - first + step).rem_euclid(count));
    let Some(free) = after_last.into_iter().find(|number| !taken.contains(number)) else { return Ok(None) };
    write.execute(UPDATE_LAST, &[&free]).await?;
    let delivers = write.shared.duty == Duty::Delivers;
    let process = Mark::of(write.shared.origin).before(&write.shared.process.name);
    let seen = write.shared.seen.get();
    let token = write.number(INSERT, &[&free, &process, &delivers, &seen]).await?;
    let number = NodeNumber::try_from(free).expect("below the number of nodes");
    Ok(Some((number, token)))
}
