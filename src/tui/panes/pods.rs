//! Pod sandboxes.

use std::collections::{BTreeSet, HashMap};

use super::{Fact, Pane, PaneId, age, col, gravity, num, seconds};
use crate::{
    client::types::{Container, ContainerState, ObjectRef, PodSandbox, PodState},
    tui::{
        keymap::Cmd,
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::Tone,
    },
};

const COLUMNS: &[Column] = &[
    col("NAME", 18, 4, 0),
    col("NAMESPACE", 11, 1, 0),
    col("STATUS", 12, 0, 0),
    num("CTRS", 5, 0),
    num("RST", 3, 0),
    num("CPU", 5, 76),
    num("MEM", 6, 76),
    col("IP", 15, 0, 96),
    col("HANDLER", 9, 0, 110),
    age(0),
    col("ID", 12, 0, 126),
];

pub const PANE: Pane = Pane {
    id: PaneId::Pods,
    name: "Pods",
    short: "Pods",
    aliases: &["po", "pod"],
    columns: COLUMNS,
    rows,
    count: |m| m.seen.pods.value().map(Vec::len),
    part: "pods",
    // Who is in trouble stands first.
    sort: 2,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

/// What is the matter with a pod, or that nothing is: of its containers' newest attempts the worst.
pub fn status(pod: &PodSandbox, containers: &[Container]) -> (String, Tone) {
    status_of(pod, &containers.iter().filter(|c| c.pod == pod.id).collect::<Vec<_>>())
}

/// By the containers that are in it.
fn status_of(pod: &PodSandbox, inside: &[&Container]) -> (String, Tone) {
    if pod.state == PodState::NotReady {
        return ("NotReady".into(), Tone::Dim);
    }
    let newest = |c: &&&Container| !inside.iter().any(|o| o.name == c.name && o.attempt > c.attempt);
    let ended: Vec<&&Container> = inside.iter().filter(newest).filter(|c| c.state == ContainerState::Exited).collect();
    let failed = |c: &&&&Container| c.detail.as_ref().is_some_and(|d| d.exit_code != 0);
    if let Some(bad) = ended.iter().find(failed) {
        // With an earlier attempt it is not the first time.
        let (state, tone) = super::containers::state(bad);
        let code = bad.detail.as_ref().map_or(0, |d| d.exit_code);
        let again = bad.attempt > 0 && state != "OOMKilled";
        return (if again { format!("CrashLoop {code}") } else { state }, tone);
    }
    match (inside.is_empty(), !inside.is_empty() && inside.iter().all(|c| c.state == ContainerState::Exited)) {
        (true, _) => ("NoContainer".into(), Tone::Warn),
        (_, true) => ("Completed".into(), Tone::Dim),
        _ => ("Ready".into(), Tone::Good),
    }
}

fn rows(model: &Model) -> Vec<Row> {
    // Once through each list: a full node has a thousand containers.
    let mut by_pod: HashMap<&str, Vec<&Container>> = HashMap::new();
    for c in model.seen.containers.value().into_iter().flatten() {
        by_pod.entry(&c.pod).or_default().push(c);
    }
    let stats = model.seen.stats.value().into_iter().flatten();
    let memory: HashMap<&str, u64> = stats.filter_map(|s| Some((s.id.as_str(), s.memory_working_set?))).collect();
    let row = |pod: &PodSandbox| {
        let inside = by_pod.get(pod.id.as_str()).map(Vec::as_slice).unwrap_or_default();
        let names: BTreeSet<&str> = inside.iter().map(|c| c.name.as_str()).collect();
        let running = inside.iter().filter(|c| c.state == ContainerState::Running).count();
        let restarts = inside.iter().map(|c| c.attempt).max().unwrap_or(0);
        // The pod's own figures, or its containers' together.
        let figure = |of: &dyn Fn(&str) -> Option<u64>| {
            let sum = || inside.iter().filter_map(|c| of(&c.id)).reduce(u64::saturating_add);
            of(&pod.id).or_else(sum)
        };
        let cpu = figure(&|id| model.history.cores(id));
        let memory = figure(&|id| memory.get(id).copied());
        let (status, tone) = status_of(pod, inside);
        let ready = pod.state == PodState::Ready;
        let all = running == names.len();
        Row {
            id: pod.id.clone(),
            object: Some(ObjectRef::Pod(pod.id.clone())),
            name: format!("{}/{}", pod.namespace, pod.name),
            cells: vec![
                Cell::new(pod.name.as_str()),
                Cell::new(pod.namespace.as_str()).tone(Tone::Dim),
                Cell::number(status, gravity(tone)).tone(tone),
                Cell::number(format!("{running}/{}", names.len()), running as u64).tone(match (ready, all) {
                    (true, false) => Tone::Warn,
                    (true, true) => Tone::Plain,
                    _ => Tone::Dim,
                }),
                Cell::number(restarts.to_string(), u64::from(restarts)).tone(match restarts {
                    0 => Tone::Dim,
                    1..=3 => Tone::Plain,
                    _ => Tone::Warn,
                }),
                Cell::number(cpu.map_or_else(|| "-".into(), text::cores), cpu),
                Cell::number(memory.map_or_else(|| "-".into(), text::bytes_short), memory),
                Cell::new(if pod.ip.is_empty() { "-" } else { pod.ip.as_str() }),
                Cell::new(if pod.handler.is_empty() { "default" } else { pod.handler.as_str() }).tone(Tone::Dim),
                Cell::number(text::age(model.now, pod.created), seconds(pod.created)),
                Cell::new(text::short_id(&pod.id)).tone(Tone::Dim),
            ],
            tie: seconds(pod.created),
        }
    };
    model.seen.pods.value().into_iter().flatten().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some(pod) = model.seen.pods.value().into_iter().flatten().find(|p| p.id == row.id) else { return Vec::new() };
    let mut facts: Vec<Fact> = vec![
        ("id", text::short_id(&pod.id).into()),
        ("uid", pod.uid.clone()),
        ("created", text::stamp(pod.created)),
        ("ip", if pod.ip.is_empty() { "none, or the host's".into() } else { pod.ip.clone() }),
        ("attempt", pod.attempt.to_string()),
        ("", String::new()),
    ];
    for c in model.seen.containers.value().into_iter().flatten().filter(|c| c.pod == pod.id) {
        let (state, _) = super::containers::state(c);
        let attempt = if c.attempt > 0 { format!(" #{}", c.attempt) } else { String::new() };
        facts.push(("container", format!("{}{attempt}  {state}", c.name)));
    }
    if status(pod, model.seen.containers.value().map(Vec::as_slice).unwrap_or_default()).0 == "NoContainer" {
        facts.push((
            "why",
            format!(
                "no container was made: its image may not be pulled; {} finds out",
                model.keymap.named(Cmd::Diagnose)
            ),
        ));
    }
    facts.push(("", String::new()));
    facts.extend(pod.labels.iter().map(|(k, v)| ("label", format!("{k}={v}"))));
    facts
}
