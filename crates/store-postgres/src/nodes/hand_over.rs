//! Groups that change hands.

use signalpost_core::lane_group::{GroupEpoch, LaneGroup};
use signalpost_store::row::Fields;

use crate::failure::Failure;
use crate::locks::{self, Locked};
use crate::pool::Pool;
use crate::session::Session;
use crate::write::Write;

/// Of those that are nobody's, or of a node whose row is gone. Behind the locks.
pub(crate) const TAKE: &str = "UPDATE lane_group SET epoch = epoch + 1, owner = $2
    WHERE number = ANY($1::bigint[]) AND NOT EXISTS (SELECT 1 FROM node WHERE token = lane_group.owner)
    RETURNING number, epoch";
pub(crate) const GIVE: &str =
    "UPDATE lane_group SET owner = NULL WHERE number = ANY($1::bigint[]) AND owner = $2";

/// Takes what of these is free, and not what an outcome is being written for: that is left for the next time.
pub(super) async fn take(
    pool: &Pool,
    session: &Session,
    groups: &[LaneGroup],
    token: i64,
) -> Result<Vec<(LaneGroup, GroupEpoch)>, Failure> {
    let write = Write::begin(session, &pool.shared).await?;
    match take_locked(&write, groups, token).await {
        Ok(taken) => {
            write.commit().await?;
            Ok(taken)
        }
        Err(failure) => {
            write.roll_back().await;
            Err(failure)
        }
    }
}

async fn take_locked(
    write: &Write<'_>,
    groups: &[LaneGroup],
    token: i64,
) -> Result<Vec<(LaneGroup, GroupEpoch)>, Failure> {
    let mut free = Vec::new();
    for group in groups {
        if locks::try_take(write, write.shared.schema_key, Locked::LaneGroup(*group)).await? {
            free.push(*group);
        }
    }
    let taken = write
        .all(TAKE, &[&numbers(&free), &token], |row| {
            let mut fields = Fields::new(row, "lane_group", 1);
            let group = LaneGroup::numbered(fields.count("number")?);
            Ok(group.zip(GroupEpoch::numbered(fields.count("epoch")?)))
        })
        .await?;
    Ok(taken.into_iter().flatten().collect())
}

pub(super) async fn give(session: &Session, groups: &[LaneGroup], token: i64) -> Result<(), Failure> {
    if !groups.is_empty() {
        session.execute(GIVE, &[&numbers(groups), &token]).await?;
    }
    Ok(())
}

fn numbers(groups: &[LaneGroup]) -> Vec<i64> {
    groups.iter().map(|group| i64::try_from(group.number()).unwrap_or(i64::MAX)).collect()
}
