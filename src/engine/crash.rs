//! Crash points: named steps at which a test can make the engine die, to see that the next start puts everything right
//! (docs/architecture.md, "Crash consistency").
//!
//! `WHARF_CRASH_AT=<point>:<n>` kills the process the n-th time it comes by. Only builds with debug assertions have
//! this: it needs no second build for the tests, and a release has neither the names nor the look at the environment.

/// Every point, in the order of the step tables: blob ingest, layer unpack, image, pod, container, start, exit,
/// container removal, pod stop, pod removal, image removal and collection, recovery.
pub const POINTS: &[&str] = &[
    "ing.1",
    "ing.2",
    "ing.3",
    "ing.4",
    "ing.5",
    "ing.6",
    "ing.7",
    "ing.8", //
    "unp.1",
    "unp.2",
    "unp.3",
    "unp.4",
    "unp.5",
    "unp.8",
    "unp.mount", //
    "img.1",
    "img.2",
    "img.3", //
    "pod.1",
    "pod.2",
    "pod.3",
    "pod.4",
    "pod.5",
    "pod.6",
    "pod.7", //
    "ctr.1",
    "ctr.2",
    "ctr.3",
    "ctr.4",
    "ctr.5",
    "ctr.6",
    "ctr.7", //
    "start.1",
    "start.2",
    "start.3", //
    "exit.1",
    "exit.2", //
    "rm.1",
    "rm.2",
    "rm.3",
    "rm.4",
    "rm.5",
    "rm.6",
    "rm.7", //
    "stop.1",
    "stop.2",
    "stop.3",
    "stop.4",
    "stop.5", //
    "rmp.1",
    "rmp.2",
    "rmp.3",
    "rmp.4", //
    "rmi.1",
    "gc.1",
    "gc.2",
    "gc.3",
    "gc.4", //
    "rec.1",
    "rec.2",
    "rec.3",
    "rec.4",
];

#[cfg(debug_assertions)]
pub fn point(name: &'static str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    static ARMED: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let text = std::env::var("WHARF_CRASH_AT").ok()?;
        let (name, times) = text.rsplit_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), AtomicU32::new(times.parse().ok()?)))
    });
    if let Some((armed, left)) = &*ARMED
        && armed == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        unreachable!("crash point {name}: this process survived its SIGKILL ({killed:?})");
    }
}

#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn point(_: &'static str) {}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    fn called(directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                called(&path, found);
            } else if !path.ends_with("engine/crash.rs") {
                let text = fs::read_to_string(&path).unwrap();
                let names = text.split("crash::point(\"").skip(1).filter_map(|rest| rest.split('"').next());
                found.extend(names.map(ToOwned::to_owned));
            }
        }
    }

    #[test]
    fn every_point_is_in_the_list_and_in_the_code() {
        let mut found = Vec::new();
        called(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"), &mut found);
        let listed: BTreeSet<_> = super::POINTS.iter().map(|p| (*p).to_owned()).collect();
        assert_eq!(found.iter().cloned().collect::<BTreeSet<_>>(), listed);
        assert_eq!(listed.len(), super::POINTS.len(), "a name twice in the list");
    }
}
