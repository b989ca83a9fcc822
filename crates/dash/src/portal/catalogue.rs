//! What there is to receive: every type of event, with an example of its data.

use maud::{Markup, html};
use signalpost_core::event_rule::EventKind;
use signalpost_engine::View;

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
    };
    let crumbs = visit.paths.to_workspace(view);
    Ok(page(&visit, "Catalogue", &crumbs, &content))
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
            pre.body { (example(view, &kind.name)) }
        }
    }
}
