//! The customers' portal: what opens it, how far a session goes, and everything that ends it, here and on other nodes.

use signalpost_core::act::Actor;
use signalpost_core::error::{Error, ErrorCode};
use signalpost_core::limits::{PORTAL_LINK_MS_DEFAULT, PORTAL_LINK_MS_MAX, PORTAL_SESSION_MS_MAX};
use signalpost_core::portal_rights::PortalRights;
use signalpost_core::ports::Clock;
use signalpost_core::secret::Secret;
use signalpost_core::workspace::Workspace;
use signalpost_engine::portal::links::NewPortalLink;
use signalpost_engine::portal::sessions::{OpenedPortalSession, PortalVisitor};
use signalpost_store::catalog::EraseWorkspace;
use signalpost_store::testing::block_on::block_on;
use signalpost_store::testing::faulty::{Fault, Lasting, fail_nth_of};
use signalpost_store::{Catalog, Change, Ledger, Portal as _};

use crate::rig::desk::{Desk, ROOT, code};

/// Somebody's portal, on the engine of the operators' desk.
struct Portal {
    desk: Desk,
    workspace: Workspace,
}

fn new() -> NewPortalLink {
    NewPortalLink { rights: PortalRights::Manages, name: None, lasts_ms: None, session_ms: None }
}

impl Portal {
    fn new() -> Self {
        Self::at(Desk::new())
    }

    fn at(desk: Desk) -> Self {
        let workspace = desk.workspace();
        Self { desk, workspace }
    }

    fn link(&self, new: NewPortalLink) -> Result<Secret, Error> {
        let view = block_on(self.desk.engine.workspace(&self.workspace.public_id))?;
        self.desk.engine.create_portal_link(&view, new).map(|issued| issued.token)
    }

    fn follow(&self, link: &Secret) -> Result<OpenedPortalSession, Error> {
        block_on(self.desk.engine.open_portal(link.expose()))
    }

    fn open(&self) -> OpenedPortalSession {
        self.follow(&self.link(new()).expect("a link")).expect("it opens the portal")
    }

    fn visit(&self, token: &Secret) -> Result<PortalVisitor, Error> {
        block_on(self.desk.engine.portal_visitor(token.expose()))
    }

    fn is_open(&self, opened: &OpenedPortalSession) -> bool {
        let visit = self.visit(&opened.token);
        assert!(visit.is_ok() || code(&visit) == Some(ErrorCode::Unauthenticated), "{visit:?}");
        visit.is_ok()
    }

    fn may_go_on(&self, visitor: &PortalVisitor) -> bool {
        block_on(self.desk.engine.confirm(&visitor.pass())).is_ok()
    }

    fn erase(&self) {
        let erase = EraseWorkspace { workspace: self.workspace.id, at: self.desk.now() };
        block_on(self.desk.store.erase_workspace(erase)).expect("it is there");
    }
}

#[test]
fn a_session_is_of_one_workspace_and_goes_as_far_as_its_link() {
    let portal = Portal::new();
    let other = Portal { workspace: portal.desk.workspace(), ..Portal::new() }.workspace;
    assert_ne!(other.id, portal.workspace.id);
    for (rights, name) in [(PortalRights::Manages, Some("ann@example.com")), (PortalRights::Reads, None)] {
        let name = name.map(str::to_owned);
        let link = portal.link(NewPortalLink { rights, name: name.clone(), ..new() }).expect("a link");
        let opened = portal.follow(&link).expect("it opens the portal");
        let visitor = portal.visit(&opened.token).expect("the session is good");
        assert_eq!(*visitor.session, opened.session, "it is as it was said to be");
        assert_eq!((visitor.rights(), visitor.view.workspace.id), (rights, portal.workspace.id));
        assert_eq!(visitor.name(), name.as_deref().unwrap_or("customer"));
        assert_eq!(visitor.actor(), Actor::Customer { session: opened.session.id, name });
        assert!(visitor.principal().to_text().starts_with("user pss_"));
        assert!(portal.may_go_on(&visitor));
        assert!(portal.desk.engine.knows_portal_session(opened.token.expose()));
    }
}

/// A mail filter has followed it first, and the page is loaded again.
#[test]
fn a_link_opens_the_portal_until_its_end_however_often_it_is_followed() {
    let portal = Portal::new();
    let link = portal.link(new()).expect("a link");
    let sessions = [(); 3].map(|()| portal.follow(&link).expect("it opens the portal"));
    assert!(sessions.iter().all(|opened| portal.is_open(opened)));
    portal.desk.clock.advance_ms(PORTAL_LINK_MS_DEFAULT - 1);
    portal.follow(&link).expect("until its end");
    portal.desk.clock.advance_ms(1);
    let late = portal.follow(&link).expect_err("it has expired");
    assert_eq!((late.code, late.message.contains("expired")), (ErrorCode::Unauthenticated, true));
    assert!(portal.is_open(&sessions[0]), "whoever is there stays");
}

#[test]
fn who_has_no_link_of_ours_is_told_nothing() {
    let portal = Portal::new();
    let good = portal.link(new()).expect("a link").expose_text().to_owned();
    let middle = good.len() / 2;
    let changed = format!("{}{}", &good[..middle], good[middle..].chars().rev().collect::<String>());
    portal.desk.clock.advance_ms(PORTAL_LINK_MS_DEFAULT);
    let mut said = Vec::new();
    for presented in
        [changed.as_str(), "", "spl_", &good[..good.len() - 1], std::str::from_utf8(ROOT).expect("text")]
    {
        let refused = portal.follow(&Secret::from_text(presented)).expect_err("none of ours");
        assert_eq!(refused.code, ErrorCode::Unauthenticated);
        said.push(refused.message);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "the same of all: {said:?}");
    assert!(!said[0].contains("expired"));
}

#[test]
fn times_are_chosen_within_bounds() {
    let portal = Portal::new();
    let lasting = |ms| NewPortalLink { lasts_ms: Some(ms), ..new() };
    let of_session = |ms| NewPortalLink { session_ms: Some(ms), ..new() };
    for (wrong, field) in [
        (lasting(999), "expires_in_s"),
        (lasting(PORTAL_LINK_MS_MAX + 1), "expires_in_s"),
        (of_session(999), "session_s"),
        (of_session(PORTAL_SESSION_MS_MAX + 1), "session_s"),
        (NewPortalLink { name: Some(String::new()), ..new() }, "name"),
        (NewPortalLink { name: Some("a\r\nb".to_owned()), ..new() }, "name"),
    ] {
        let refused = portal.link(wrong).expect_err("out of bounds");
        assert_eq!(refused.code, ErrorCode::Invalid);
        assert_eq!(refused.fields.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), [field]);
    }
    let link = portal.link(of_session(60_000)).expect("a link");
    let opened = portal.follow(&link).expect("it opens the portal");
    let visitor = portal.visit(&opened.token).expect("the session is good");
    portal.desk.clock.advance_ms(59_999);
    assert!(portal.is_open(&opened) && portal.may_go_on(&visitor));
    portal.desk.clock.advance_ms(1);
    assert!(!portal.is_open(&opened) && !portal.may_go_on(&visitor));
}

#[test]
fn a_session_that_was_ended_lets_nobody_in() {
    let portal = Portal::new();
    let (ended, other) = (portal.open(), portal.open());
    let visitor = portal.visit(&ended.token).expect("the session is good");
    assert!(portal.is_open(&other));
    let end = || block_on(portal.desk.engine.end_portal_session(portal.workspace.id, ended.session.id));
    end().expect("it is there");
    assert!(!portal.is_open(&ended) && !portal.may_go_on(&visitor));
    assert!(portal.is_open(&other));
    assert_eq!(code(&end()), Some(ErrorCode::NotFound));
}

#[test]
fn ending_all_sessions_ends_links_that_were_made_before() {
    let portal = Portal::new();
    let link = portal.link(NewPortalLink { lasts_ms: Some(PORTAL_LINK_MS_MAX), ..new() }).expect("a link");
    let opened = portal.follow(&link).expect("it opens the portal");
    let visitor = portal.visit(&opened.token).expect("the session is good");
    portal.desk.clock.advance_ms(1);
    block_on(portal.desk.engine.end_portal_sessions(portal.workspace.id)).expect("it is there");
    assert!(!portal.is_open(&opened) && !portal.may_go_on(&visitor));
    assert_eq!(code(&portal.follow(&link)), Some(ErrorCode::Unauthenticated));
    portal.desk.clock.advance_ms(1);
    assert!(portal.is_open(&portal.open()), "links that are made from now on open it");
}

/// The store has ended them, and nobody was told so.
#[test]
fn sessions_whose_end_was_not_answered_let_nobody_in() {
    type End = fn(&Portal, &OpenedPortalSession) -> Result<(), Error>;
    let ends: [(&str, End); 2] = [
        ("end_portal_session", |portal, opened| {
            block_on(portal.desk.engine.end_portal_session(portal.workspace.id, opened.session.id))
        }),
        ("end_portal_sessions", |portal, _| {
            block_on(portal.desk.engine.end_portal_sessions(portal.workspace.id))
        }),
    ];
    for (verb, end) in ends {
        let fault = fail_nth_of(verb, 1, Lasting::Transient, Fault::After);
        let portal = Portal::at(Desk::with_faults(fault));
        let opened = portal.open();
        assert!(portal.is_open(&opened));
        assert_eq!(code(&end(&portal, &opened)), Some(ErrorCode::Unavailable));
        assert!(!portal.is_open(&opened), "{verb}");
    }
}

#[test]
fn a_workspace_that_is_erased_lets_nobody_in() {
    let portal = Portal::new();
    let (link, opened) = (portal.link(new()).expect("a link"), portal.open());
    let visitor = portal.visit(&opened.token).expect("the session is good");
    block_on(portal.desk.engine.erase_workspace(&portal.workspace.public_id)).expect("it is there");
    assert!(!portal.is_open(&opened) && !portal.may_go_on(&visitor));
    let refused = portal.follow(&link).expect_err("there is nothing to see");
    assert_eq!((refused.code, refused.message.contains("expired")), (ErrorCode::Unauthenticated, true));
}

#[test]
fn what_another_node_has_ended_lets_nobody_in_once_it_was_told() {
    type End = fn(&Portal, &OpenedPortalSession) -> Change;
    let ends: [End; 4] = [
        |portal, opened| {
            let ended = portal.desk.store.end_portal_session(portal.workspace.id, opened.session.id);
            block_on(ended).expect("it is there");
            Change::PortalSession(opened.session.id)
        },
        |portal, _| {
            let ended = portal.desk.store.end_portal_sessions(portal.workspace.id, portal.desk.now());
            block_on(ended).expect("it is there");
            Change::PortalSessions(portal.workspace.id)
        },
        |portal, _| {
            portal.erase();
            Change::Erased(portal.workspace.id)
        },
        |portal, _| {
            portal.erase();
            Change::Any
        },
    ];
    for end in ends {
        let portal = Portal::new();
        let opened = portal.open();
        let visitor = portal.visit(&opened.token).expect("the session is good");
        let change = end(&portal, &opened);
        assert!(portal.may_go_on(&visitor), "nobody has said anything: {change:?}");
        portal.desk.tell(change);
        assert!(!portal.is_open(&opened) && !portal.may_go_on(&visitor), "{change:?}");
    }
}

/// The rest of the world did not wait for it any longer.
#[test]
fn a_process_that_was_stopped_lets_nobody_in_by_what_it_remembers() {
    let portal = Portal::new();
    let opened = portal.open();
    assert!(portal.is_open(&opened));
    let ended = portal.desk.store.end_portal_session(portal.workspace.id, opened.session.id);
    block_on(ended).expect("it is there");
    portal.desk.store.ownership().trust_until(portal.desk.clock.monotonic());
    assert!(!portal.is_open(&opened) && !portal.desk.engine.knows_portal_session(opened.token.expose()));
}

#[test]
fn what_has_not_the_form_of_a_token_is_refused_without_the_store() {
    let verb = "portal_session_by_hash";
    let portal = Portal::at(Desk::with_faults(fail_nth_of(verb, 1, Lasting::Persistent, Fault::Before)));
    let opened = portal.open();
    let mut changed = opened.token.expose().to_vec();
    changed[10] = if changed[10] == b'x' { b'y' } else { b'x' };
    let operator = portal.desk.open(ROOT).token;
    for presented in [&changed, operator.expose(), ROOT, b"", &opened.token.expose()[1..]] {
        let visit = block_on(portal.desk.engine.portal_visitor(presented));
        assert_eq!(code(&visit), Some(ErrorCode::Unauthenticated));
        assert!(!portal.desk.engine.knows_portal_session(presented));
    }
    assert_eq!(code(&portal.visit(&opened.token)), Some(ErrorCode::Unavailable), "this one is looked up");
    let visit = block_on(portal.desk.engine.operator_visitor(opened.token.expose(), &portal.desk.root));
    assert_eq!(code(&visit), Some(ErrorCode::Unauthenticated), "nor is it an operator's");
}
