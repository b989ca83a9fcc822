//! `signalpost keys list`.

use clap::Args;
use http::Method;
use serde_json::{Value, json};

use super::remote::RemoteArgs;
use super::{segment, shown};
use crate::cmd::Failure;
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Only keys bound to this workspace.
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,

    /// Print JSON: an array of all keys.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    remote: RemoteArgs,
}

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let filter = args.workspace.as_ref().map_or_else(String::new, |id| format!("&workspace={}", segment(id)));
    let mut keys: Vec<Value> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/v1/keys?limit=250{filter}{cursor}");
        let mut page = args.remote.call(Method::GET, &path, None)?;
        let rows = page["data"].as_array_mut().map(std::mem::take);
        keys.extend(rows.ok_or_else(|| Failure::new("the server answered a list without rows"))?);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if args.json {
        shown::json(&json!(keys));
    } else {
        keys.iter().for_each(|key| say(&format!("{}\n", shown::line(key))));
    }
    Ok(())
}
