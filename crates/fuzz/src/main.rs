//! The target that `SIGNALPOST_FUZZ_TARGET` names, driven by libFuzzer, whose options are the arguments. Without a name
//! it lists the targets.

#![no_main]

use std::cell::OnceCell;
use std::process::exit;

use libfuzzer_sys::fuzz_target;
use signalpost_fuzz::{Target, targets};

const VARIABLE: &str = "SIGNALPOST_FUZZ_TARGET";

thread_local! {
    static CHOSEN: OnceCell<Target> = const { OnceCell::new() };
}

// Chosen before libFuzzer begins, which takes an exit in the middle of its work for a fault.
fuzz_target!(init: chosen(|_| ()), |input: &[u8]| {
    chosen(|target| target.run(input));
});

fn chosen(use_it: impl FnOnce(&Target)) {
    CHOSEN.with(|chosen| use_it(chosen.get_or_init(choose)));
}

#[expect(clippy::print_stdout, reason = "the list is the answer to whoever asked for it")]
fn choose() -> Target {
    let name = std::env::var(VARIABLE).unwrap_or_default();
    if let Some(target) = targets().into_iter().find(|target| target.name == name) {
        return target;
    }
    // One line a target, read by `cargo xtask fuzz`.
    for target in targets() {
        println!("{}\t{}\t{}", target.name, target.bytes_max, target.about);
    }
    exit(i32::from(!name.is_empty()))
}
