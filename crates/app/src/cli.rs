//! The command line: one definition for every flag, with its environment variable and its help.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use signalpost_outbound::EgressPolicy;

/// One durable webhook engine that speaks your API.
///
/// Your product publishes events to the operator address; your customers manage their webhooks at the public
/// address; Signalpost signs every event, delivers it, retries, and never loses what it acknowledged.
///
/// Try `signalpost demo` first: it needs nothing and shows the whole way of an event.
#[derive(Debug, Parser)]
#[command(name = "signalpost", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the engine until it is told to stop (SIGTERM or Ctrl-C; a second one stops at once).
    #[command(after_long_help = SERVE_EXAMPLES)]
    Serve(ServeArgs),
    /// Show the whole way of an event: a server, a receiver, a few signed deliveries, each verified.
    ///
    /// Starts a server on free loopback ports with a data directory of its own, makes a webhook through the
    /// SigmaMind dialect, publishes three events, and has a separate process receive and verify them. Then it stays
    /// up with curl lines to try, and removes its data at the end.
    Demo(DemoArgs),
    /// The demo's receiver, a process of its own.
    #[command(hide = true)]
    DemoReceiver,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where the database and the generated keys lie. Made if missing, readable by you alone.
    #[arg(long, value_name = "DIR", env = "SIGNALPOST_DATA", default_value = "./signalpost-data")]
    pub(crate) data: PathBuf,

    /// Address for customers: the dialects' APIs, and nothing else.
    #[arg(long, value_name = "ADDR", env = "SIGNALPOST_PUBLIC", default_value = "127.0.0.1:8080")]
    pub(crate) public: SocketAddr,

    /// Address for you: publishing, administration, health and metrics. Keep it off the internet.
    #[arg(long, value_name = "ADDR", env = "SIGNALPOST_OPERATOR", default_value = "127.0.0.1:8081")]
    pub(crate) operator: SocketAddr,

    /// Ranges that webhooks may reach although they are not on the public internet, comma-separated.
    ///
    /// Without it loopback, private, link-local and all other special addresses are refused, by whatever name or
    /// spelling they are reached. Example: 10.20.0.0/16,fd12::/32
    #[arg(long, value_name = "CIDR,…", env = "SIGNALPOST_EGRESS_ALLOW", default_value = "", hide_default_value = true,
          value_parser = parse_egress)]
    pub(crate) egress_allow: EgressPolicy,
}

#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// End when the events have been delivered and verified, instead of staying up.
    #[arg(long)]
    pub(crate) once: bool,
}

const SERVE_EXAMPLES: &str = "\
Keys:
  The operator key is read from SIGNALPOST_OPERATOR_KEY, else from operator.key in the data directory, where it is
  generated at the first start. The master key that seals signing secrets is read from SIGNALPOST_MASTER_KEY (64
  hexadecimal digits, or a ring id:hex,id:hex whose first seals), else from master.key there. Keep a copy of it apart
  from backups: without it no stored secret opens.

Examples:
  signalpost serve
  signalpost serve --data /var/lib/signalpost --public 0.0.0.0:8080
  SIGNALPOST_EGRESS_ALLOW=10.20.0.0/16 signalpost serve";

fn parse_egress(text: &str) -> Result<EgressPolicy, String> {
    EgressPolicy::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_flags_are_refused() {
        let lines: [&[&str]; 5] = [
            &["signalpost", "serve", "--public", "nowhere"],
            &["signalpost", "serve", "--egress-allow", "10.0.0.0/99"],
            &["signalpost", "serve", "--nope"],
            &["signalpost", "fly"],
            &["signalpost"],
        ];
        for line in lines {
            assert!(Cli::try_parse_from(line).is_err(), "{line:?}");
        }
    }
}
