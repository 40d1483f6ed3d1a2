//! Images, largest first, and who uses them.

use std::collections::{BTreeSet, HashMap};

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

/// How many containers use each image, by its id. Once through each list.
fn users<'a>(images: &'a [Image], containers: &'a [Container]) -> HashMap<&'a str, u64> {
    let mut names: HashMap<&str, Vec<&str>> = HashMap::new();
    for image in images {
        for name in image.tags.iter().chain(&image.digests).chain([&image.id]) {
            names.entry(name).or_default().push(&image.id);
        }
    }
    let mut users = HashMap::new();
    for c in containers {
        let volumes = c.detail.iter().flat_map(|d| &d.image_volumes);
        let named = volumes.chain([&c.image_id, &c.image]).filter_map(|n| names.get(n.as_str()));
        for id in named.flatten().collect::<BTreeSet<_>>() {
            *users.entry(*id).or_default() += 1;
        }
    }
    users
}

fn name(image: &Image) -> &str {
    image.tags.first().or(image.digests.first()).map_or(image.id.as_str(), String::as_str)
}

fn rows(model: &Model) -> Vec<Row> {
    let images = model.seen.images.value().map(Vec::as_slice).unwrap_or_default();
    let containers = model.seen.containers.value().map(Vec::as_slice).unwrap_or_default();
    let largest = images.iter().map(|i| i.size).max().unwrap_or(0);
    let users = users(images, containers);
    let row = |image: &Image| {
        let used = users.get(image.id.as_str()).copied().unwrap_or(0);
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
