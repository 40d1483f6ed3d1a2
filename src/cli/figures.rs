//! Figures in the words crictl uses, and the times, spans and amounts a person types.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// "About an hour", "3 days".
pub fn span(d: Duration) -> String {
    let (seconds, minutes) = (d.as_secs(), d.as_secs() / 60);
    let hours = (d.as_secs() + 1800) / 3600;
    match () {
        () if seconds < 1 => "Less than a second".into(),
        () if seconds == 1 => "1 second".into(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".into(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".into(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 14 => format!("{} days", hours / 24),
        () if hours < 24 * 60 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", d.as_secs() / 3600 / 24 / 365),
    }
}

/// How long ago CRI's time in nanoseconds was. A time to come counts as now.
pub fn ago(now: SystemTime, nanos: i64) -> String {
    let then = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    span(now.duration_since(then).unwrap_or_default()) + " ago"
}

/// Bytes with decimal units and `digits` significant digits.
pub fn size(bytes: u64, digits: usize) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    #[allow(clippy::cast_precision_loss, reason = "rounded to a few digits below")]
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let whole = if value >= 100.0 { 3 } else { 1 + usize::from(value >= 10.0) };
    let mut text = format!("{value:.*}", digits.saturating_sub(whole));
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    text + UNITS[unit]
}

/// CRI's time in nanoseconds as RFC 3339; 0 is no time.
pub fn stamp(nanos: i64) -> String {
    match Timestamp::from_nanosecond(i128::from(nanos)) {
        Ok(at) if nanos != 0 => at.to_string(),
        _ => "0001-01-01T00:00:00Z".to_owned(),
    }
}

/// `1h30m`, `20s`, `500ms`; a plain number is seconds.
pub fn parse_span(text: &str) -> Result<Duration> {
    let wrong = || Error::new(Kind::InvalidArgument, format!("{text:?} is not a time span such as 90s, 5m or 1h30m"));
    let to_span = |seconds: f64| Duration::try_from_secs_f64(seconds).map_err(|_| wrong());
    if let Ok(seconds) = text.parse::<f64>() {
        return to_span(seconds);
    }
    let (mut total, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        total += number
            * match &rest[digits..letters] {
                "ns" => 1e-9,
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" => 1.0,
                "m" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return Err(wrong()),
            };
        rest = &rest[letters..];
    }
    if text.is_empty() { Err(wrong()) } else { to_span(total) }
}

/// `2013-01-02T13:23:37Z`, without an offset in UTC, or a span before now.
pub fn parse_time(text: &str, now: SystemTime) -> Result<SystemTime> {
    if let Ok(at) = text.parse::<Timestamp>().and_then(SystemTime::try_from) {
        return Ok(at);
    }
    if text.parse::<jiff::civil::DateTime>().is_ok()
        && let Ok(at) = format!("{text}Z").parse::<Timestamp>().and_then(SystemTime::try_from)
    {
        return Ok(at);
    }
    let Ok(span) = parse_span(text) else {
        bail!(InvalidArgument, "{text:?} is neither a time such as 2013-01-02T13:23:37Z nor a span such as 42m");
    };
    Ok(now.checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH))
}

/// `64m`, `1.5GiB`, `1000000`: bytes, units of 1024.
pub fn parse_bytes(text: &str) -> Result<i64> {
    let wrong = || Error::new(Kind::InvalidArgument, format!("{text:?} is not an amount of bytes such as 64m or 1g"));
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().map_err(|_| wrong())?;
    let power = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "ki" | "kib" => 1,
        "m" | "mb" | "mi" | "mib" => 2,
        "g" | "gb" | "gi" | "gib" => 3,
        "t" | "tb" | "ti" | "tib" => 4,
        _ => return Err(wrong()),
    };
    let bytes = number * 1024_f64.powi(power);
    #[allow(clippy::cast_possible_truncation, reason = "bounded here")]
    if bytes.is_finite() && (0.0..9e18).contains(&bytes) { Ok(bytes as i64) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_sizes_are_crictls() {
        for (seconds, text) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (3599, "59 minutes"),
            (3600, "About an hour"),
            (47 * 3600, "47 hours"),
            (48 * 3600, "2 days"),
            (14 * 86400, "2 weeks"),
            (60 * 86400, "2 months"),
            (800 * 86400, "2 years"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        for (bytes, text) in [(0, "0B"), (999, "999B"), (1000, "1kB"), (4_270_000, "4.27MB"), (301_773, "302kB")] {
            assert_eq!(size(bytes, 3), text);
        }
        assert_eq!(size(12_345_678, 4), "12.35MB");
    }

    #[test]
    fn what_people_type() {
        assert_eq!(parse_span("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_span("2").unwrap(), Duration::from_secs(2));
        assert_eq!(parse_span("500ms").unwrap(), Duration::from_millis(500));
        for wrong in ["", "m", "5x", "-3s", "1e400", "5m3"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(10_000);
        assert_eq!(parse_time("42m", now).unwrap(), now - Duration::from_secs(42 * 60));
        let utc = parse_time("2013-01-02T13:23:37", now).unwrap();
        assert_eq!(utc, parse_time("2013-01-02T14:23:37+01:00", now).unwrap());
        assert!(parse_time("yesterday", now).is_err());
        assert_eq!(parse_bytes("64m").unwrap(), 64 << 20);
        assert_eq!(parse_bytes("1.5Gi").unwrap(), 3 << 29);
        assert!(parse_bytes("1e30").is_err() && parse_bytes("9999999t").is_err() && parse_bytes("").is_err());
        assert_eq!(stamp(0), "0001-01-01T00:00:00Z");
        assert_eq!(stamp(1_500_000_000), "1970-01-01T00:00:01.5Z");
    }
}
