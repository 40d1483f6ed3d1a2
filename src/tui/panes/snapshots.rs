//! Snapshots of every snapshotter and containerd namespace, and what they hang on.

use super::{Fact, Pane, PaneId, age, col, num, seconds};
use crate::{
    client::types::{ObjectRef, SnapshotRow},
    tui::{
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::Tone,
    },
};

const COLUMNS: &[Column] = &[
    col("KEY", 20, 4, 0),
    col("KIND", 9, 0, 0),
    num("SIZE", 6, 0),
    num("INODES", 7, 0),
    num("KIDS", 4, 60),
    col("SNAPSHOTTER", 11, 0, 100),
    col("NAMESPACE", 9, 0, 100),
    col("PARENT", 14, 2, 90),
    age(0),
];

pub const PANE: Pane = Pane {
    id: PaneId::Snapshots,
    name: "Snapshots",
    short: "Snaps",
    aliases: &["sn", "snap", "snapshot"],
    columns: COLUMNS,
    rows,
    count: |m| m.seen.snapshots.value().map(Vec::len),
    part: "snapshots",
    sort: 2,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

fn children(all: &[SnapshotRow], of: &SnapshotRow) -> usize {
    let same = |s: &&SnapshotRow| {
        s.snapshotter == of.snapshotter && s.namespace == of.namespace && s.parent.as_ref() == Some(&of.key)
    };
    all.iter().filter(same).count()
}

fn rows(model: &Model) -> Vec<Row> {
    let all = model.seen.snapshots.value().map(Vec::as_slice).unwrap_or_default();
    let mut kids = std::collections::BTreeMap::<_, u64>::new();
    for s in all {
        if let Some(parent) = &s.parent {
            *kids.entry((s.snapshotter.as_str(), s.namespace.as_str(), parent.as_str())).or_default() += 1;
        }
    }
    let row = |s: &SnapshotRow| {
        let kids = kids.get(&(s.snapshotter.as_str(), s.namespace.as_str(), s.key.as_str())).copied().unwrap_or(0);
        let tone = match s.kind.as_str() {
            "active" => Tone::Good,
            "view" => Tone::Accent,
            _ => Tone::Dim,
        };
        Row {
            id: format!("{}\0{}\0{}", s.snapshotter, s.namespace, s.key),
            object: Some(ObjectRef::Snapshot {
                snapshotter: s.snapshotter.clone(),
                namespace: s.namespace.clone(),
                key: s.key.clone(),
            }),
            name: s.key.clone(),
            cells: vec![
                Cell::new(s.key.as_str()),
                Cell::new(s.kind.as_str()).tone(tone),
                Cell::number(s.bytes.map_or_else(|| "-".into(), text::bytes_short), s.bytes),
                Cell::number(s.inodes.map_or_else(|| "-".into(), |n| n.to_string()), s.inodes),
                Cell::number(kids.to_string(), kids).tone(Tone::Dim),
                Cell::new(s.snapshotter.as_str()),
                Cell::new(s.namespace.as_str()).tone(Tone::Dim),
                Cell::new(s.parent.as_deref().unwrap_or("-")).tone(Tone::Dim),
                s.created.map_or_else(
                    || Cell::new("-"),
                    |created| Cell::number(text::age(model.now, created), seconds(created)),
                ),
            ],
            tie: s.created.map_or(0, seconds),
        }
    };
    all.iter().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let all = model.seen.snapshots.value().map(Vec::as_slice).unwrap_or_default();
    let find = |key: &str, like: &SnapshotRow| {
        all.iter().find(|s| s.key == key && s.snapshotter == like.snapshotter && s.namespace == like.namespace)
    };
    let id = |s: &&SnapshotRow| format!("{}\0{}\0{}", s.snapshotter, s.namespace, s.key) == row.id;
    let Some(snapshot) = all.iter().find(id) else { return Vec::new() };
    let mut facts: Vec<Fact> = vec![
        ("key", snapshot.key.clone()),
        ("kind", snapshot.kind.clone()),
        ("children", children(all, snapshot).to_string()),
        ("", String::new()),
    ];
    let (mut at, mut total) = (Some(snapshot), 0);
    // A damaged database may have a ring; a chain is never longer than an image's layers.
    for _ in 0..128 {
        let Some(s) = at else { break };
        total += s.bytes.unwrap_or(0);
        facts.push(("chain", format!("{:>6} {}", s.bytes.map_or_else(|| "-".into(), text::bytes_short), s.key)));
        at = s.parent.as_deref().and_then(|p| find(p, s));
    }
    facts.push(("chain sum", text::bytes(total)));
    facts.push(("", String::new()));
    facts.extend(snapshot.labels.iter().map(|(k, v)| ("label", format!("{k}={v}"))));
    facts
}
