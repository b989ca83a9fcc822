//! Figures: added up row by row, listed by time, gone with their workspace or when they are old.

use std::collections::BTreeMap;
use std::sync::Arc;

use signalpost_core::figures::{Figures, FiguresKey, FiguresOf, HOUR_MS};
use signalpost_core::id::{WebhookId, WorkspaceId};
use signalpost_core::limits::{FAILING_LOOKED_AT_MAX, FIGURES_PAGE_MAX};
use signalpost_core::retention::RetentionRules;
use signalpost_core::time::Timestamp;

use super::Harness;
use super::kit::Kit;
use crate::catalog::EraseWorkspace;
use crate::rollups::{FailingWebhook, FiguresBatch, FiguresPage, ListFigures, TopFailing};
use crate::testing::sample;

/// The beginning of hour `n`.
fn hour(n: i64) -> Timestamp {
    let first = FiguresOf::Workspace(WorkspaceId::from_raw(1)).at(sample::at(0)).at;
    first.plus_ms(n * HOUR_MS)
}

fn batch<const N: usize>(rows: [(FiguresOf, Timestamp, Figures); N]) -> FiguresBatch {
    let rows = rows.map(|(of, at, figures)| (FiguresKey { of, at }, figures));
    Arc::new(rows.into_iter().collect::<BTreeMap<_, _>>())
}

async fn add<const N: usize>(kit: &Kit, rows: [(FiguresOf, Timestamp, Figures); N]) {
    kit.add_figures(batch(rows)).await.expect("they are added");
}

async fn read(kit: &Kit, of: FiguresOf) -> FiguresPage {
    let params = ListFigures { of, from: hour(-10_000), until: hour(10_000), limit: FIGURES_PAGE_MAX };
    kit.figures(params).await.expect("it reads")
}

/// Each number with a value of its own.
fn figures(n: u64) -> Figures {
    let mut numbers = Figures::default().numbers();
    numbers.iter_mut().zip(1..).for_each(|(number, place)| *number = n * place);
    Figures::from_numbers(&numbers)
}

fn failed(failed: u64) -> Figures {
    Figures { attempts_succeeded: 1, attempts_failed: failed, ..Figures::default() }
}

pub async fn figures_add_up_row_by_row(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let webhook = FiguresOf::Webhook(workspace, webhook);
    let (all, workspace) = (FiguresOf::Installation, FiguresOf::Workspace(workspace));
    add(&kit, [(all, hour(0), figures(1)), (workspace, hour(0), figures(2)), (webhook, hour(0), figures(3))])
        .await;
    add(&kit, [(all, hour(0), figures(10)), (all, hour(1), figures(7)), (workspace, hour(0), figures(1))])
        .await;
    let kit = kit.reopen(harness).await;
    let mut sum = figures(11);
    sum.oldest_due_ms = figures(10).oldest_due_ms;
    assert_eq!(read(&kit, all).await, [(hour(0), sum), (hour(1), figures(7))]);
    let mut sum = figures(3);
    sum.oldest_due_ms = figures(2).oldest_due_ms;
    assert_eq!(read(&kit, workspace).await, [(hour(0), sum)]);
    assert_eq!(read(&kit, webhook).await, [(hour(0), figures(3))]);
    let FiguresOf::Webhook(owner, _) = webhook else { unreachable!("it is a webhook's") };
    assert_eq!(read(&kit, FiguresOf::Webhook(owner, other)).await, []);
    kit.add_figures(batch([])).await.expect("nothing is added");
}

pub async fn figures_are_listed_oldest_first_within_bounds(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook, other]) = kit.tenant().await;
    let [webhook, other] = [webhook, other].map(|id| FiguresOf::Webhook(workspace, id));
    for of in [FiguresOf::Installation, FiguresOf::Workspace(workspace), webhook] {
        let at = |n| hour(0).plus_ms(n * of.step_ms());
        for n in [2, 0, 3, 1] {
            add(&kit, [(of, at(n), failed(1))]).await;
        }
        let listed = async |from, until, limit| {
            let params = ListFigures { of, from: at(from), until: at(until), limit };
            let rows = kit.figures(params).await.expect("it reads");
            rows.iter().map(|(found, _)| found.ms_since(hour(0)) / of.step_ms()).collect::<Vec<_>>()
        };
        // In an hour of theirs, and in one that only this one has.
        add(&kit, [(other, hour(2), failed(1)), (other, hour(5), failed(1))]).await;
        assert_eq!(listed(0, 9, 9).await, [0, 1, 2, 3], "{of:?}");
        assert_eq!(listed(1, 3, 9).await, [1, 2], "the end is exclusive: {of:?}");
        assert_eq!(listed(0, 9, 3).await, [0, 1, 2], "{of:?}");
        assert_eq!(listed(4, 9, 9).await, [0_i64; 0], "{of:?}");
    }
}

/// Those that its rest leaves are found by nobody, and it takes no more.
pub async fn figures_go_with_their_workspace(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (gone, [webhook]) = kit.tenant().await;
    let stays = kit.workspace(2).await;
    let of = [FiguresOf::Webhook(gone, webhook), FiguresOf::Workspace(gone)];
    let others = [FiguresOf::Installation, FiguresOf::Workspace(stays)];
    let nobodys = [FiguresOf::Workspace(WorkspaceId::from_raw(99))];
    let everybody = of.into_iter().chain(others).chain(nobodys);
    let rows: BTreeMap<_, _> =
        everybody.clone().map(|of| (FiguresKey { of, at: hour(0) }, failed(3))).collect();
    let rows = Arc::new(rows);
    kit.add_figures(Arc::clone(&rows)).await.expect("they are added");
    assert_eq!(read(&kit, nobodys[0]).await, [], "nobody has that id");
    kit.erase_workspace(EraseWorkspace { workspace: gone, at: sample::at(50) }).await.expect("it exists");
    for of in of {
        assert_eq!(read(&kit, of).await, []);
    }
    kit.add_figures(rows).await.expect("the rest is added");
    kit.retain_all(60, &RetentionRules::default()).await;
    for of in of {
        assert_eq!(read(&kit, of).await, []);
    }
    for of in others {
        assert_eq!(read(&kit, of).await.iter().map(|(_, row)| row.attempts_failed).collect::<Vec<_>>(), [6]);
    }
}

pub async fn upkeep_removes_figures_by_their_age(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (workspace, [webhook]) = kit.tenant().await;
    let of =
        [FiguresOf::Installation, FiguresOf::Workspace(workspace), FiguresOf::Webhook(workspace, webhook)];
    for of in of {
        add(&kit, [(of, hour(0), failed(1)), (of, hour(1), failed(2))]).await;
    }
    let mut by_age = of;
    by_age.sort_by_key(|of| of.age_ms());
    for of in by_age {
        let end_ms = hour(0).ms_since(sample::at(-HOUR_MS)) - HOUR_MS + of.age_ms();
        kit.tidy_up(end_ms - 1).await;
        assert_eq!(read(&kit, of).await.len(), 2, "not before their time: {of:?}");
        kit.tidy_up(end_ms).await;
        assert_eq!(read(&kit, of).await, [(hour(1), failed(2))], "{of:?}");
    }
}

pub async fn upkeep_removes_many_figures_in_steps(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let of = |n| FiguresOf::Webhook(workspace, WebhookId::from_raw(n));
    let rows: BTreeMap<_, _> =
        (1..2_500).map(|n| (FiguresKey { of: of(n), at: hour(0) }, failed(1))).collect();
    kit.add_figures(Arc::new(rows)).await.expect("they are added");
    kit.tidy_up(10 * HOUR_MS + of(1).age_ms()).await;
    for n in [1, 1_001, 2_499] {
        assert_eq!(read(&kit, of(n)).await, []);
    }
}

pub async fn webhooks_that_failed_most_come_first(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (one, [first, second, deleted]) = kit.tenant().await;
    let two = kit.workspace(2).await;
    let third = kit.subscribe(two, 21).await;
    let [a, b, c, d] = [(one, first), (one, second), (two, third), (one, deleted)]
        .map(|(workspace, webhook)| FiguresOf::Webhook(workspace, webhook));
    add(&kit, [(a, hour(0), failed(5)), (b, hour(0), failed(4)), (d, hour(0), failed(90))]).await;
    add(&kit, [(a, hour(1), failed(5)), (b, hour(1), failed(6)), (c, hour(1), failed(10))]).await;
    // Nothing failed, and what is no webhook's.
    add(&kit, [(c, hour(2), failed(0)), (FiguresOf::Workspace(one), hour(1), failed(70))]).await;
    kit.delete(one, deleted, 60).await;
    let top = async |workspace, since: i64, until: i64, limit| {
        let (since, until) = (hour(since), hour(until).plus_ms(HOUR_MS - 1));
        let params = TopFailing { workspace, since, until, limit };
        let rows: Vec<FailingWebhook> = kit.top_failing(params).await.expect("it reads");
        rows.iter().map(|row| (row.webhook.clone(), row.attempts_failed, row.attempts_succeeded)).collect()
    };
    let row = |n: i64, failed: u64, succeeded: u64| (format!("wh-{n}"), failed, succeeded);
    let [x, y, z] = [row(first.raw(), 10, 2), row(second.raw(), 10, 2), row(third.raw(), 10, 1)];
    let all: Vec<_> = top(None, 0, 2, 9).await;
    assert_eq!(all, [x.clone(), y.clone(), z.clone()], "of as many by their ids");
    let few: Vec<_> = top(None, 0, 2, 2).await;
    assert_eq!(few, [x.clone(), y.clone()]);
    let bound: Vec<_> = top(Some(two), 0, 2, 9).await;
    assert_eq!(bound, std::slice::from_ref(&z));
    let early: Vec<_> = top(None, 0, 0, 9).await;
    assert_eq!(early, [row(first.raw(), 5, 1), row(second.raw(), 4, 1)]);
    let late: Vec<_> = top(None, 1, 2, 9).await;
    assert_eq!(late, [z, row(second.raw(), 6, 1), row(first.raw(), 5, 1)]);
    let params = TopFailing { workspace: Some(one), since: hour(0), until: hour(0), limit: 1 };
    let [worst] = &kit.top_failing(params).await.expect("it reads")[..] else { panic!("one of them") };
    assert_eq!(
        (worst.workspace.as_str(), worst.url.as_str()),
        ("ws-1", sample::webhook(one, first.raw()).url.as_str())
    );
}

/// However many there are, it looks at so many of each hour.
pub async fn of_each_hour_those_that_failed_most_are_looked_at(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let workspace = kit.workspace(1).await;
    let count = i64::try_from(FAILING_LOOKED_AT_MAX).expect("small") + 1;
    let mut rows = BTreeMap::new();
    for n in 0..count {
        let of = FiguresOf::Webhook(workspace, kit.subscribe(workspace, 100 + n).await);
        // The last one fails least of all in the first hour, and most in the second.
        let failures = u64::try_from(10_000 - n).expect("positive");
        rows.insert(FiguresKey { of, at: hour(0) }, failed(failures));
        if n == count - 1 {
            rows.insert(FiguresKey { of, at: hour(1) }, failed(20_000));
        }
    }
    kit.add_figures(Arc::new(rows)).await.expect("they are added");
    let params = TopFailing { workspace: None, since: hour(0), until: hour(1), limit: 2 };
    let rows = kit.top_failing(params).await.expect("it reads");
    let failures: Vec<_> = rows.iter().map(|row| row.attempts_failed).collect();
    assert_eq!(failures, [20_000, 10_000], "the first hour of the first one is beyond the bound");
}
