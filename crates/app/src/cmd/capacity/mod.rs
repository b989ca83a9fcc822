//! `signalpost capacity`: how many nodes and cells a load takes, by figures that were measured.

mod figures;
mod model;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use self::figures::{Figures, REFERENCE};
use self::model::{Load, Machines, Need, need};
use crate::cmd::Failure;
use crate::telemetry::say;

#[derive(Args, Debug)]
pub(crate) struct CapacityArgs {
    /// Events per second at the busiest time.
    #[arg(long, value_name = "N", value_parser = positive)]
    events_per_second: f64,

    /// Webhooks that get an event, on average.
    #[arg(long, value_name = "N", default_value = "1", value_parser = positive)]
    webhooks_per_event: f64,

    /// Events per second on average over days, by which the disk is computed [default: a third of the busiest time's].
    #[arg(long, value_name = "N", value_parser = positive)]
    average_events_per_second: Option<f64>,

    /// How long events are kept, in days.
    #[arg(long, value_name = "N", default_value = "30", value_parser = positive)]
    days: f64,

    /// Processors of a machine that runs a node.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    node_cores: u32,

    /// Processors of a machine that runs a database.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    database_cores: u32,

    /// Which part of a processor may be busy at the busiest time, in percent: what is left is for retries, upkeep, and the machine
    /// that fails.
    #[arg(long, value_name = "PERCENT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=90))]
    busy: u32,

    /// A report of `signalpost bench --store postgres --scenario steady --scenario fan-out --json FILE` on a machine like
    /// yours, instead of the figures of the machine that this program was measured on.
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,

    /// One of `--nodes 3 --connections 192 --scenario steady` there, for what events cost that one node takes and another sends.
    #[arg(long, value_name = "FILE", requires = "measured")]
    measured_nodes: Option<PathBuf>,

    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  signalpost capacity --events-per-second 5000 --webhooks-per-event 2
  signalpost bench --store postgres --scenario steady --scenario fan-out --json one.json
  signalpost bench --store postgres --nodes 3 --connections 192 --scenario steady --json three.json
  signalpost capacity --events-per-second 50000 --measured one.json --measured-nodes three.json";

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "must be a number above 0".to_owned())
}

pub(super) fn run(args: &CapacityArgs) -> Result<(), Failure> {
    let figures = match &args.measured {
        None => REFERENCE,
        Some(one) => Figures::of_reports(one, args.measured_nodes.as_deref())?,
    };
    let load = Load {
        events_per_s: args.events_per_second,
        webhooks_per_event: args.webhooks_per_event,
        average_events_per_s: args.average_events_per_second.unwrap_or(args.events_per_second / 3.0),
        days: args.days,
    };
    let machines = Machines {
        node_cores: f64::from(args.node_cores),
        database_cores: f64::from(args.database_cores),
        busy: f64::from(args.busy) / 100.0,
    };
    let need = need(load, machines, &figures)?;
    say(&if args.json { as_json(&need) } else { as_text(args, &need) });
    Ok(())
}

fn as_text(args: &CapacityArgs, need: &Need) -> String {
    let Need { cells, nodes_per_cell, node_cpu, database_cpu, disk_bytes, log_bytes_per_s } = *need;
    let (of_cells, each) = if cells == 1 { ("", "") } else { ("s", " in each") };
    let of_nodes = if nodes_per_cell == 1 { "" } else { "s" };
    let spare = "and one more, if one may fail at the busiest time";
    format!(
        "{:>12.0} events/s to {} webhooks each, {} % of a processor busy at most\n\
         {cells:>12} cell{of_cells}, a PostgreSQL database on a machine with {} processors\n\
         {nodes_per_cell:>12} node{of_nodes}{each} with {} processors; {spare}\n\
         {node_cpu:>12.1} processors busy in all nodes\n\
         {database_cpu:>12.1} processors busy in all databases\n\
         {:>12.1} GiB of tables after {} days, of all databases\n\
         {:>12.1} MiB/s of log, of all databases\n",
        args.events_per_second,
        args.webhooks_per_event,
        args.busy,
        args.database_cores,
        args.node_cores,
        disk_bytes / f64::from(1 << 30),
        args.days,
        log_bytes_per_s / f64::from(1 << 20),
    )
}

fn as_json(need: &Need) -> String {
    let Need { cells, nodes_per_cell, node_cpu, database_cpu, disk_bytes, log_bytes_per_s } = *need;
    let json = json!({
        "cells": cells,
        "nodes_per_cell": nodes_per_cell,
        "node_processors_busy": node_cpu,
        "database_processors_busy": database_cpu,
        "disk_bytes": disk_bytes,
        "log_bytes_per_s": log_bytes_per_s,
    });
    format!("{json:#}\n")
}
