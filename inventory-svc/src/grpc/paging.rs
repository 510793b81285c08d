//! Pages of a sorted list. The token holds the last key shown, so that a list that changes meanwhile neither repeats nor
//! skips what stayed.

use crate::vcenter::Refusal;
use strata_model::names;

const PAGE_SIZE_DEFAULT: usize = 200;
const PAGE_SIZE_MAX: usize = 1000;

/// Where a page starts and how long it is.
#[derive(Debug)]
pub struct Page {
    scope: String,
    after: Option<(String, String)>,
    size: usize,
}

impl Page {
    /// From a request's fields; `scope` is everything else in the request that decides what the list holds.
    ///
    /// # Errors
    /// A negative size, or a token of another list.
    pub fn new(scope: String, page_size: i32, page_token: &str) -> Result<Self, Refusal> {
        let size = match usize::try_from(page_size) {
            Err(_) => {
                return Err(Refusal::invalid(
                    "page_size",
                    "page_size must not be negative; leave it out for the default",
                ));
            }
            Ok(0) => PAGE_SIZE_DEFAULT,
            Ok(size) => size.min(PAGE_SIZE_MAX),
        };
        let after = match page_token {
            "" => None,
            token => Some(Self::read(&scope, token).ok_or_else(|| {
                Refusal::invalid("page_token", "page_token is not from this list; begin again without it")
            })?),
        };
        Ok(Self { scope, after, size })
    }

    /// Display name and name of the last one shown before.
    pub fn after(&self) -> Option<&(String, String)> {
        self.after.as_ref()
    }

    /// So many from behind [`Page::after`] tell the page and whether more follow.
    pub fn size_and_one(&self) -> usize {
        self.size + 1
    }

    /// Sorts by display name and then name, and cuts the page out; the token is empty at the end.
    pub fn cut<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> (String, String)) -> (Vec<T>, String) {
        items.sort_by_cached_key(&key);
        let start = match &self.after {
            None => 0,
            Some(after) => items.partition_point(|item| key(item) <= *after),
        };
        let end = (start + self.size).min(items.len());
        let token = if end < items.len() { items.get(end - 1).map(&key).map(|key| self.write(&key)) } else { None };
        (items.drain(start.min(end)..end).collect(), token.unwrap_or_default())
    }

    fn write(&self, (display_name, name): &(String, String)) -> String {
        names::join(&[("l", &self.scope), ("d", display_name), ("n", name)])
    }

    fn read(scope: &str, token: &str) -> Option<(String, String)> {
        // The parts may be empty, which names of resources may not be.
        let parts: Option<Vec<String>> = token.split('/').map(names::decode).collect();
        match parts?.as_slice() {
            [l, found, d, display_name, n, name] if l == "l" && d == "d" && n == "n" && found == scope => {
                Some((display_name.clone(), name.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(item: &(&'static str, u32)) -> (String, String) {
        (item.0.to_owned(), item.1.to_string())
    }

    #[test]
    fn pages_cover_everything_once_and_in_order() {
        let items = vec![("b", 2), ("a/%", 1), ("b", 1), ("ü", 5), ("", 7), ("b", 3)];
        for size in 1..=7 {
            let (mut seen, mut token) = (Vec::new(), String::new());
            for _ in 0..10 {
                let page = Page::new("scope/x".to_owned(), size, &token).unwrap();
                let (part, next) = page.cut(items.clone(), key);
                assert!(part.len() <= usize::try_from(size).unwrap());
                seen.extend(part);
                token = next;
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(seen, [("", 7), ("a/%", 1), ("b", 1), ("b", 2), ("b", 3), ("ü", 5)], "size {size}");
        }
    }

    #[test]
    fn refuses_foreign_tokens_and_negative_sizes() {
        let page = Page::new("scope".to_owned(), 1, "").unwrap();
        let (_, token) = page.cut(vec![("a", 1), ("b", 2)], key);
        assert!(Page::new("other".to_owned(), 1, &token).is_err());
        assert!(Page::new("scope".to_owned(), 1, "l/%zz").is_err());
        assert!(Page::new("scope".to_owned(), -1, "").is_err());
        assert!(Page::new("scope".to_owned(), 1, &token).is_ok());
    }
}
