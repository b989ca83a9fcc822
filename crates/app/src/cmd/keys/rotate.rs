//! `signalpost keys rotate`.

use clap::Args;
use http::Method;
use serde_json::json;

use super::remote::RemoteArgs;
use super::{segment, shown};
use crate::cmd::Failure;
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// Id of the key: `opk_…`.
    key: String,

    /// Seconds for which the key stays valid beside its successor; 0 ends it at once. A day when it is left out.
    #[arg(long, value_name = "SECONDS")]
    overlap_s: Option<u64>,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    remote: RemoteArgs,
}

pub(super) fn run(args: &RotateArgs) -> Result<(), Failure> {
    let path = format!("/v1/keys/{}/rotate", segment(&args.key));
    let rotated = args.remote.call(Method::POST, &path, Some(&json!({"overlap_s": args.overlap_s})))?;
    if args.json {
        shown::json(&rotated);
        return Ok(());
    }
    shown::issued(&rotated);
    let end = rotated["previous_expires_at"].as_str().unwrap_or("?");
    say(&format!("\n{} is valid until {end}.\n", args.key));
    Ok(())
}
