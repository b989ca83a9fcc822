//! Accounts of those who operate, and the sessions that they open.

use signalpost_core::credential::CredentialHash;
use signalpost_core::id::OperatorAccountId;
use signalpost_core::limits::OPERATOR_ACCOUNTS_MAX;
use signalpost_core::operator_account::OperatorAccount;
use signalpost_core::operator_session::{Opener, OperatorSession};
use signalpost_core::password::PasswordHash;
use signalpost_core::role::Role;

use super::Harness;
use super::kit::{Kit, refusal};
use crate::desk::{ListOperatorAccounts, OpenOperatorSession, OperatorLogin, UpdateOperatorAccount};
use crate::testing::refusal::Refusal;
use crate::testing::sample;

const MISSING: Refusal = Refusal::Missing("operator account");

fn hash(n: i64) -> CredentialHash {
    CredentialHash::of(&n.to_be_bytes())
}

fn password(text: &str) -> PasswordHash {
    PasswordHash::from_phc(text.to_owned())
}

async fn add(kit: &Kit, n: i64) -> OperatorAccount {
    let account = sample::operator_account(n);
    kit.create_operator_account(account.clone(), password("first")).await.expect("a new account");
    account
}

async fn login(kit: &Kit, username: &str) -> Option<OperatorLogin> {
    kit.operator_account(username.to_owned()).await.expect("it reads")
}

async fn open(
    kit: &Kit,
    account: &OperatorAccount,
    n: i64,
    verified: &str,
) -> Result<OperatorSession, Refusal> {
    let session = sample::operator_session(Opener::Account(account.id), n);
    let opened = kit.open_operator_session(session, hash(n), Some(password(verified))).await;
    opened.map(|()| session).map_err(Refusal::from)
}

async fn found(kit: &Kit, n: i64) -> Option<OpenOperatorSession> {
    kit.operator_session_by_hash(hash(n)).await.expect("it reads")
}

pub async fn an_account_is_kept_as_given_under_a_name_of_its_own(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (second, first) = (add(&kit, 32).await, add(&kit, 31).await);
    let third = OperatorAccount { role: Role::Admin, ..sample::operator_account(33) };
    kit.create_operator_account(third.clone(), password("other")).await.expect("a new account");
    let again = OperatorAccount { username: "ann32".to_owned(), ..sample::operator_account(34) };
    let again = kit.create_operator_account(again, password("first")).await;
    assert_eq!(refusal(again), Refusal::Taken("username"));
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 33);
    let other = OperatorLogin { account: third.clone(), password: password("other") };
    assert_eq!(login(&kit, "ann33").await, Some(other));
    assert_eq!(login(&kit, "Ann33").await, None, "names are compared byte by byte");
    let page = async |after: Option<i64>, limit| {
        let after = after.map(OperatorAccountId::from_raw);
        kit.list_operator_accounts(ListOperatorAccounts { after, limit }).await.expect("it reads")
    };
    assert_eq!(page(None, 9).await, [first, second.clone(), third]);
    assert_eq!(page(Some(31), 1).await, [second]);
}

pub async fn a_session_is_opened_by_the_password_that_the_account_has(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let account = add(&kit, 31).await;
    let session = open(&kit, &account, 41, "first").await.expect("it is the password");
    let expected = OpenOperatorSession { session, opener_name: Some("ann31".to_owned()) };
    assert_eq!(found(&kit, 41).await, Some(expected));
    assert_eq!(open(&kit, &account, 42, "former").await, Err(MISSING));
    let bare =
        kit.open_operator_session(sample::operator_session(Opener::Account(account.id), 43), hash(43), None);
    assert_eq!(refusal(bare.await), MISSING);
    assert_eq!(open(&kit, &sample::operator_account(9), 44, "first").await, Err(MISSING));
    assert_eq!((found(&kit, 42).await, found(&kit, 43).await, kit.highest_id()), (None, None, 41));
}

pub async fn an_account_that_changes_or_goes_takes_its_sessions_along(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let (account, other) = (add(&kit, 31).await, add(&kit, 32).await);
    open(&kit, &other, 41, "first").await.expect("it is the password");
    open(&kit, &account, 42, "first").await.expect("it is the password");
    let nothing =
        UpdateOperatorAccount { account: account.id, role: None, password: None, at: sample::at(90) };
    let promotion = UpdateOperatorAccount { role: Some(Role::Admin), ..nothing.clone() };
    let promoted = OperatorAccount { role: Role::Admin, updated_at: sample::at(90), ..account.clone() };
    let changed = kit.update_operator_account(promotion).await;
    assert_eq!(changed.expect("it is there"), promoted);
    assert_eq!(found(&kit, 42).await, None);
    open(&kit, &account, 43, "first").await.expect("it has the same password");
    assert_eq!(found(&kit, 43).await.map(|open| open.session.role), Some(Role::Admin));
    let replacement = UpdateOperatorAccount { password: Some(password("second")), ..nothing.clone() };
    kit.update_operator_account(replacement).await.expect("it is there");
    assert_eq!(
        login(&kit, "ann31").await,
        Some(OperatorLogin { account: promoted, password: password("second") })
    );
    assert_eq!((found(&kit, 43).await, open(&kit, &account, 44, "first").await), (None, Err(MISSING)));
    open(&kit, &account, 45, "second").await.expect("it is the new password");
    kit.delete_operator_account(account.id).await.expect("it is there");
    assert_eq!((found(&kit, 45).await, login(&kit, "ann31").await), (None, None));
    assert_eq!(refusal(kit.delete_operator_account(account.id).await), MISSING, "for the second time");
    assert_eq!(refusal(kit.update_operator_account(nothing).await), MISSING);
    assert!(found(&kit, 41).await.is_some(), "others are not concerned");
    let last = add(&kit, 50).await;
    kit.delete_operator_account(last.id).await.expect("it is there");
    let kit = kit.reopen(harness).await;
    assert_eq!(kit.highest_id(), 50, "an id is never given out again");
}

pub async fn operator_accounts_have_a_bound(harness: &dyn Harness) {
    let kit = Kit::open(harness);
    let count = i64::try_from(OPERATOR_ACCOUNTS_MAX).expect("small");
    // All are called before the first is waited for, so that a store may put them into one commit.
    let calls: Vec<_> = (100..100 + count)
        .map(|n| kit.create_operator_account(sample::operator_account(n), password("first")))
        .collect();
    for call in calls {
        call.await.expect("within the bound");
    }
    let one_more = kit.create_operator_account(sample::operator_account(50), password("first")).await;
    assert_eq!(refusal(one_more), Refusal::LimitReached("operator accounts"));
    kit.delete_operator_account(OperatorAccountId::from_raw(100)).await.expect("it is there");
    add(&kit, 50).await;
}
