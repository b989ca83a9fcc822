//! Whose pages they are: what is called how, and what a browser may do with it.

use std::sync::{Arc, LazyLock};

use http::HeaderValue;
use maud::{Markup, html};

use super::assets::Asset;
use crate::door::Door;

pub(crate) struct House {
    pub(crate) door: Door,
    pub(crate) name: String,
    pub(crate) logo: Option<Asset>,
    /// A style sheet after the common one.
    pub(crate) colours: Option<Asset>,
    pub(crate) policy: HeaderValue,
    /// Under which browsers know it, where that was said.
    pub(crate) origin: Option<String>,
}

/// That of those who operate: nobody may put its pages into a frame.
pub(crate) static OPERATORS: LazyLock<Arc<House>> = LazyLock::new(|| {
    Arc::new(House {
        door: Door::Operators,
        name: "Signalpost".to_owned(),
        logo: None,
        colours: None,
        policy: policy("'none'"),
        origin: None,
    })
});

/// Its own style and script, and nothing from anywhere else. `framed_by` are those who may put a page into a frame.
///
/// # Panics
/// When what they are called is no part of a header; it was checked when it was read.
pub(crate) fn policy(framed_by: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors {framed_by}"
    );
    HeaderValue::from_str(&policy).expect("origins are good in a header")
}

impl House {
    /// What stands where the way to the start is.
    pub(crate) fn brand(&self) -> Markup {
        match &self.logo {
            Some(logo) => html! { img.logo src=(logo.path(self.door)) alt=(self.name) height="28"; },
            None => html! { (self.name) },
        }
    }

    pub(crate) fn own_assets(&self) -> impl Iterator<Item = &Asset> {
        self.logo.iter().chain(&self.colours)
    }
}
