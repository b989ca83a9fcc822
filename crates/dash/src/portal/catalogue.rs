//! What there is to receive: every type of event, with an example of its data, and how to verify it.

use maud::{Markup, html};
use signalpost_core::event_rule::EventKind;
use signalpost_core::profile::{Profile, SigningRule};
use signalpost_engine::View;

use super::code::{Language, Verification};
use crate::look::frame::page;
use crate::pages::webhook::test::example;
use crate::trouble::Page;
use crate::visit::Visit;
use crate::who::Who;

pub(super) async fn show(visit: Visit) -> Page {
    let Who::Customer(visitor) = &visit.who else {
        return Err(signalpost_core::error::Error::not_found("page").into());
    };
    let view = &visitor.view;
    let content = html! {
        h1 { "Catalogue" }
        (types(view))
        (verifying(&view.profile))
    };
    let crumbs = visit.paths.to_workspace(view);
    Ok(page(&visit, "Catalogue", &crumbs, &content))
}

/// How to tell a delivery from what somebody else sends to the same address.
fn verifying(profile: &Profile) -> Markup {
    let Some(verification) = Verification::of(&profile.delivery) else { return html! {} };
    let by = match profile.signing {
        SigningRule::OwnSecret => "with the secret of the webhook",
        SigningRule::SharedKeys { .. } => {
            "with the key that the webhook refers to: what a webhook sends that refers to none has no such header"
        }
    };
    html! {
        section {
            h2 #verify { "Verify what you receive" }
            p {
                "Whoever knows the address of a webhook can send something to it. Take for true what carries a signature, in the header "
                code { (profile.delivery.signature.header) } ", that was made " (by) ". These functions tell."
            }
            @for language in Language::ALL {
                details open[language == Language::Python] {
                    summary { (language.name()) }
                    pre.body tabindex="0" aria-label={ "Verification in " (language.name()) } { (verification.written_in(language)) }
                }
            }
        }
    }
}

fn types(view: &View) -> Markup {
    let Some(catalogue) = &view.profile.catalogue else {
        return html! {
            p { "Events of any type may come, with whatever data their sender gives them. These pages show those that have come." }
        };
    };
    html! {
        p { "These events may come. A webhook is sent those that it selects." }
        @for kind in catalogue { (of_type(view, kind)) }
    }
}

fn of_type(view: &View, kind: &EventKind) -> Markup {
    html! {
        section {
            h2 { code { (kind.name) } }
            p.muted { "Its data, for example:" }
            pre.body tabindex="0" aria-label={ "An example of " (kind.name) } { (example(view, &kind.name)) }
        }
    }
}
