//! Where the bytes are: filesystems and the runtime's parts on them.

use super::{Fact, Pane, PaneId, col, num};
use crate::{
    client::types::DiskUse,
    tui::{
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::{Tone, fullness},
    },
};

const COLUMNS: &[Column] = &[
    col("WHAT", 20, 0, 0),
    num("USED", 7, 0),
    Column { name: "OF THE FILESYSTEM", width: 17, grow: 1, right: false, from: 0, down: true },
    num("FREE", 7, 0),
    num("INODES", 8, 76),
    col("PATH", 10, 2, 60),
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

fn rows(model: &Model) -> Vec<Row> {
    let row = |d: &DiskUse| {
        let known = d.total_bytes > 0;
        let percent = (u128::from(d.used_bytes) * 100 / u128::from(d.total_bytes.max(1))) as u64;
        // A part of the filesystem is coloured by how full the whole is.
        let full = fullness(d.total_bytes.saturating_sub(d.free_bytes), d.total_bytes);
        Row {
            id: format!("{}\0{}", d.what, d.path),
            object: None,
            name: d.what.clone(),
            cells: vec![
                Cell::new(d.what.as_str()),
                Cell::number(text::bytes_short(d.used_bytes), d.used_bytes),
                if known {
                    Cell::number(format!("{} {percent:>3}%", text::bar(d.used_bytes, d.total_bytes, 12)), percent)
                        .tone(full)
                } else {
                    Cell::new("size not known").tone(Tone::Dim)
                },
                Cell::number(if known { text::bytes_short(d.free_bytes) } else { "-".into() }, d.free_bytes)
                    .tone(if known { full } else { Tone::Dim }),
                Cell::number(d.used_inodes.to_string(), d.used_inodes).tone(Tone::Dim),
                Cell::new(d.path.as_str()),
            ],
            tie: 0,
        }
    };
    model.seen.disk.value().into_iter().flatten().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let all = model.seen.disk.value().into_iter().flatten();
    let Some(d) = all.into_iter().find(|d| format!("{}\0{}", d.what, d.path) == row.id) else { return Vec::new() };
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
    let layers: u64 = model.seen.stats.value().into_iter().flatten().filter_map(|s| s.layer_bytes).sum();
    facts.push(("", String::new()));
    facts.push(("images", text::bytes(images)));
    facts.push(("writable", format!("{} in container layers", text::bytes(layers))));
    facts.push(("", String::new()));
    facts.push(("next", "p shows what a prune would free".into()));
    facts
}
