//! The signature of a request, step by step, as its receiver has to make it.

use maud::{Markup, html};
use signalpost_core::sign::{Encoding, KeyForm};
use signalpost_engine::sent::{SignatureSteps, SignedBy, Whose};

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
                @if signature.values.is_empty() { p.muted { "not known: no secret is here now that could sign for the webhook." } }
                @for made in &signature.values {
                    p { code.value { (made.value) } " " (copy(&made.value, "Copy the value")) " " span.muted { (by_which(&made.by)) } }
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

fn by_which(whose: &Whose) -> Markup {
    html! {
        @match whose {
            Whose::Own => "by the secret of now",
            Whose::Replaced => "by one before it",
            Whose::Key(id) => { "by the key " code { (id) } ", to which the webhook refers now" }
            Whose::OtherKey(id) => { "by the key " code { (id) } ", to which it does not refer now" }
        }
    }
}

fn verdict(signature: &SignatureSteps) -> Markup {
    html! {
        @match signature.signed_by() {
            SignedBy::Known(Whose::Own) => { (pill(Tone::Ok, "right")) " It was signed with the secret that the webhook has now." }
            SignedBy::Known(Whose::Replaced) => {
                (pill(Tone::Warn, "replaced since"))
                " It was signed with a secret that was replaced since. The receiver has to accept both, or to take the new one."
            }
            SignedBy::Known(Whose::Key(id)) => {
                (pill(Tone::Ok, "right")) " It was signed with the key " code { (id) } ", to which the webhook refers now."
            }
            SignedBy::Known(Whose::OtherKey(id)) => {
                (pill(Tone::Warn, "another key"))
                " It was signed with the key " code { (id) } ", which is still here. The webhook refers to it no more."
            }
            SignedBy::Nobody => { (pill(Tone::Muted, "not signed")) " It was not signed: it had no header " code { (signature.recipe.header) } "." }
            SignedBy::NoneHere => {
                (pill(Tone::Warn, "by none of these"))
                " It was signed with none of the secrets that are here: with another, or the body was rendered otherwise then."
            }
        }
    }
}
