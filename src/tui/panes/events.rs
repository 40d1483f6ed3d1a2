//! What happened, newest first: containers that came and went and why, images, the runtime's own health, what was done
//! from here.

use super::{Fact, Pane, PaneId, age, col, seconds};
use crate::tui::{
    happen::Happening,
    model::Model,
    table::{Cell, Column, Row},
    text,
    theme::Tone,
};

const COLUMNS: &[Column] = &[age(0), col("KIND", 9, 0, 0), col("OBJECT", 24, 2, 0), col("WHAT", 24, 5, 0)];

pub const PANE: Pane = Pane {
    id: PaneId::Events,
    name: "Events",
    short: "Evts",
    aliases: &["ev", "event", "happened"],
    columns: COLUMNS,
    rows,
    count: |m| Some(m.happened.count()).filter(|n| *n > 0),
    part: "",
    sort: 0,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

fn rows(model: &Model) -> Vec<Row> {
    let row = |h: &Happening| Row {
        id: h.number.to_string(),
        object: h.object.clone(),
        name: h.name.to_string(),
        cells: vec![
            Cell::number(text::age(model.now, h.at), seconds(h.at)),
            Cell::new(h.kind).tone(Tone::Dim),
            Cell::new(h.name.as_str()),
            Cell::new(h.what.as_str()).tone(h.tone),
        ],
        tie: h.number,
    };
    model.happened.iter().map(row).collect()
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some(h) = model.happened.iter().find(|h| h.number.to_string() == row.id) else { return Vec::new() };
    let mut facts = vec![
        ("at", text::stamp(h.at)),
        ("kind", h.kind.to_owned()),
        ("object", h.name.to_string()),
        ("", String::new()),
        ("what", h.what.to_string()),
    ];
    if let Some(crate::client::types::ObjectRef::Container(id)) = &h.object {
        facts.extend([
            ("", String::new()),
            ("id", text::short_id(id).to_owned()),
            ("next", "l shows its log".to_owned()),
        ]);
    }
    facts
}
