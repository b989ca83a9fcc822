//! Two stores side by side, the model and the subject, and how they are compared.

use std::fmt::Debug;
use std::sync::Arc;

use signalpost_core::id::WorkspaceId;

use super::operation::Goodbye;
use super::world::World;
use crate::testing::conformance::Harness;
use crate::testing::notes::Notes;
use crate::testing::refusal::Refusal;
use crate::testing::snapshot::Snapshot;
use crate::{Answer, Store, StoreError};

pub(super) struct Pair<'a> {
    harnesses: [&'a dyn Harness; 2],
    /// `None` only while they are opened again.
    open: Option<[Opened; 2]>,
    /// Versions of all workspaces as they were at the last comparison.
    versions: Vec<[Option<u64>; 2]>,
}

struct Opened {
    store: Arc<dyn Store>,
    notes: Arc<Notes>,
}

impl Opened {
    fn from(harness: &dyn Harness) -> Self {
        let store = harness.open();
        let notes = Notes::on(&*store);
        Self { store, notes }
    }
}

impl<'a> Pair<'a> {
    pub(super) fn open(model: &'a dyn Harness, subject: &'a dyn Harness) -> Self {
        let harnesses = [model, subject];
        Self { harnesses, open: Some(harnesses.map(Opened::from)), versions: Vec::new() }
    }

    /// The model first.
    pub(super) fn stores(&self) -> [&dyn Store; 2] {
        self.opened().each_ref().map(|opened| &*opened.store)
    }

    fn opened(&self) -> &[Opened; 2] {
        self.open.as_ref().expect("open between two operations")
    }

    /// Calls the same on both stores, which must answer alike; gives the answer.
    pub(super) async fn both<T: Debug + PartialEq>(
        &self,
        call: impl Fn(&dyn Store) -> Answer<T>,
    ) -> Result<Result<T, Refusal>, String> {
        self.each([&call, &call]).await
    }

    /// As [`Self::both`] with what each store needs of its own.
    pub(super) async fn each<T: Debug + PartialEq, C: Fn(&dyn Store) -> Answer<T>>(
        &self,
        calls: [C; 2],
    ) -> Result<Result<T, Refusal>, String> {
        let [model, subject] = self.stores();
        let [on_model, on_subject] = calls;
        alike(on_model(model).await, on_subject(subject).await)
    }

    pub(super) async fn reopen(&mut self, goodbye: Goodbye) -> Result<(), String> {
        if let Goodbye::Close = goodbye {
            self.both(|store| store.close()).await?.map_err(|refusal| format!("close: {refusal:?}"))?;
        }
        self.open = None;
        self.open = Some(self.harnesses.map(Opened::from));
        Ok(())
    }

    /// Compares what both stores show and what they have told since the last time.
    pub(super) async fn compare(&mut self, world: &World) -> Result<(), String> {
        let [expected, actual] = self.opened().each_ref().map(|opened| opened.notes.take());
        if expected != actual {
            return Err(format!("the model tells\n  {expected:?}\nthe store tells\n  {actual:?}"));
        }
        self.compare_versions(&world.workspaces).await?;
        let [model, subject] = self.stores();
        let expected = Snapshot::of(model).await.map_err(|error| format!("the model: {error}"))?;
        let actual = Snapshot::of(subject).await.map_err(|error| format!("the store: {error}"))?;
        expected.difference(&actual).map_or(Ok(()), Err)
    }

    /// Versions are a store's own numbers: they must grow at the same steps.
    async fn compare_versions(&mut self, workspaces: &[WorkspaceId]) -> Result<(), String> {
        let mut current = Vec::new();
        for workspace in workspaces {
            current.push(self.versions_of(*workspace).await?);
        }
        let steps = self.versions.iter().zip(&current).zip(workspaces);
        for ((before, now), workspace) in steps {
            let [model, subject] = [0, 1].map(|side| before[side].cmp(&now[side]));
            if model != subject {
                return Err(format!("the version of {workspace:?} went {before:?} to {now:?}"));
            }
        }
        self.versions = current;
        Ok(())
    }

    /// The version of a workspace in each store.
    pub(super) async fn versions_of(&self, workspace: WorkspaceId) -> Result<[Option<u64>; 2], String> {
        let mut versions = [None; 2];
        for (version, store) in versions.iter_mut().zip(self.stores()) {
            let fan_out = store.fan_out(workspace).await.map_err(|error| format!("fan-out: {error}"))?;
            *version = fan_out.map(|fan_out| fan_out.version);
        }
        Ok(versions)
    }
}

/// The one answer of both stores.
pub(super) fn alike<T: Debug + PartialEq>(
    model: Result<T, StoreError>,
    subject: Result<T, StoreError>,
) -> Result<Result<T, Refusal>, String> {
    let [expected, actual] = [model, subject].map(|answer| answer.map_err(Refusal::from));
    if expected == actual {
        return Ok(expected);
    }
    Err(format!("the model answers\n  {expected:?}\nthe store answers\n  {actual:?}"))
}
