//! A database knows which part of an installation it is, and makes nothing that is called as something elsewhere.

use signalpost_core::cell::CellNumber;
use signalpost_core::id_form::Counter;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::{Catalog, Ledger, StoreError};
use signalpost_store_postgres::{OpenError, OpenOptions, PostgresStore};

use crate::support::{Fresh, options, server_url};

fn open(place: &Fresh, number: Option<usize>) -> Result<PostgresStore, OpenError> {
    let cell = number.map(|number| CellNumber::new(number).expect("there are so many"));
    let options = options(&server_url(), &place.schema, &place.threads);
    PostgresStore::open(OpenOptions { cell, ..options })
}

fn refusal(opened: Result<PostgresStore, OpenError>) -> String {
    opened.err().expect("it is refused").to_string()
}

#[test]
fn nothing_in_a_cell_is_called_as_something_in_another() {
    let place = Fresh::new();
    let cell = CellNumber::new(3).expect("there are so many");
    for _ in 0..2 {
        let store = open(&place, Some(3)).expect("it is empty, or it was");
        assert!(cell.node_numbers().contains(&store.ownership().node()));
        let number = block_on(store.next_number(Counter::Webhook)).expect("there are some");
        assert!(cell.public_numbers().contains(&number), "{number}");
        block_on(store.close()).expect("it closes");
    }
    let sentence = "this database is cell 3 of an installation, and was given as ";
    assert_eq!(refusal(open(&place, Some(2))), format!("{sentence}cell 2"));
    assert_eq!(refusal(open(&place, None)), format!("{sentence}the only one"));
}

#[test]
fn an_installation_becomes_its_own_first_cell_and_no_other() {
    let place = Fresh::new();
    let store = open(&place, None).expect("it is new");
    assert_eq!(block_on(store.next_number(Counter::Workspace)).ok(), Some(1));
    block_on(store.close()).expect("it closes");
    assert_eq!(
        refusal(open(&place, Some(1))),
        "this database is given as cell 1, and holds what was made before it was one: only cell 0 may"
    );
    let store = open(&place, Some(0)).expect("it goes on");
    assert_eq!(block_on(store.next_number(Counter::Workspace)).ok(), Some(2));
    let first = CellNumber::new(0).expect("there is one");
    assert!(first.node_numbers().contains(&store.ownership().node()));
}

#[test]
fn the_numbers_of_a_cell_end_where_those_of_the_next_begin() {
    let place = Fresh::new();
    let store = open(&place, Some(1)).expect("it is new");
    let last = CellNumber::new(1).expect("there is one").public_numbers().end - 1;
    crate::support::say(&format!("UPDATE {}.counter SET last = {}", place.schema, last - 1));
    assert_eq!(block_on(store.next_number(Counter::User)).ok(), Some(last));
    let refused = block_on(store.next_number(Counter::User));
    assert!(matches!(refused, Err(StoreError::LimitReached { .. })), "{refused:?}");
}
