//! One-time names of what may be streamed: 128 random bits, good for a minute, for one use (threats STR-01).

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    bail,
    error::{Context, Result},
};

/// How long a client has to come.
pub const LIFE: Duration = Duration::from_secs(60);
/// Names that nobody has used yet.
pub const PENDING: usize = 1000;
const BYTES: usize = 16;

#[derive(Debug)]
pub struct Tokens<T>(Mutex<Vec<Pending<T>>>);

#[derive(Debug)]
struct Pending<T> {
    token: [u8; BYTES],
    until: Instant,
    value: T,
}

impl<T> Default for Tokens<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Tokens<T> {
    /// # Errors
    /// `ResourceExhausted` if too many are waiting.
    pub fn insert(&self, value: T, now: Instant) -> Result<String> {
        let mut token = [0; BYTES];
        rustix::rand::getrandom(&mut token, rustix::rand::GetRandomFlags::empty())
            .context(|| "read random bytes".to_owned())?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|p| p.until > now);
        if all.len() >= PENDING {
            bail!(ResourceExhausted, "{PENDING} streams are waiting for their client already: try again in a minute");
        }
        all.push(Pending { token, until: now + LIFE, value });
        Ok(token.iter().map(|b| format!("{b:02x}")).collect())
    }

    /// What the token stands for, once. Every pending token is looked at in full, so that time tells nothing.
    pub fn take(&self, text: &str, now: Instant) -> Option<T> {
        let wanted = parse(text)?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |p: &Pending<T>| p.token.iter().zip(&wanted).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0;
        let found = all.iter().enumerate().fold(None, |found, (at, p)| if same(p) { Some(at) } else { found })?;
        let found = all.swap_remove(found);
        (found.until > now).then_some(found.value)
    }
}

fn parse(text: &str) -> Option<[u8; BYTES]> {
    let mut token = [0; BYTES];
    if text.len() != BYTES * 2 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, at) in token.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(token)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn str_01_a_token_works_once_and_not_for_long() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let token = tokens.insert("exec", now).unwrap();
        assert_eq!(token.len(), 32);
        assert_eq!(tokens.take(&token, now + LIFE - Duration::from_millis(1)), Some("exec"));
        assert_eq!(tokens.take(&token, now), None);
        let late = tokens.insert("exec", now).unwrap();
        assert_eq!(tokens.take(&late, now + LIFE + Duration::from_secs(1)), None);
        for wrong in ["", "x", &token[1..], &"z".repeat(32), &"é".repeat(16), &format!("{token}0")] {
            assert_eq!(tokens.take(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn str_01_a_flood_is_refused_until_tokens_expire() {
        let (tokens, now) = (Tokens::default(), Instant::now());
        let all: BTreeSet<String> = (0..PENDING).map(|n| tokens.insert(n, now).unwrap()).collect();
        assert_eq!(all.len(), PENDING);
        let error = tokens.insert(PENDING, now).unwrap_err();
        assert!(error.is(crate::error::Kind::ResourceExhausted), "{error:?}");
        assert!(tokens.insert(0, now + LIFE).is_ok());
    }
}
