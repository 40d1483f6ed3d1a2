//! Spans of time as Go writes them (`time.ParseDuration`): `5m0s`, `1.5h`, `300ms`, `0`.

use std::time::Duration;

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// # Errors
/// `InvalidArgument`; also for a negative one, which no setting here can mean.
pub fn parse(text: &str) -> Result<Duration> {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    let wrong = || Error::new(Kind::InvalidArgument, format!("{shown:?} is not a time span such as 5m0s or 300ms"));
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    if text.is_empty() {
        return Err(wrong());
    }
    let (mut seconds, mut rest) = (0.0, text.trim_start_matches('+'));
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |at| digits + at);
        let unit = match &rest[digits..end] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => bail!(InvalidArgument, "{shown:?} has a unit that is none of ns, us, ms, s, m, h"),
        };
        seconds += number * unit;
        rest = &rest[end..];
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_own_examples() {
        for (text, span) in [
            ("5m0s", Duration::from_secs(300)),
            ("1.5h", Duration::from_secs(5400)),
            ("4h0m0s", Duration::from_secs(14_400)),
            ("300ms", Duration::from_millis(300)),
            ("0", Duration::ZERO),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(parse(text).unwrap(), span, "{text}");
        }
        for bad in ["", "5", "m", "-1s", "1d", "1s\x1b", "1..2s", "9e99s"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
