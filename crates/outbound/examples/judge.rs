//! Judges addresses, one a line, as deliveries do when the operator has opened nothing: `public`, or `blocked` and why. So that
//! somebody else's table can be laid beside ours.

use std::error::Error;
use std::io::{BufWriter, Write, stdin, stdout};
use std::net::IpAddr;

use signalpost_outbound::EgressPolicy;
use signalpost_outbound::guard::{Judgement, judge};

fn main() -> Result<(), Box<dyn Error>> {
    let closed = EgressPolicy::default();
    let mut out = BufWriter::new(stdout().lock());
    for line in stdin().lines() {
        let address: IpAddr = line?.parse()?;
        match judge(address, &closed) {
            Judgement::Public => writeln!(out, "public")?,
            Judgement::Opened => return Err("nothing is open".into()),
            Judgement::Blocked(kind) => writeln!(out, "blocked {kind}")?,
        }
    }
    Ok(out.flush()?)
}
