//! An error and its causes as one line.

use std::error::Error;

/// `outer: cause: root`. A cause whose text the line already ends with is not repeated.
pub fn report(error: &dyn Error) -> String {
    let mut line = error.to_string();
    append_sources(&mut line, error.source());
    line
}

/// Adds each cause to the line.
pub(super) fn append_sources(line: &mut String, mut source: Option<&dyn Error>) {
    while let Some(cause) = source {
        let text = cause.to_string();
        if !text.is_empty() && !line.ends_with(&text) {
            if !line.is_empty() {
                line.push_str(": ");
            }
            line.push_str(&text);
        }
        source = cause.source();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        #[source]
        source: Option<Box<Link>>,
    }

    fn chain(texts: &[&'static str]) -> Link {
        let mut source = None;
        for text in texts.iter().rev() {
            source = Some(Box::new(Link { text, source }));
        }
        *source.unwrap()
    }

    #[test]
    fn causes_are_listed_once_from_the_outside_in() {
        for (texts, line) in [
            (&["cannot mount ds1"][..], "cannot mount ds1"),
            (&["cannot mount ds1", "host esx1 refused", "no route"], "cannot mount ds1: host esx1 refused: no route"),
            (&["cannot mount ds1: no route", "no route"], "cannot mount ds1: no route"),
        ] {
            assert_eq!(report(&chain(texts)), line);
        }
    }
}
