//! Page sizes and tokens. A token holds a digest of the list that it belongs to, so that it is not used for another.

use crate::driver::PageRequest;
use sha2::{Digest as _, Sha256};
use strata_kit::status::StatusBuilder;
use strata_model::ErrorKind;
use tonic::Status;

const SIZE_DEFAULT: usize = 100;
const SIZE_MAX: usize = 1000;

/// `list` names the list: the call and its other fields.
pub(super) fn request(list: &[&str], page_size: i32, page_token: &str) -> Result<PageRequest, Status> {
    let wrong = |field: &str, text: &str| {
        Err(StatusBuilder::new(ErrorKind::InvalidArgument, "INVALID_REQUEST", text).violation(field, text).build())
    };
    let size = match usize::try_from(page_size) {
        Ok(0) => SIZE_DEFAULT,
        Ok(size) => size.min(SIZE_MAX),
        Err(_) => return wrong("page_size", "page_size is negative; use 0 or more"),
    };
    if page_token.is_empty() {
        return Ok(PageRequest { size, token: None });
    }
    match page_token.split_once('.') {
        Some((found, token)) if found == digest(list) => Ok(PageRequest { size, token: Some(token.to_owned()) }),
        _ => wrong("page_token", "page_token belongs to another list; begin again without it"),
    }
}

/// The token that is answered.
pub(super) fn token(list: &[&str], next: Option<String>) -> String {
    next.map(|next| format!("{}.{next}", digest(list))).unwrap_or_default()
}

fn digest(list: &[&str]) -> String {
    let digest = Sha256::digest(list.join("\0").as_bytes());
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_bound_to_their_list() {
        let token = token(&["volumes", "arrays/a"], Some("x.y".into()));
        let page = request(&["volumes", "arrays/a"], 5000, &token).unwrap();
        assert_eq!(page, PageRequest { size: 1000, token: Some("x.y".into()) });
        assert!(request(&["volumes", "arrays/b"], 0, &token).is_err());
        assert!(request(&["volumes", "arrays/a"], -1, "").is_err());
        assert!(request(&["volumes", "arrays/a"], 0, "garbage").is_err());
    }
}
