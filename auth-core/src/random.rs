//! Generates identifiers and secrets from random bytes of the operating system.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::Error;

/// Returns `N` random bytes as base64url without padding.
///
/// # Errors
///
/// [`Error::Crypto`] if the operating system returns no random bytes.
pub(crate) fn random_base64url<const N: usize>() -> Result<String, Error> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut *bytes).map_err(|_no_entropy| Error::Crypto)?;
    Ok(URL_SAFE_NO_PAD.encode(*bytes))
}
