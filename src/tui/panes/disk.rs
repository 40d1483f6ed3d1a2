//! Where the bytes are: filesystems, the runtime's parts on them, and the containers that fill them.

use super::{Fact, Pane, PaneId, col, containers::written, num};
use crate::{
    client::types::{Container, DiskUse, ObjectRef},
    tui::{
        keymap::Cmd,
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::{Tone, fullness},
    },
};

const COLUMNS: &[Column] = &[
    col("WHAT", 20, 1, 0),
    num("USED", 7, 0),
    Column { name: "OF THE FILESYSTEM", width: 17, grow: 0, right: false, from: 0, down: true },
    num("FREE", 7, 0),
    num("INODES", 8, 100),
    col("WHERE", 16, 2, 60),
];

pub const PANE: Pane = Pane {
    id: PaneId::Disk,
    name: "Disk",
    short: "Disk",
    aliases: &["df", "du", "disks"],
    columns: COLUMNS,
    rows,
    count: super::none,
    part: "disk",
    sort: 1,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

/// A part of a filesystem of that size: its cell, coloured by how full the whole is.
fn share(used: u64, whole: &DiskUse) -> Cell {
    if whole.total_bytes == 0 {
        return Cell::new("size not known").tone(Tone::Dim);
    }
    let percent = (u128::from(used) * 100 / u128::from(whole.total_bytes)) as u64;
    let full = fullness(whole.total_bytes.saturating_sub(whole.free_bytes), whole.total_bytes);
    Cell::number(format!("{} {percent:>3}%", text::bar(used, whole.total_bytes, 12)), used).tone(full)
}

fn rows(model: &Model) -> Vec<Row> {
    let parts = model.seen.disk.value().map(Vec::as_slice).unwrap_or_default();
    parts.iter().map(|d| part(model, d)).chain(containers(model, parts)).collect()
}

fn part(model: &Model, d: &DiskUse) -> Row {
    let known = d.total_bytes > 0;
    let full = fullness(d.total_bytes.saturating_sub(d.free_bytes), d.total_bytes);
    let of = logged(model, d);
    let name = of.map_or_else(|| d.what.clone(), |c| format!("{}/{}", pod(model, c).1, c.name));
    Row {
        id: format!("{}\0{}", d.what, d.path),
        object: of.map(|c| ObjectRef::Container(c.id.clone())),
        name,
        cells: vec![
            Cell::new(d.what.as_str()),
            Cell::number(text::bytes_short(d.used_bytes), d.used_bytes),
            share(d.used_bytes, d),
            Cell::number(if known { text::bytes_short(d.free_bytes) } else { "-".into() }, d.free_bytes)
                .tone(if known { full } else { Tone::Dim }),
            Cell::number(d.used_inodes.to_string(), d.used_inodes).tone(Tone::Dim),
            Cell::new(d.path.as_str()),
        ],
        tie: 0,
    }
}

/// What containers wrote, each by itself.
fn containers(model: &Model, parts: &[DiskUse]) -> Vec<Row> {
    let whole = |what: &str| parts.iter().find(|d| d.what == what);
    let whole = whole("container filesystem").or_else(|| whole("image filesystem")).cloned().unwrap_or_default();
    let written = written(model);
    let row = |c: &Container| {
        let bytes = written.get(c.id.as_str()).copied().filter(|b| *b > 0)?;
        let (namespace, pod) = pod(model, c);
        let attempt = if c.attempt > 0 { format!(" #{}", c.attempt) } else { String::new() };
        Some(Row {
            id: c.id.clone(),
            object: Some(ObjectRef::Container(c.id.clone())),
            name: format!("{pod}/{}", c.name),
            cells: vec![
                Cell::new(format!("layer of {}{attempt}", c.name)),
                Cell::number(text::bytes_short(bytes), bytes),
                share(bytes, &whole),
                Cell::default(),
                Cell::default(),
                Cell::new(format!("{namespace}/{pod}")),
            ],
            tie: 0,
        })
    };
    model.seen.containers.value().into_iter().flatten().filter_map(row).collect()
}

fn pod<'a>(model: &'a Model, c: &'a Container) -> (&'a str, &'a str) {
    let found = model.seen.pods.value().into_iter().flatten().find(|p| p.id == c.pod);
    found.map_or(("", c.pod.as_str()), |p| (p.namespace.as_str(), p.name.as_str()))
}

/// The newest container whose logs are in a directory as the kubelet names it: `NAMESPACE_POD_UID/CONTAINER`.
fn logged<'a>(model: &'a Model, d: &DiskUse) -> Option<&'a Container> {
    let (directory, name) = d.path.rsplit_once('/').filter(|_| d.what.starts_with("logs of "))?;
    let directory = directory.rsplit('/').next()?;
    let uid = directory.rsplit('_').next().filter(|u| !u.is_empty())?;
    let pods: Vec<&str> = model.seen.pods.value()?.iter().filter(|p| p.uid == uid).map(|p| p.id.as_str()).collect();
    let of = |c: &&Container| c.name == name && pods.contains(&c.pod.as_str());
    model.seen.containers.value()?.iter().filter(of).max_by_key(|c| c.attempt)
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let all = model.seen.disk.value().into_iter().flatten();
    let plan = model.keymap.named(Cmd::PlanPrune);
    let next = ("next", format!("{plan} shows what a prune would free"));
    let Some(d) = all.into_iter().find(|d| format!("{}\0{}", d.what, d.path) == row.id) else {
        let mut facts = super::containers::facts(model, row);
        facts.truncate(facts.iter().position(|f| f.0 == "label").unwrap_or(facts.len()));
        facts.push(("layer", "goes with its container, at its next restart or removal".into()));
        return facts;
    };
    let mut facts: Vec<Fact> =
        vec![("path", d.path.clone()), ("used", text::bytes(d.used_bytes)), ("inodes", d.used_inodes.to_string())];
    if d.total_bytes > 0 {
        let used = d.total_bytes.saturating_sub(d.free_bytes);
        facts.push(("", String::new()));
        facts.push(("fs size", text::bytes(d.total_bytes)));
        facts.push(("fs used", text::bytes(used)));
        facts.push(("fs free", text::bytes(d.free_bytes)));
        facts.push(("fs full", text::bar(used, d.total_bytes, 24)));
    }
    let images: u64 = model.seen.images.value().into_iter().flatten().map(|i| i.size).sum();
    let layers: u64 = written(model).values().sum();
    facts.push(("", String::new()));
    facts.push(("images", text::bytes(images)));
    facts.push(("writable", format!("{} in container layers", text::bytes(layers))));
    facts.push(("", String::new()));
    facts.push(next);
    facts
}
