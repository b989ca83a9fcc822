//! Which stage of a delivery a sampled stack belongs to.
//!
//! The innermost frame that a rule names decides, so that the kernel's work, the allocator's and that of other people's
//! crates is charged to the part of ours that asked for it. Helpers that several stages use have no rule: their caller
//! decides. A stack without any frame of ours belongs to the event loop or to nobody.

/// The stages in the order of an event's way, with what each one covers.
pub(super) const STAGES: [(&str, &str); 10] = [
    ("accept", "publisher's HTTP, JSON, checks, choice of targets, the 202"),
    ("commit", "the store's writing of events and of what is owed"),
    ("sync", "the writer's own: transactions, log, sync; shared by commit and record"),
    ("dispatch", "doorbell, lanes, timers: what starts an attempt"),
    ("sign", "envelope, headers, signature"),
    ("send", "outbound HTTP with its sockets, both ways"),
    ("record", "judging an outcome and the store's writing of it"),
    ("upkeep", "listing indexes, sweeping, retention"),
    ("loop", "the runtimes' own: polling, scheduling, waking"),
    ("other", "everything else, such as reads of the store, and stacks that cannot be read"),
];

const LOOP: usize = 8;
const OTHER: usize = 9;

/// Parts of a symbol and the stage that they mean. Of one frame the first that fits decides.
const RULES: &[(&str, &str)] = &[
    ("signalpost_store_sqlite::ledger::accept", "commit"),
    ("signalpost_store::ledger::Accepted", "commit"),
    ("signalpost_store_sqlite::ledger::finish", "record"),
    ("signalpost_store::pack", "record"),
    ("signalpost_store_sqlite::ledger::index", "upkeep"),
    ("signalpost_store_sqlite::ledger::upkeep", "upkeep"),
    ("signalpost_store_sqlite::ledger::sweep", "upkeep"),
    ("signalpost_store_sqlite::retention", "upkeep"),
    ("WriterState::upkeep_step", "upkeep"),
    ("signalpost_store_sqlite::writer", "sync"),
    ("signalpost_store_sqlite::write::", "sync"),
    ("signalpost_store_sqlite::threaded", "sync"),
    ("signalpost_store_sqlite::queue::WriteQueue::next", "sync"),
    ("signalpost_store::batch", "sync"),
    ("signalpost_store_sqlite::readers", "other"),
    ("signalpost_store_sqlite::fetch", "other"),
    ("signalpost_engine::attempt::EndedAttempt", "record"),
    ("signalpost_engine::attempt", "sign"),
    ("signalpost_core::sign", "sign"),
    ("signalpost_core::template", "sign"),
    ("signalpost_engine::record", "record"),
    ("signalpost_engine::core_loop::settle", "record"),
    ("signalpost_core::retry", "record"),
    ("signalpost_core::health", "record"),
    ("signalpost_engine::ingest", "accept"),
    ("signalpost_engine::directory", "accept"),
    ("signalpost_outbound", "send"),
    ("signalpost_engine::core_loop", "dispatch"),
    ("signalpost_engine::lane", "dispatch"),
    ("signalpost_engine::doorbell", "dispatch"),
    ("signalpost_engine::mailbox", "dispatch"),
    ("signalpost_engine::timers", "dispatch"),
    ("signalpost_engine::owed", "dispatch"),
    ("signalpost_api", "accept"),
    ("signalpost::listen", "accept"),
    ("signalpost::completing", "accept"),
];

/// Frames that only an event loop has: a thread's first frame, and the runtime's own.
const LOOP_FRAMES: &[&str] =
    &["tokio::", "mio::", "call_once{{vtable.shim}}", "__rust_begin_short_backtrace"];

/// The position in [`STAGES`] of a stack, whose innermost frame comes first.
pub(super) fn stage(frames: &[String]) -> usize {
    let named = |frame: &String| RULES.iter().find(|(part, _)| frame.contains(part)).map(|(_, stage)| *stage);
    let found = frames.iter().find_map(named);
    let found = found.and_then(|name| STAGES.iter().position(|(known, _)| *known == name));
    let is_loop = |frame: &String| LOOP_FRAMES.iter().any(|part| frame.contains(part));
    found.unwrap_or(if frames.iter().any(is_loop) { LOOP } else { OTHER })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(frames: &[&str]) -> &'static str {
        let frames: Vec<String> = frames.iter().map(|frame| (*frame).to_owned()).collect();
        STAGES[stage(&frames)].0
    }

    #[test]
    fn every_rule_names_a_stage() {
        for (_, wanted) in RULES {
            assert!(STAGES.iter().any(|(known, _)| known == wanted), "{wanted}");
        }
        assert_eq!((STAGES[LOOP].0, STAGES[OTHER].0), ("loop", "other"));
    }

    #[test]
    fn the_innermost_frame_of_ours_decides() {
        let attempt = "signalpost_engine::attempt::render";
        let task = "tokio::runtime::task::poll<signalpost_engine::core_loop::start::run>";
        assert_eq!(
            name(&["sha256_block_data_order", "signalpost_core::sign::Signer::sign", attempt, task]),
            "sign"
        );
        assert_eq!(
            name(&["signalpost_core::base62::encode", attempt, task]),
            "sign",
            "a helper's caller decides"
        );
        assert_eq!(
            name(&[
                "tcp_sendmsg",
                "tokio::net::TcpStream::poll_write",
                "signalpost_outbound::connect::open",
                task
            ]),
            "send"
        );
        let writer = "signalpost_store_sqlite::writer::WriterState::commit";
        assert_eq!(
            name(&["sqlite3VdbeExec", "signalpost_store_sqlite::ledger::finish::run", writer]),
            "record"
        );
        assert_eq!(name(&["fdatasync", "sqlite3PagerCommitPhaseOne", writer]), "sync");
        let answered =
            "core::ptr::drop_in_place<futures_channel::oneshot::Sender<signalpost_store::ledger::Accepted>>";
        assert_eq!(name(&["eventfd_write", answered, writer]), "commit");
    }

    #[test]
    fn a_stack_without_us_is_the_loops_or_nobodys() {
        assert_eq!(name(&["ep_poll", "epoll_wait", "mio::poll::Poll::poll"]), "loop");
        assert_eq!(name(&["do_syscall_64"]), "other");
        assert_eq!(name(&[]), "other");
    }
}
