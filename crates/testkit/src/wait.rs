//! Waiting for a condition instead of a time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Waits until `condition` holds. The error names what was waited for and for how long.
pub fn wait_for(
    description: &str,
    timeout: Duration,
    mut condition: impl FnMut() -> bool,
) -> Result<(), String> {
    wait_for_some(description, timeout, || condition().then_some(()))
}

/// Waits until `look` finds something.
pub fn wait_for_some<T>(
    description: &str,
    timeout: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if started.elapsed() >= timeout {
            return Err(format!("waited {} ms in vain for {description}", timeout.as_millis()));
        }
        sleep(LOOK_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_until_it_holds_and_not_longer_than_told() {
        let mut looks = 0;
        let third = wait_for_some("the third look", Duration::from_secs(10), || {
            looks += 1;
            (looks == 3).then_some(looks)
        });
        assert_eq!(third, Ok(3));
        let never = wait_for("rain", Duration::from_millis(5), || false);
        assert_eq!(never, Err("waited 5 ms in vain for rain".to_owned()));
    }
}
