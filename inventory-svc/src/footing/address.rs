//! The addresses that a vCenter's url stands for, looked up now and then and never waited for long.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeSet, fmt::Debug, io, net::IpAddr, sync::Arc, time::Duration};
use strata_kit::clock::Clock;

/// How long an answer is good; a vCenter that gets another address is at another place soon enough.
const GOOD_FOR: SignedDuration = SignedDuration::from_secs(600);
/// How long one look-up may take. It is tried again with the next call that needs it, after [`RETRY_AFTER`].
const LOOKUP_LIMIT: Duration = Duration::from_secs(3);
/// How long after a look-up that failed.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Finds the addresses of a host's name.
#[async_trait]
pub trait Names: Debug + Send + Sync {
    /// All addresses of a name.
    ///
    /// # Errors
    /// There are none, or nobody can be asked.
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemNames;

#[async_trait]
impl Names for SystemNames {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
    }
}

/// Where a vCenter is.
#[derive(Debug)]
pub struct VcenterAddress {
    host: String,
    names: Option<Arc<dyn Names>>,
    known: tokio::sync::Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    addresses: BTreeSet<IpAddr>,
    ask_again_at: Option<Timestamp>,
}

impl VcenterAddress {
    /// Of `https://host[:port]`.
    pub fn new(url: &str, names: Option<Arc<dyn Names>>) -> Self {
        let uri = url.parse::<http::Uri>().ok();
        let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        Self { host, names, known: tokio::sync::Mutex::default() }
    }

    /// The host's name or address as the url has it, lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its addresses but those of this machine itself, which say nothing about a VM. Where no answer comes, those of before.
    pub async fn addresses(&self, clock: &dyn Clock) -> BTreeSet<IpAddr> {
        if let Ok(written) = self.host.parse::<IpAddr>() {
            return [written].into_iter().filter(is_of_a_network).collect();
        }
        let Some(names) = &self.names else { return BTreeSet::new() };
        let mut known = self.known.lock().await;
        if known.ask_again_at.is_none_or(|at| clock.now() >= at) {
            let asked = tokio::select! {
                answer = names.addresses(&self.host) => answer,
                () = clock.sleep(LOOKUP_LIMIT) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
            };
            let pause = match asked {
                Ok(found) => {
                    known.addresses = found.into_iter().filter(is_of_a_network).collect();
                    GOOD_FOR
                }
                Err(error) => {
                    tracing::warn!(host = self.host, %error, "the vCenter's address is not known; its own VM is recognised by name only");
                    RETRY_AFTER
                }
            };
            known.ask_again_at = clock.now().checked_add(pause).ok();
        }
        known.addresses.clone()
    }
}

fn is_of_a_network(address: &IpAddr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use strata_kit::clock::ManualClock;

    #[derive(Debug, Default)]
    struct Scripted(AtomicUsize);

    #[async_trait]
    impl Names for Scripted {
        async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
            assert_eq!(host, "vc.example.com");
            match self.0.fetch_add(1, Ordering::Relaxed) {
                0 => Ok(["127.0.0.1", "10.0.0.5"].map(|text| text.parse().unwrap()).into()),
                1 => Err(io::Error::other("nobody there")),
                _ => Ok(vec!["10.0.0.6".parse().unwrap()]),
            }
        }
    }

    #[tokio::test]
    async fn names_are_asked_now_and_then_and_old_answers_outlive_a_failure() {
        let (names, clock) = (Arc::new(Scripted::default()), ManualClock::default());
        let address = VcenterAddress::new("https://VC.example.com.:8443/sdk", Some(names.clone()));
        for (advance_s, asked, expected) in
            [(0, 1, "10.0.0.5"), (599, 1, "10.0.0.5"), (1, 2, "10.0.0.5"), (59, 2, "10.0.0.5"), (1, 3, "10.0.0.6")]
        {
            clock.advance(Duration::from_secs(advance_s));
            assert_eq!(address.addresses(&clock).await, [expected.parse().unwrap()].into(), "after {advance_s} s");
            assert_eq!(names.0.load(Ordering::Relaxed), asked, "after {advance_s} s");
        }
    }

    #[tokio::test]
    async fn an_address_needs_no_name_and_loopback_is_nobodys() {
        for (url, expected) in [
            ("https://192.0.2.7", &["192.0.2.7"][..]),
            ("https://[2001:db8::7]:443", &["2001:db8::7"]),
            ("https://127.0.0.1:8989", &[]),
            ("https://[::1]", &[]),
            ("https://vc", &[]),
        ] {
            let found = VcenterAddress::new(url, None).addresses(&ManualClock::default()).await;
            assert_eq!(found, expected.iter().map(|text| text.parse().unwrap()).collect(), "{url}");
        }
    }
}
