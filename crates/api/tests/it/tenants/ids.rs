//! A caller who names what another tenant has is told what is told of something that does not exist, and changes nothing.

use std::collections::BTreeSet;

use super::calls::{self, Carrier, Operation, Side, Slot, Values};
use super::scene::{Kind, Tenant, nobodys, tenant};
use super::{DIALECTS, are_alike, seen, snapshot};
use crate::app::{Answer, App, Call, OPERATOR_KEY};

/// Where a vendor's contract tells what is somebody else's from what does not exist, and by which error. Ids are numbers from
/// a counter of the installation there, so all that a stranger learns is whether what has a number was deleted.
const TOLD_APART: [(&str, &str, u64); 7] = [
    ("/internal/get-webhook", "id", 68),
    ("/internal/get-webhook-signature", "id", 68),
    ("/internal/delete-webhook-signature", "id", 68),
    ("/internal/alter-webhook", "id", 405),
    ("/internal/delete-webhook", "id", 405),
    ("/internal/add-webhook", "webhook_signature_id", 405),
    ("/internal/alter-webhook", "webhook_signature_id", 405),
];

/// What the installation's own key may name of anybody.
const INSTALLATIONS: [Kind; 4] = [Kind::Workspace, Kind::Delivery, Kind::Key, Kind::User];

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// With the installation's own key.
    Root,
    /// With an operator key that is bound to the workspace.
    Bound,
    Customer,
}

/// What was asked so far.
#[derive(Default)]
struct Tally {
    requests: usize,
    /// Slots that were tried, and were shown to decide.
    slots: BTreeSet<String>,
    told_apart: BTreeSet<(String, String, u64)>,
}

/// One tenant, another of its dialect, and one of another dialect.
struct Scene {
    app: App,
    own: Tenant,
    others: [Tenant; 2],
}

impl Scene {
    fn new((dialect, elsewhere): (&'static str, &'static str)) -> Self {
        let app = App::new();
        let own = tenant(&app, dialect, "tenant-a");
        let others = [tenant(&app, dialect, "tenant-b"), tenant(&app, elsewhere, "tenant-c")];
        Self { app, own, others }
    }

    fn ask(&self, caller: Caller, operation: &Operation, carrier: &Carrier, values: &Values) -> Answer {
        let call = operation.call(&self.app, carrier, values);
        let bearer =
            |call: Call<'_>, key: &str| call.header("authorization", &format!("Bearer {key}")).send();
        let answer = match caller {
            Caller::Root => return bearer(call, OPERATOR_KEY),
            Caller::Bound => bearer(call, &self.own.key),
            Caller::Customer => self.own.customer.as_ref().unwrap().sign(call).send(),
        };
        self.check_silent(operation, &answer);
        answer
    }

    /// Nothing that another tenant wrote, has or calls itself is in the answer.
    fn check_silent(&self, operation: &Operation, answer: &Answer) {
        for other in &self.others {
            let said = format!("{} {:?} {}", answer.status, answer.headers, answer.text());
            assert!(!said.contains(other.tag), "{} tells of {}: {said}", operation.path, other.tag);
        }
    }
}

#[expect(clippy::print_stdout, reason = "docs/proof.md says how to see these figures")]
#[test]
fn what_another_tenant_has_does_not_exist() {
    let operations = calls::all(&App::new());
    let mut tally = Tally::default();
    for dialects in DIALECTS {
        for operation in operations.iter().filter(|operation| !operation.is_open) {
            let callers: &[Caller] = match &operation.side {
                Side::Operator => &[Caller::Root, Caller::Bound],
                Side::Public(dialect) if dialect == dialects.0 => &[Caller::Customer],
                Side::Public(_) => continue,
            };
            let scene = Scene::new(dialects);
            for caller in callers {
                try_operation(&scene, *caller, operation, &mut tally);
            }
        }
    }
    for operation in operations.iter().filter(|operation| !operation.is_open) {
        for slot in operation.carriers().iter().flat_map(|carrier| operation.slots_of(carrier)) {
            assert!(
                tally.slots.contains(&named(operation, slot)),
                "{} never decided anything",
                named(operation, slot)
            );
        }
    }
    let expected: BTreeSet<_> =
        TOLD_APART.iter().map(|(path, name, code)| ((*path).to_owned(), (*name).to_owned(), *code)).collect();
    assert_eq!(tally.told_apart, expected);
    assert!(tally.slots.len() > 40 && tally.requests > 500, "{} {}", tally.slots.len(), tally.requests);
    println!("{} calls, {} places for ids, {} requests", operations.len(), tally.slots.len(), tally.requests);
}

fn named(operation: &Operation, slot: &Slot) -> String {
    format!("{} {} {:?} {}", operation.method, operation.path, slot.place, slot.name)
}

fn try_operation(scene: &Scene, caller: Caller, operation: &Operation, tally: &mut Tally) {
    for carrier in operation.carriers() {
        let slots = operation.slots_of(&carrier);
        let own = scene.own.values(operation.needed(&carrier));
        // What this dialect does not have is tried with another.
        let Some(own) = own else { continue };
        for slot in &slots {
            if caller == Caller::Root && INSTALLATIONS.contains(&slot.kind) {
                continue;
            }
            let trial = Trial { scene, caller, operation, carrier: &carrier, own: &own };
            scene.others.iter().for_each(|other| trial.try_slot(slot, other, tally));
            trial.control(slot, tally);
        }
        if caller != Caller::Root && !own.is_empty() {
            let trial = Trial { scene, caller, operation, carrier: &carrier, own: &own };
            scene.others.iter().for_each(|other| trial.try_all(&slots, other, tally));
        }
    }
}

/// A call of one caller, with what the caller's own tenant has.
struct Trial<'a> {
    scene: &'a Scene,
    caller: Caller,
    operation: &'a Operation,
    carrier: &'a Carrier,
    own: &'a Values,
}

impl Trial<'_> {
    fn with(&self, scene: &Scene, changes: impl IntoIterator<Item = (String, String)>) -> Answer {
        let mut values = self.own.clone();
        values.extend(changes);
        scene.ask(self.caller, self.operation, self.carrier, &values)
    }

    /// One id is another tenant's.
    fn try_slot(&self, slot: &Slot, other: &Tenant, tally: &mut Tally) {
        let Some(theirs) = other.ids.get(&slot.kind) else { return };
        let nobodys = nobodys(theirs);
        let before = snapshot(&self.scene.app);
        let foreign = self.with(self.scene, [(slot.name.clone(), theirs.clone())]);
        let missing = self.with(self.scene, [(slot.name.clone(), nobodys.clone())]);
        let changed = before.difference(&snapshot(&self.scene.app));
        assert_eq!(changed, None, "{} of {}", named(self.operation, slot), other.tag);
        tally.requests += 2;
        let path = self.operation.path.as_str();
        let expected = TOLD_APART.iter().find(|(call, name, _)| *call == path && *name == slot.name);
        match expected.filter(|_| other.dialect == self.scene.own.dialect) {
            Some((_, name, code)) => {
                assert_eq!(foreign.json()["error"]["code"], *code, "{}", foreign.text());
                tally.told_apart.insert((path.to_owned(), (*name).to_owned(), *code));
            }
            None => assert!(
                are_alike((&foreign, std::slice::from_ref(theirs)), (&missing, &[nobodys])),
                "{} as {:?}, of {}\n{}\n\nand nobody's\n{}",
                named(self.operation, slot),
                self.caller,
                other.tag,
                seen(&foreign, &[]),
                seen(&missing, &[]),
            ),
        }
    }

    /// All ids are another tenant's.
    fn try_all(&self, slots: &[&Slot], other: &Tenant, tally: &mut Tally) {
        let Some(theirs) = other.values(self.operation.needed(self.carrier)) else { return };
        let nobodys: Values = theirs.iter().map(|(name, id)| (name.clone(), nobodys(id))).collect();
        let before = snapshot(&self.scene.app);
        let foreign = self.with(self.scene, theirs.clone());
        let missing = self.with(self.scene, nobodys.clone());
        assert_eq!(before.difference(&snapshot(&self.scene.app)), None, "{}", self.operation.path);
        tally.requests += 2;
        let path = self.operation.path.as_str();
        let told_apart = TOLD_APART
            .iter()
            .any(|(call, name, _)| *call == path && slots.len() == 1 && slots[0].name == *name);
        if told_apart && other.dialect == self.scene.own.dialect {
            return;
        }
        let ids = |values: &Values| values.values().cloned().collect::<Vec<String>>();
        let (theirs, nobodys) = (ids(&theirs), ids(&nobodys));
        assert!(
            are_alike((&foreign, &theirs), (&missing, &nobodys)),
            "{} {} of {}\n{}\n\nand nobody's\n{}",
            self.operation.method,
            path,
            other.tag,
            seen(&foreign, &[]),
            seen(&missing, &[]),
        );
    }

    /// Whether the same call with what the caller has is told something else: then it was this id that decided.
    fn control(&self, slot: &Slot, tally: &mut Tally) {
        let Some(own) = self.scene.own.ids.get(&slot.kind) else { return };
        if self.caller == Caller::Root || tally.slots.contains(&named(self.operation, slot)) {
            return;
        }
        let nobodys = nobodys(own);
        let missing = self.with(self.scene, [(slot.name.clone(), nobodys.clone())]);
        // A call that changes something would spoil the scene for the next.
        let [of_own, of_other] = [&self.scene.own, &self.scene.others[1]].map(|tenant| tenant.dialect);
        let fresh = self.operation.changes().then(|| Scene::new((of_own, of_other)));
        let found = self.with(fresh.as_ref().unwrap_or(self.scene), [(slot.name.clone(), own.clone())]);
        tally.requests += 2;
        // In a dialect whose webhooks the operator does not manage another answer comes first: there is one in which it does.
        if !are_alike((&found, std::slice::from_ref(own)), (&missing, &[nobodys])) {
            tally.slots.insert(named(self.operation, slot));
        }
    }
}
