//! `signalpost keys revoke`.

use clap::Args;
use http::Method;
use serde_json::json;

use super::remote::RemoteArgs;
use super::{segment, shown};
use crate::cmd::Failure;
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct RevokeArgs {
    /// Id of the key: `opk_…`.
    key: String,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    remote: RemoteArgs,
}

pub(super) fn run(args: &RevokeArgs) -> Result<(), Failure> {
    args.remote.call(Method::DELETE, &format!("/v1/keys/{}", segment(&args.key)), None)?;
    if args.json {
        shown::json(&json!({"revoked": args.key}));
    } else {
        say(&format!("{} is revoked.\n", args.key));
    }
    Ok(())
}
