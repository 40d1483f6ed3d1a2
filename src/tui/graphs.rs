//! The use of one pod or container over time: readings of what it has used made points of graphs. What was looked at last is kept
//! for a while, so that who comes back does not begin anew. Drawn by `view/graphs.rs`.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use tokio::{sync::mpsc, time::timeout};

use super::{
    event::{Event, Token},
    host::per_second,
    text::SafeText,
};
use crate::{
    client::{Runtime, types::ObjectRef},
    node::{Seen, meter::Meter, pressure::PressureFacts},
};

const READ: Duration = Duration::from_secs(10);
/// Of one object; with one every two seconds, more than is shown.
const POINTS: usize = 400;
/// How far back is shown at most.
pub const WINDOW: Duration = Duration::from_secs(300);
/// Objects that are kept.
const KEPT: usize = 4;
/// The time from one point to the next in which nothing was missed.
pub const GAP: Duration = Duration::from_secs(20);

pub async fn read(runtime: Arc<dyn Runtime>, send: mpsc::Sender<Event>, token: Token, object: ObjectRef) {
    let result = match timeout(READ, runtime.usage(&object)).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err(format!("ask what it uses: timeout after {} s", READ.as_secs())),
    };
    // Nobody waits for it when the channel is closed.
    let _closed = send.send(Event::Used { token, result }).await;
}

/// What graphs show; the last one is looked at.
#[derive(Debug, Clone, Default)]
pub struct Graphs {
    pub tracks: Vec<Track>,
    pub token: Token,
    /// When it was last asked for, and whether the answer is still to come.
    pub asked: Option<SystemTime>,
    pub pending: bool,
}

#[derive(Debug, Clone)]
pub struct Track {
    pub object: ObjectRef,
    pub title: SafeText,
    /// The oldest first.
    pub points: VecDeque<Point>,
    /// The last reading: its levels, sources and reasons.
    pub last: Option<Meter>,
    /// Why there is no newer one.
    pub error: Option<SafeText>,
}

/// One moment; what is not known has no value.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Point {
    pub at: Option<SystemTime>,
    /// Nanocores.
    pub cores: Option<u64>,
    pub memory: Option<u64>,
    /// Bytes in a second: in and out.
    pub network: Option<[u64; 2]>,
    pub io: Option<[u64; 2]>,
    /// Percent of the last ten seconds that some task waited: CPU, memory, I/O.
    pub waits: Option<[f32; 3]>,
}

impl Graphs {
    /// Turns to an object; `before` is what is known of it from elsewhere.
    pub fn turn(&mut self, object: ObjectRef, title: SafeText, before: Vec<Point>, token: Token) {
        let kept = self.tracks.iter().position(|t| t.object == object).map(|at| self.tracks.remove(at));
        let mut track =
            kept.unwrap_or_else(|| Track { object, title, points: VecDeque::new(), last: None, error: None });
        // Of the time that nobody looked: two of the five are better than a gap.
        let newest = track.points.back().and_then(|p| p.at);
        track.points.extend(before.into_iter().filter(|p| p.at > newest));
        while track.points.len() > POINTS {
            track.points.pop_front();
        }
        track.error = None;
        self.tracks.push(track);
        if self.tracks.len() > KEPT {
            self.tracks.remove(0);
        }
        (self.token, self.asked, self.pending) = (token, None, false);
    }

    pub fn shown(&self) -> Option<&Track> {
        self.tracks.last()
    }

    /// An answer; one that was asked for somebody else is nobody's.
    pub fn take(&mut self, token: Token, result: Result<Vec<Meter>, String>) {
        if token != self.token {
            return;
        }
        self.pending = false;
        let Some(track) = self.tracks.last_mut() else { return };
        match result {
            Ok(meters) => {
                track.error = None;
                meters.into_iter().for_each(|m| track.add(m));
            }
            Err(error) => track.error = Some(error.into()),
        }
    }
}

fn at<T>(seen: &Seen<T>) -> Option<(&T, SystemTime)> {
    match seen {
        Seen::At { value, at, .. } => Some((value, *at)),
        _ => None,
    }
}

impl Track {
    fn add(&mut self, meter: Meter) {
        let before = self.last.as_ref();
        let flow = |of: fn(&Meter) -> Option<(crate::node::meter::Flow, SystemTime)>| {
            let flow = per_second(before.and_then(of)?, of(&meter)?)?;
            Some([flow.inward, flow.outward])
        };
        let cores = || {
            let ((was, then), (is, now)) = (at(&before?.cpu)?, at(&meter.cpu)?);
            let nanos = now.duration_since(then).ok()?.as_nanos();
            let used = u128::from(is.nanos.checked_sub(was.nanos)?) * 1_000_000_000;
            u64::try_from(used.checked_div(nanos)?).ok()
        };
        let times = [
            at(&meter.cpu).map(|v| v.1),
            at(&meter.memory).map(|v| v.1),
            at(&meter.network).map(|v| v.1),
            at(&meter.io).map(|v| v.1),
            at(&meter.pressure).map(|v| v.1),
        ];
        let point = Point {
            at: times.into_iter().flatten().max(),
            cores: cores(),
            memory: meter.memory.value().map(|m| m.used),
            network: flow(|m| at(&m.network).map(|(f, t)| (*f, t))),
            io: flow(|m| at(&m.io).map(|(f, t)| (*f, t))),
            waits: meter.pressure.value().map(waits),
        };
        // A recording tells the same again, and so does a runtime that reads its figures seldom.
        if point.at.is_some() && point.at > self.points.back().and_then(|p| p.at) {
            self.points.push_back(point);
            if self.points.len() > POINTS {
                self.points.pop_front();
            }
            self.last = Some(meter);
        } else if point.at.is_none() {
            // Nothing is known any more: why, and no figures of before.
            self.last = Some(meter);
        }
    }

    /// Up to when, and how far back, graphs show: as little as holds all points, so that the first minute is not a thin line.
    pub fn window(&self, now: SystemTime) -> (SystemTime, Duration) {
        let end = self.points.back().and_then(|p| p.at).map_or(now, |last| last.max(now));
        let first =
            self.points.iter().filter_map(|p| p.at).find(|at| end.duration_since(*at).is_ok_and(|d| d < WINDOW));
        let span = first.and_then(|at| end.duration_since(at).ok()).unwrap_or_default();
        let steps = [60, 120].map(Duration::from_secs);
        (end, steps.into_iter().find(|s| span <= *s).unwrap_or(WINDOW))
    }
}

fn waits(facts: &PressureFacts) -> [f32; 3] {
    [facts.cpu.some[0], facts.memory.some[0], facts.io.some[0]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::meter::{Cpu, Flow, Memory};

    fn meter(second: u64, nanos: u64, inward: u64) -> Meter {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        fn seen<T>(value: T, at: SystemTime) -> Seen<T> {
            Seen::At { value, at, source: "test".into() }
        }
        Meter {
            cpu: seen(Cpu { nanos, limit: None }, at),
            memory: seen(Memory { used: 9, limit: None }, at),
            network: seen(Flow { inward, outward: 0 }, at),
            ..Meter::default()
        }
    }

    fn track() -> Graphs {
        let mut graphs = Graphs::default();
        graphs.turn(ObjectRef::Pod("p".into()), "p".into(), Vec::new(), 1);
        graphs
    }

    #[test]
    fn rates_are_of_two_readings_and_of_what_began_anew_there_is_none() {
        let mut graphs = track();
        graphs.take(1, Ok(vec![meter(10, 0, 100), meter(12, 1_000_000_000, 300)]));
        let points = |g: &Graphs| g.shown().unwrap().points.iter().copied().collect::<Vec<_>>();
        let all = points(&graphs);
        assert_eq!((all[0].cores, all[0].network, all[0].memory), (None, None, Some(9)));
        assert_eq!((all[1].cores, all[1].network, all[1].io), (Some(500_000_000), Some([100, 0]), None));
        // The same again is no new point; a counter that went back says nothing of the time between.
        graphs.take(1, Ok(vec![meter(10, 0, 100), meter(12, 1_000_000_000, 300)]));
        assert_eq!(points(&graphs).len(), 2);
        graphs.take(1, Ok(vec![meter(14, 5, 400)]));
        assert_eq!((points(&graphs)[2].cores, points(&graphs)[2].network), (None, Some([50, 0])));
        graphs.take(2, Ok(vec![meter(16, 5, 400)]));
        assert_eq!(points(&graphs).len(), 3, "for somebody else");
        graphs.take(1, Err("gone".into()));
        assert!(graphs.shown().unwrap().error.is_some() && points(&graphs).len() == 3);
    }

    #[test]
    fn what_is_kept_is_bounded_and_continued() {
        let mut graphs = track();
        for n in 0..1000 {
            graphs.take(1, Ok(vec![meter(10 + n, n, n)]));
        }
        assert_eq!(graphs.shown().unwrap().points.len(), POINTS);
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1010);
        assert_eq!(graphs.shown().unwrap().window(now), (now, WINDOW));
        for n in 0..9 {
            graphs.turn(ObjectRef::Container(n.to_string()), "c".into(), Vec::new(), 2 + n);
        }
        assert_eq!(graphs.tracks.len(), KEPT);
        graphs.take(10, Ok(vec![meter(1000, 0, 0)]));
        let before = Point { at: Some(now), cores: Some(1), ..Point::default() };
        let stale = Point { at: Some(SystemTime::UNIX_EPOCH), ..Point::default() };
        graphs.turn(ObjectRef::Container("8".into()), "c".into(), vec![stale, before], 20);
        assert_eq!(graphs.shown().unwrap().points.len(), 2, "its own, and what came since");
        assert_eq!(graphs.shown().unwrap().window(now).1, Duration::from_secs(60));
    }
}
