//! Pages: lists are always asked for in parts, and always to their end.

/// Which part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many; at least 1.
    pub size: usize,
    /// From [`Page::next`].
    pub token: Option<String>,
}

impl PageRequest {
    /// The beginning, in parts of this size.
    pub fn first(size: usize) -> Self {
        Self { size: size.max(1), token: None }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next part begins; `None` at the end, and only there.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// Cuts a page out of a whole list that is sorted by `token_of`, so that items that come and go between two pages never
    /// make others appear twice or not at all.
    pub fn cut(sorted: Vec<T>, request: &PageRequest, token_of: impl Fn(&T) -> String) -> Self {
        let mut rest: Vec<T> = match &request.token {
            Some(after) => sorted.into_iter().filter(|item| token_of(item) > *after).collect(),
            None => sorted,
        };
        let more = rest.len() > request.size;
        rest.truncate(request.size);
        let next = if more { rest.last().map(&token_of) } else { None };
        Self { items: rest, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_cover_everything_once() {
        for (count, size) in [(0, 1), (1, 1), (5, 2), (4, 2), (3, 10)] {
            let all: Vec<String> = (0..count).map(|n| format!("{n:03}")).collect();
            let (mut request, mut seen) = (PageRequest::first(size), Vec::new());
            loop {
                let page = Page::cut(all.clone(), &request, Clone::clone);
                assert!(page.items.len() <= size);
                seen.extend(page.items);
                match page.next {
                    Some(token) => request.token = Some(token),
                    None => break,
                }
            }
            assert_eq!(seen, all, "{count} in parts of {size}");
        }
    }
}
