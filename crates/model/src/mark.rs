//! The mark that everything we make on an array carries (safety.md S2, S3, S4): who made it, for what, in which
//! generation of the catalog. Short, since arrays hold 128 to 255 characters.

use std::{fmt, str::FromStr};

/// Rendered as `strata1;i=<installation>;k=<key>;g=<generation>`. At most 120 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The installation that made the object: the UUID's 32 hex digits, without hyphens.
    pub installation: String,
    /// The idempotency key that the object was made for: `s-0123456789ab` and the like, at most 40 characters.
    pub key: String,
    /// The catalog's generation when the object was planned; grows, never repeats.
    pub generation: u64,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "strata1;i={};k={};g={}", self.installation, self.key, self.generation)
    }
}

impl FromStr for Mark {
    type Err = String;
    /// Reads a mark back. Anything else that stands in a comment field is not ours and is an error here.
    fn from_str(text: &str) -> Result<Self, String> {
        let not_ours = || format!("'{text}' is not a mark of Strata");
        let rest = text.trim().strip_prefix("strata1;").ok_or_else(not_ours)?;
        let mut fields = rest.split(';');
        let mut field = |name: &str| fields.next().and_then(|part| part.strip_prefix(name)).ok_or_else(not_ours);
        let (installation, key, generation) = (field("i=")?, field("k=")?, field("g=")?);
        if fields.next().is_some() || installation.is_empty() || key.is_empty() {
            return Err(not_ours());
        }
        let generation = generation.parse().map_err(|_| not_ours())?;
        Ok(Self { installation: installation.to_owned(), key: key.to_owned(), generation })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_length() {
        let mark = Mark { installation: "0".repeat(32), key: "k".repeat(40), generation: u64::MAX };
        let text = mark.to_string();
        assert!(text.len() <= 120, "{} bytes", text.len());
        assert_eq!(text.parse::<Mark>().unwrap(), mark);
    }

    #[test]
    fn strangers_are_refused() {
        for text in
            ["", "hourly.0", "strata1;i=;k=a;g=1", "strata1;i=a;k=b", "strata1;i=a;k=b;g=x", "strata1;i=a;k=b;g=1;z"]
        {
            assert!(text.parse::<Mark>().is_err(), "{text} was taken for ours");
        }
    }
}
