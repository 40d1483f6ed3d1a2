//! Images, largest first, and who uses them.

use super::{Fact, Pane, PaneId, col, num};
use crate::{
    client::types::{Container, Image, ObjectRef},
    tui::{
        model::Model,
        table::{Cell, Column, Row},
        text,
        theme::Tone,
    },
};

const COLUMNS: &[Column] = &[
    col("IMAGE", 32, 5, 0),
    num("SIZE", 6, 0),
    Column { name: "SHARE", width: 10, grow: 0, right: false, from: 90, down: true },
    num("USED", 4, 0),
    col("KEEP", 8, 0, 60),
    num("TAGS", 4, 100),
    col("USER", 8, 0, 116),
    col("ID", 12, 0, 70),
];

pub const PANE: Pane = Pane {
    id: PaneId::Images,
    name: "Images",
    short: "Imgs",
    aliases: &["img", "image"],
    columns: COLUMNS,
    rows,
    count: |m| m.seen.images.value().map(Vec::len),
    part: "images",
    sort: 1,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

fn uses(c: &Container, image: &Image) -> bool {
    let named = |name: &str| {
        name == image.id || image.tags.iter().any(|t| t == name) || image.digests.iter().any(|d| d == name)
    };
    named(&c.image_id) || named(&c.image) || c.detail.iter().flat_map(|d| &d.image_volumes).any(|v| named(v))
}

fn name(image: &Image) -> &str {
    image.tags.first().or(image.digests.first()).map_or(image.id.as_str(), String::as_str)
}

fn rows(model: &Model) -> Vec<Row> {
    let images = model.seen.images.value().map(Vec::as_slice).unwrap_or_default();
    let containers = model.seen.containers.value().map(Vec::as_slice).unwrap_or_default();
    let largest = images.iter().map(|i| i.size).max().unwrap_or(0);
    let row = |image: &Image| {
        let used = containers.iter().filter(|c| uses(c, image)).count() as u64;
        let sandbox = image.tags.iter().chain(&image.digests).any(|t| *t == model.seen.sandbox_image);
        let keep = match (image.pinned, sandbox, used) {
            (true, ..) => ("pinned", Tone::Accent),
            (_, true, _) => ("sandbox", Tone::Accent),
            (.., 1..) => ("in use", Tone::Good),
            _ => ("unused", Tone::Warn),
        };
        Row {
            id: image.id.clone(),
            object: Some(ObjectRef::Image(image.id.clone())),
            name: name(image).to_owned(),
            cells: vec![
                Cell::new(name(image)).tone(if image.tags.is_empty() { Tone::Dim } else { Tone::Plain }),
                Cell::number(text::bytes_short(image.size), image.size),
                Cell::number(text::bar(image.size, largest, 10), image.size).tone(Tone::Accent),
                Cell::number(used.to_string(), used),
                Cell::new(keep.0).tone(keep.1),
                Cell::number(image.tags.len().to_string(), image.tags.len() as u64).tone(Tone::Dim),
                Cell::new(image.username.as_str()).tone(Tone::Dim),
                Cell::new(text::short_id(&image.id)).tone(Tone::Dim),
            ],
            tie: 0,
        }
    };
    images.iter().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some(image) = model.seen.images.value().into_iter().flatten().find(|i| i.id == row.id) else {
        return Vec::new();
    };
    let mut facts: Vec<Fact> = vec![("id", image.id.clone()), ("size", text::bytes(image.size))];
    facts.extend(image.tags.iter().map(|t| ("tag", t.clone())));
    facts.extend(image.digests.iter().map(|d| ("digest", d.clone())));
    facts.push(("", String::new()));
    let containers = model.seen.containers.value().into_iter().flatten();
    facts.extend(containers.filter(|c| uses(c, image)).map(|c| {
        let (state, _) = super::containers::state(c);
        ("used by", format!("{}  {state}", c.name))
    }));
    facts
}
