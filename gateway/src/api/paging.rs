//! Pages over lists that are in memory. The token holds the last key and a hash of the query, so that a token of another
//! query is refused.

use crate::error::{GatewayError, Result};
use sha2::{Digest as _, Sha256};

const DEFAULT: usize = 100;
const MOST: usize = 1_000;

/// One page of `items`, which are in order; `key` is unique and grows with the order. `query` is everything else of the
/// request. Answers the page and the next token.
pub fn page<T>(
    items: Vec<T>,
    key: impl Fn(&T) -> String,
    query: &str,
    page_size: i32,
    page_token: &str,
) -> Result<(Vec<T>, String)> {
    let size = match page_size {
        0 => DEFAULT,
        size => usize::try_from(size)
            .map_err(|_| GatewayError::invalid("page_size", "page_size is negative; use 0 or a positive number"))?
            .min(MOST),
    };
    let start = match page_token {
        "" => 0,
        token => {
            let last = read_token(token, query)?;
            items.iter().position(|item| key(item) == last).map_or(items.len(), |index| index + 1)
        }
    };
    let more = items.len() > start + size;
    let part: Vec<T> = items.into_iter().skip(start).take(size).collect();
    let token = match part.last() {
        Some(last) if more => write_token(&key(last), query),
        _ => String::new(),
    };
    Ok((part, token))
}

fn query_hash(query: &str) -> String {
    hex::encode(&Sha256::digest(query.as_bytes())[..8])
}

fn write_token(key: &str, query: &str) -> String {
    format!("{}{}", query_hash(query), hex::encode(key))
}

fn read_token(token: &str, query: &str) -> Result<String> {
    let wrong =
        || GatewayError::invalid("page_token", "page_token is not from an answer to this request; begin without one");
    let (hash, key) = token.split_at_checked(16).ok_or_else(wrong)?;
    if hash != query_hash(query) {
        return Err(wrong());
    }
    let key = hex::decode(key).map_err(|_| wrong())?;
    String::from_utf8(key).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        for size in [1, 2, 3, 7, 100, 5_000] {
            let (mut seen, mut token) = (Vec::new(), String::new());
            loop {
                let items: Vec<u32> = (0..7).collect();
                let (part, next) = page(items, u32::to_string, "q", size, &token).unwrap();
                seen.extend(part);
                if next.is_empty() {
                    break;
                }
                token = next;
            }
            assert_eq!(seen, (0..7).collect::<Vec<_>>(), "size {size}");
        }
    }

    #[test]
    fn tokens_of_other_queries_and_negative_sizes_are_refused() {
        let items = || (0..7).collect::<Vec<u32>>();
        let (_, token) = page(items(), u32::to_string, "q", 2, "").unwrap();
        for (query, size, token) in
            [("other", 2, token.as_str()), ("q", 2, "x"), ("q", 2, "zz34567890123456"), ("q", -1, "")]
        {
            assert!(page(items(), u32::to_string, query, size, token).is_err(), "{query} {size} {token}");
        }
    }
}
