//! The two tables of this surface: the calls, and the login beside them.

use std::sync::Arc;

use axum::handler::Handler;
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde_json::{Value, json};
use signalpost_core::error::ErrorCode;

use super::schemas::{self, Parameter, Presence};
use super::{
    Instance, Surface, create, create_signature, delete, delete_signature, get, get_signature, list,
    list_signatures, login, profile, update, wire,
};
use crate::kit::description::{Content, Description, Shape};
use crate::kit::operation::{Access, Operation};

pub(super) const WEBHOOKS: (&str, &str) = ("Webhooks", "Having the events of a chain sent to a URL.");
pub(super) const SIGNATURES: (&str, &str) = ("Signatures", "Shared secrets with which webhooks are signed.");
pub(super) const SESSIONS: (&str, &str) = ("Sessions", "Logging in.");

type VendorOperation = Operation<Arc<Surface>>;

/// Below the base path.
pub(super) fn calls(instance: &Instance) -> Vec<VendorOperation> {
    let [add, alter, delete] = changes(instance);
    let [get, list] = looks(instance);
    let [add_signature, get_signature, list_signatures, delete_signature] = signatures(instance);
    vec![add, alter, get, list, delete, add_signature, get_signature, list_signatures, delete_signature]
}

/// Below the path of the login.
pub(super) fn logins(instance: &Instance) -> Vec<VendorOperation> {
    let login = Operation::new(Method::POST, "/login", Access::Open, login::login);
    let login = login.described(|call| {
        let call = common(call, SESSIONS, instance).refuses(&[ErrorCode::Unauthenticated]);
        let example = json!({wire::USERNAME: "admin@example.com", wire::PASSWORD: "correct horse battery staple"});
        with_body(call, ["LoginForm", "Login"], &schemas::login(), example)
            .named("login", "login")
            .about(
                "Opens a session and ends the one that the user had. Wrong passwords are limited for each name and each \
                 address. Both parameters are read from the body alone.",
            )
            .shows::<wire::LoggedIn>("The session.")
    });
    vec![login]
}

fn changes(instance: &Instance) -> [VendorOperation; 3] {
    let add = operation(Method::POST, "/add-webhook", create::create).described(|call| {
        let call = described(call, WEBHOOKS, instance, "Needs write access to the chain.");
        with_body(call, ["AddWebhookForm", "AddWebhook"], &schemas::new_webhook(instance), example())
            .named("addWebhook", "add-webhook")
            .about("Adds a webhook, which gets the events that happen from now on.")
            .shows::<wire::OneWebhook>("The webhook.")
            .refuses(&[ErrorCode::NotFound, ErrorCode::LimitReached])
    });
    let alter = operation(Method::PUT, "/alter-webhook", update::update).described(|call| {
        let call = described(call, WEBHOOKS, instance, "Needs write access to the chain.");
        let example = json!({wire::ID: 1234, wire::CHAIN_ID: 1743, wire::ACTIVE: false});
        with_body(call, ["AlterWebhookForm", "AlterWebhook"], &schemas::change(instance), example)
            .named("alterWebhook", "alter-webhook")
            .about(
                "What is passed changes, what is left out stays. An empty text takes away what a webhook can do without; \
                 so does null in JSON.",
            )
            .shows::<wire::OneWebhook>("The webhook as it is now.")
            .refuses(&[ErrorCode::NotFound])
    });
    let delete = operation(Method::DELETE, "/delete-webhook", delete::delete).described(|call| {
        let call = described(call, WEBHOOKS, instance, "Needs write access to the chain.");
        let example = json!({wire::ID: 1234, wire::CHAIN_ID: 1743});
        with_either(call, ["DeleteWebhookForm", "DeleteWebhook"], &schemas::webhook_of_chain(), example)
            .named("deleteWebhook", "delete-webhook")
            .about("For good, and at once: nothing more is sent. The webhook's signature stays.")
            .shows_with::<wire::OneWebhook>("The webhook as it was.", schemas::deleted_webhook())
    });
    [add, alter, delete]
}

fn looks(instance: &Instance) -> [VendorOperation; 2] {
    let get = operation(Method::GET, "/get-webhook", get::get).described(|call| {
        let call = described(call, WEBHOOKS, instance, "Needs read access to the webhook's chain.");
        with_query(call, &[schemas::id("Id of the webhook.")])
            .named("getWebhook", "get-webhook")
            .shows::<wire::OneWebhook>("The webhook.")
    });
    let list = operation(Method::GET, "/get-webhooks", list::list).described(|call| {
        let call = described(call, WEBHOOKS, instance, "Needs read access to the chain.");
        with_query(call, &schemas::listing())
            .named("getWebhooks", "get-webhooks")
            .about("All webhooks of a chain, in the order of their ids.")
            .shows::<wire::Webhooks>("The webhooks.")
    });
    [get, list]
}

fn signatures(instance: &Instance) -> [VendorOperation; 4] {
    let add = operation(Method::POST, "/add-webhook-signature", create_signature::create_signature);
    let add = add.described(|call| {
        let call = described(call, SIGNATURES, instance, "Needs write access to the chain.");
        let example = json!({wire::CHAIN_ID: 1743});
        with_body(call, ["AddSignatureForm", "AddSignature"], &[schemas::chain_id()], example)
            .named("addWebhookSignature", "add-webhook-signature")
            .about("Makes a shared secret, which any number of the chain's webhooks may have.")
            .shows::<wire::OneSignature>("The signature.")
            .refuses(&[ErrorCode::LimitReached])
    });
    let get = operation(Method::GET, "/get-webhook-signature", get_signature::get_signature);
    let get = get.described(|call| {
        let call = described(call, SIGNATURES, instance, "Needs read access to the signature's chain.");
        with_query(call, &[schemas::id("Id of the signature.")])
            .named("getWebhookSignature", "get-webhook-signature")
            .shows::<wire::OneSignature>("The signature.")
            .refuses(&[ErrorCode::NotFound])
    });
    let list = operation(Method::GET, "/get-webhook-signatures", list_signatures::list_signatures);
    let list = list.described(|call| {
        let call = described(call, SIGNATURES, instance, "Needs read access to the chain.");
        with_query(call, &schemas::listing())
            .named("getWebhookSignatures", "get-webhook-signatures")
            .about("All signatures of a chain, in the order of their ids.")
            .shows::<wire::Signatures>("The signatures.")
    });
    let delete = operation(Method::DELETE, "/delete-webhook-signature", delete_signature::delete_signature);
    let delete = delete.described(|call| {
        let call = described(call, SIGNATURES, instance, "Needs delete access to the signature's chain.");
        let example = json!({wire::ID: 56});
        let parameters = [schemas::id("Id of the signature.")];
        with_either(call, ["DeleteSignatureForm", "DeleteSignature"], &parameters, example)
            .named("deleteWebhookSignature", "delete-webhook-signature")
            .about("For good, and at once. Webhooks that have it stay, and are not signed any more.")
            .shows_with::<wire::OneSignature>("The signature as it was.", schemas::deleted_signature())
            .refuses(&[ErrorCode::NotFound])
    });
    [add, get, list, delete]
}

const NO_STORE: &str = "`no-store`: the answer holds a secret";

/// A call of the surface.
fn operation<H, T>(method: Method, path: &'static str, handler: H) -> VendorOperation
where
    H: Handler<T, Arc<Surface>>,
    T: 'static,
{
    Operation::new(method, path, Access::Credential, handler)
}

fn described(
    call: Description,
    tag: (&'static str, &str),
    instance: &Instance,
    right: &'static str,
) -> Description {
    let call = common(call, tag, instance).needing(right);
    call.refuses(&[ErrorCode::Unauthenticated, ErrorCode::Forbidden])
}

fn common(call: Description, tag: (&'static str, &str), instance: &Instance) -> Description {
    let about = "Version that the caller expects. Before 1.4.0 an error stands in a list `errors`.";
    call.tag(tag.0).header(instance.header(profile::VERSION_HEADER), about).refuses(&[
        ErrorCode::Invalid,
        ErrorCode::RateLimited,
        ErrorCode::Unavailable,
        ErrorCode::Internal,
    ])
}

/// A call whose parameters stand in its query. A body is read all the same.
fn with_query(call: Description, parameters: &[Parameter]) -> Description {
    let call = call.refuses(&[
        ErrorCode::Malformed,
        ErrorCode::UnsupportedMediaType,
        ErrorCode::TooLarge,
        ErrorCode::RequestTimeout,
    ]);
    parameters.iter().fold(call, |call, parameter| match parameter.presence {
        Presence::Required => call.needed_query(parameter.name, parameter.about, parameter.as_text()),
        Presence::Optional | Presence::MayBeEmpty => {
            call.query(parameter.name, parameter.about, parameter.as_text())
        }
    })
}

/// A call with a body, as a form and as JSON; `names` are those of the two schemas.
fn with_body(
    call: Description,
    names: [&'static str; 2],
    parameters: &[Parameter],
    example: Value,
) -> Description {
    let [form, json] = names;
    let in_form = Content {
        media_type: "application/x-www-form-urlencoded",
        schema: Shape::Named(form, schemas::form(parameters)),
        example: Some(schemas::form_example(&example)),
    };
    call.takes_as(in_form).takes(json, schemas::json(parameters), example)
}

/// A call whose parameters stand in a body as in [`with_body`], or in its query.
fn with_either(
    call: Description,
    names: [&'static str; 2],
    parameters: &[Parameter],
    example: Value,
) -> Description {
    let call = with_body(call, names, parameters, example).or_no_body();
    parameters.iter().fold(call, |call, parameter| {
        let about = format!("{} Needed unless the body has it, and not read if it does.", parameter.about);
        call.query(parameter.name, about, json!({"type": "string"}))
    })
}

trait Shows {
    /// Success with results of this type, of which every call's name its own type.
    fn shows<R: JsonSchema>(self, about: &'static str) -> Self;

    /// The same, with members of the results that say more than their type.
    fn shows_with<R: JsonSchema>(self, about: &'static str, members: Value) -> Self;
}

impl Shows for Description {
    fn shows<R: JsonSchema>(self, about: &'static str) -> Self {
        self.shows_with::<R>(about, json!({}))
    }

    fn shows_with<R: JsonSchema>(self, about: &'static str, mut members: Value) -> Self {
        members["result_type"] = json!({"const": self.summary});
        let results = schemas::narrowed::<R>(json!({"properties": members}));
        self.answers::<wire::Done<R>>(StatusCode::OK, about)
            .with_members(json!({"results": results}))
            .with_header("Cache-Control", NO_STORE)
    }
}

fn example() -> Value {
    json!({
        wire::CHAIN_ID: 1743,
        wire::EVENT_NAME: "shopper.voucher-issued",
        wire::TYPE: profile::HTTPS,
        wire::URL: "https://example.com/webhooks",
    })
}
