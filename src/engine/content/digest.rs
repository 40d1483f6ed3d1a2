//! A validated content digest; the only way to build a blob's path (threats REG-13).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};

/// `sha256:` and 64 lower-case hex digits (OCI image spec, descriptor digests). Other algorithms are refused.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Digest {
    pub const PREFIX: &str = "sha256:";

    /// From the 32 bytes of a finished SHA-256.
    pub fn from_sha256(bytes: &[u8]) -> Self {
        use fmt::Write;
        let mut text = String::with_capacity(Self::PREFIX.len() + 64);
        text.push_str(Self::PREFIX);
        for byte in bytes {
            let _ = write!(text, "{byte:02x}");
        }
        debug_assert_eq!(bytes.len(), 32);
        Self(text)
    }

    /// SHA-256 of `data`.
    pub fn of(data: &[u8]) -> Self {
        Self::from_sha256(ring::digest::digest(&ring::digest::SHA256, data).as_ref())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 64 hex digits.
    pub fn hex(&self) -> &str {
        &self.0[Self::PREFIX.len()..]
    }

    /// The first 12 hex digits, for people.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let valid = text
            .strip_prefix(Self::PREFIX)
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
        if !valid {
            let shown: String = text.chars().take(80).collect();
            return Err(Error::new(
                Kind::InvalidArgument,
                format!("invalid digest {shown:?}: want sha256: and 64 lower-case hex digits"),
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Digest {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        // REG-13: whatever parses names a file directly under blobs/sha256/.
        #[test]
        fn reg_13_a_parsed_digest_is_a_plain_hex_name(text in ".{0,100}|sha256:[0-9a-fA-F./]{60,68}") {
            if let Ok(digest) = text.parse::<Digest>() {
                prop_assert_eq!(digest.hex().len(), 64);
                prop_assert!(digest.hex().bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
            }
        }
    }

    #[test]
    fn reg_13_known_bad_digests_are_refused() {
        let hex = "a".repeat(64);
        for bad in [
            "",
            "sha256:",
            "sha256:../../x",
            &format!("sha256:{}", hex.to_uppercase()),
            &format!("sha512:{hex}"),
            &format!("sha256:{hex}a"),
            &hex,
            &format!("sha256:{}\0", &hex[1..]),
        ] {
            assert!(bad.parse::<Digest>().is_err(), "{bad:?}");
        }
        assert_eq!(format!("sha256:{hex}").parse::<Digest>().unwrap().short(), "aaaaaaaaaaaa");
    }
}
