//! The signature of a request, step by step, as its receiver has to make it.

use maud::{Markup, html};
use signalpost_core::sign::{Encoding, KeyForm};
use signalpost_engine::sent::SignatureSteps;

use crate::look::id::copy;
use crate::look::json;
use crate::look::pill::{Tone, pill};

pub(super) fn steps(signature: &SignatureSteps) -> Markup {
    let recipe = &signature.recipe;
    let key = match recipe.key {
        KeyForm::Text => "The key is the secret's text as it stands, in UTF-8.",
        KeyForm::PrefixedBase64 => "The key is what stands behind whsec_ in the secret, decoded from base64.",
    };
    let encoding = match recipe.encoding {
        Encoding::Hex => "Its 32 bytes are written as lower-case hexadecimal.",
        Encoding::Base64 => "Its 32 bytes are written as base64, with padding.",
    };
    html! {
        p.state { (verdict(signature)) }
        ol {
            li { p { "These bytes are signed, exactly as they came, before anything parses them:" } (json::body(&signature.content, "The signed bytes")) }
            li { p { (key) } }
            li { p { "HMAC-SHA256 over them with that key. " (encoding) } }
            li {
                p { "The header " code { (recipe.header) } " must be:" }
                @for (place, value) in signature.by_secrets.iter().enumerate() {
                    p { code.value { (value) } " " (copy(value, "Copy the value")) span.muted { (by_which(place)) } }
                }
            }
            li {
                p { "The request said:" }
                @match &signature.sent { Some(sent) => p { code.value { (sent) } }, None => p.muted { "nothing: it had no such header." } }
            }
        }
        p.muted { "A receiver that comes to another value has changed the body before it looked (a parser, a proxy), or has another secret." }
    }
}

const fn by_which(place: usize) -> &'static str {
    if place == 0 { " by the secret of now" } else { " by one before it" }
}

fn verdict(signature: &SignatureSteps) -> Markup {
    html! {
        @match signature.signed_by() {
            Some(0) => { (pill(Tone::Ok, "right")) " It was signed with the secret that the webhook has now." }
            Some(_) => { (pill(Tone::Warn, "replaced since")) " It was signed with a secret that was replaced since. The receiver has to accept both, or to take the new one." }
            None => { (pill(Tone::Warn, "another secret")) " It was signed with a secret that is not here any more." }
        }
    }
}
