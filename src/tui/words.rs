//! What a silent runtime and the kubelet have logged: read beside the runtime, told among what happened.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use super::{happen::Ring, theme::Tone};
use crate::{
    error::Result,
    node::{
        self,
        journal::{self, Line},
        target, unit,
    },
};

/// Lines told at one time, and from how long before the first look.
const MOST: usize = 100;
const BEFORE: Duration = Duration::from_secs(600);
/// For finding out whose log to read.
const FIND: Duration = Duration::from_secs(5);

/// The last lines of the units of the runtime with this socket and of the kubelet, and of the runtime's file if it logs to one.
///
/// # Errors
/// If there is neither a journal nor a file.
pub async fn read(endpoint: &str) -> Result<Vec<Line>> {
    let socket = endpoint.strip_prefix("unix://").unwrap_or(endpoint).to_owned();
    let root = Path::new("/");
    let find = node::within(FIND, "find the runtime's unit", move || Ok(target::find(Path::new("/"), &socket)));
    let target = find.await?;
    let own = target.unit.unwrap_or_else(|| format!("{}.service", target.name));
    let mut units = vec![own, "kubelet.service".to_owned()];
    units.retain(|name| unit::is_name(name));
    Ok(journal::collect(root, &units, target.log.as_deref().as_slice()).await?.lines)
}

/// Tells what is newer than what was told; up to when that is.
pub fn tell(happened: &mut Ring, lines: &[Line], heard: Option<SystemTime>, now: SystemTime) -> Option<SystemTime> {
    let after = heard.unwrap_or_else(|| now.checked_sub(BEFORE).unwrap_or(SystemTime::UNIX_EPOCH));
    let mut new: Vec<(SystemTime, &Line)> =
        lines.iter().filter_map(|l| Some((l.at.filter(|at| *at > after)?, l))).collect();
    new.sort_by_key(|(at, _)| *at);
    for (at, line) in new.iter().skip(new.len().saturating_sub(MOST)) {
        let tone = match line.priority {
            0..=3 => Tone::Bad,
            4 => Tone::Warn,
            _ => Tone::Plain,
        };
        happened.push(*at, tone, "journal", line.from.as_str(), line.text.as_str());
    }
    new.last().map(|(at, _)| *at).or(heard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_once_and_an_old_one_never() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(100_000);
        let line = |ago: u64, priority, text: &str| Line {
            at: Some(now - Duration::from_secs(ago)),
            from: "containerd.service".into(),
            priority,
            text: text.into(),
        };
        let mut happened = Ring::default();
        let lines = [line(2, 6, "stopped"), line(5, 3, "out of memory\x1b[2J"), line(4000, 6, "long ago")];
        let heard = tell(&mut happened, &lines, None, now);
        let told: Vec<(Tone, &str)> = happened.iter().map(|h| (h.tone, h.what.as_str())).collect();
        assert_eq!(told, [(Tone::Bad, "out of memory␛[2J"), (Tone::Plain, "stopped")]);
        let lines = [line(2, 6, "stopped"), line(1, 4, "started")];
        let heard = tell(&mut happened, &lines, heard, now);
        assert_eq!(happened.iter().last().map(|h| h.what.as_str()), Some("started"));
        assert_eq!((happened.count(), tell(&mut happened, &[], heard, now)), (3, heard));
    }
}
