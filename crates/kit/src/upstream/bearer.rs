//! The bearer token as a header that no log shows.

use super::UpstreamError;
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

/// `Bearer <token>`, marked as sensitive.
pub(super) fn header(token: &SecretString) -> Result<HeaderValue, UpstreamError> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret().trim()))
        .map_err(|_shows_the_token| UpstreamError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}
