//! `signalpost keys create`.

use clap::Args;
use http::Method;
use serde_json::{Map, Value, json};

use super::remote::RemoteArgs;
use super::shown;
use crate::cmd::Failure;

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CreateArgs {
    /// What the key may do: publish, read or admin; several times for several.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,

    /// A name to tell it by.
    #[arg(long)]
    name: Option<String>,

    /// The only workspace that the key knows of; all when it is left out.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,

    /// An instant from which on the key opens nothing, such as 2027-01-01T00:00:00Z.
    #[arg(long, value_name = "INSTANT")]
    expires_at: Option<String>,

    /// Calls a second that the key may make, on average; twice as many at once.
    #[arg(long, value_name = "CALLS")]
    rate_limit_per_s: Option<u32>,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    remote: RemoteArgs,
}

const EXAMPLES: &str = "\
Examples:
  signalpost keys create --scope publish --workspace ws_4fT7dK2mQ9xZ1bNc --name billing
  signalpost keys create --scope read --rate-limit-per-s 20 --expires-at 2027-01-01T00:00:00Z --json";

pub(super) fn run(args: &CreateArgs) -> Result<(), Failure> {
    let mut new = Map::from_iter([("scopes".to_owned(), json!(args.scopes))]);
    let texts = [("name", &args.name), ("workspace", &args.workspace), ("expires_at", &args.expires_at)];
    new.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?)))));
    new.extend(args.rate_limit_per_s.map(|rate| ("rate_limit_per_s".to_owned(), json!(rate))));
    let key = args.remote.call(Method::POST, "/v1/keys", Some(&Value::Object(new)))?;
    if args.json {
        shown::json(&key)
    } else {
        shown::issued(&key)
    }
    Ok(())
}
