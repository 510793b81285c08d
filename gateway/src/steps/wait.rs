//! From "not yet" of the services to "not yet" of the engine.

use crate::ports;
use strata_proto::strata::common::v1::Pending;
use strata_saga::Progress;

/// Shortest wait before the other side is asked again, in milliseconds.
const LEAST_MS: u64 = 50;
/// Longest wait, in milliseconds.
const MOST_MS: u64 = 30_000;

/// The engine's form of Pending.
pub fn pending(pending: Pending) -> Progress {
    let asked = pending.ask_again_after.unwrap_or_default();
    let millis =
        u64::try_from(asked.seconds).unwrap_or(0) * 1_000 + u64::try_from(asked.nanos).unwrap_or(0) / 1_000_000;
    Progress::Pending {
        ask_again_after: std::time::Duration::from_millis(millis.clamp(LEAST_MS, MOST_MS)),
        resume: pending.resume,
        percent: pending.progress_percent.map(|percent| u8::try_from(percent.min(100)).unwrap_or(100)),
    }
}

/// Done with nothing to tell, or not yet.
pub fn done<T>(progress: ports::Progress<T>) -> Progress {
    match progress {
        ports::Progress::Ready(_) => Progress::done(),
        ports::Progress::Pending(still) => pending(still),
    }
}

/// The `index`-th of several calls made one after the other goes on with its own resume; the others with none.
pub fn resume_of(resume: Option<&str>, index: usize) -> String {
    let Some((number, rest)) = resume.and_then(|text| text.split_once(' ')) else { return String::new() };
    if number == index.to_string() { rest.to_owned() } else { String::new() }
}

/// Pending of the `index`-th of several calls.
pub fn pending_at(index: usize, mut still: Pending) -> Progress {
    still.resume = format!("{index} {}", still.resume);
    pending(still)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resume_reaches_the_call_it_belongs_to() {
        let still = Pending { resume: "job 7".to_owned(), ..Pending::default() };
        let Progress::Pending { resume, ask_again_after, .. } = pending_at(1, still) else { panic!("not pending") };
        assert_eq!(ask_again_after.as_millis(), 50);
        assert_eq!(resume_of(Some(&resume), 1), "job 7");
        assert_eq!(resume_of(Some(&resume), 0), "");
        assert_eq!(resume_of(None, 0), "");
    }
}
