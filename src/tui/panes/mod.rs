//! The panes: one file each, one line each in [`panes`]. A pane makes rows and draws; it reads nothing and knows no clock.

use ratatui::{Frame, layout::Rect};

use super::{
    model::Model,
    table::{Column, Row},
    theme::Tone,
};

pub mod cgroups;
pub mod containers;
pub mod disk;
pub mod events;
pub mod exec;
pub mod images;
pub mod logs;
pub mod node;
pub mod pods;
pub mod runbooks;
pub mod snapshots;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PaneId {
    Node,
    Pods,
    Containers,
    Images,
    Snapshots,
    Cgroups,
    Disk,
    Events,
    Logs,
    Runbooks,
    Exec,
}

/// A label and its value, for the side panel.
pub type Fact = (&'static str, String);

#[derive(Debug, Clone, Copy)]
pub struct Pane {
    pub id: PaneId,
    pub name: &'static str,
    /// For tabs where there is little room.
    pub short: &'static str,
    /// Other names for the command line.
    pub aliases: &'static [&'static str],
    pub columns: &'static [Column],
    pub rows: fn(&Model) -> Vec<Row>,
    /// How many there are, for the tab.
    pub count: fn(&Model) -> Option<usize>,
    /// The part of the inventory it shows, for its error and its age; empty for none.
    pub part: &'static str,
    /// The column sorted by at first.
    pub sort: usize,
    /// Lines above the table that it draws itself.
    pub extra: u16,
    pub draw: Option<fn(&Model, &mut Frame<'_>, Rect)>,
    /// More about the selected row where there is room.
    pub facts: Option<fn(&Model, &Row) -> Vec<Fact>>,
}

const fn col(name: &'static str, width: u16, grow: u16, from: u16) -> Column {
    Column { name, width, grow, right: false, from, down: false }
}

/// A figure: to the right, largest first.
const fn num(name: &'static str, width: u16, from: u16) -> Column {
    Column { name, width, grow: 0, right: true, from, down: true }
}

/// An age: to the right, and the newest (the largest time) first.
const fn age(from: u16) -> Column {
    Column { name: "AGE", width: 6, grow: 0, right: true, from, down: true }
}

const PANES: &[Pane] = &[
    node::PANE,
    pods::PANE,
    containers::PANE,
    images::PANE,
    snapshots::PANE,
    cgroups::PANE,
    disk::PANE,
    events::PANE,
    logs::PANE,
    runbooks::PANE,
    exec::PANE,
];

pub const fn panes() -> &'static [Pane] {
    PANES
}

pub fn of(id: PaneId) -> &'static Pane {
    &PANES[id as usize]
}

/// The pane a person names: whole name, alias, or the start of the name.
pub fn named(name: &str) -> Option<PaneId> {
    let name = name.to_lowercase();
    let exact = PANES.iter().find(|p| p.name.to_lowercase() == name || p.aliases.contains(&name.as_str()));
    exact.or_else(|| PANES.iter().find(|p| p.name.to_lowercase().starts_with(&name))).map(|p| p.id)
}

fn none(_: &Model) -> Option<usize> {
    None
}

/// For columns of a state: trouble comes first, and what has ended well last.
fn gravity(tone: Tone) -> u64 {
    match tone {
        Tone::Bad | Tone::Alarm => 0,
        Tone::Warn => 1,
        Tone::Accent => 2,
        Tone::Dim => 4,
        _ => 3,
    }
}

fn seconds(at: std::time::SystemTime) -> u64 {
    at.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_stand_where_their_ids_say() {
        for pane in panes() {
            assert_eq!(of(pane.id).name, pane.name);
            assert_eq!(named(pane.name), Some(pane.id));
        }
        assert_eq!(named("po"), Some(PaneId::Pods));
        assert_eq!(named("img"), Some(PaneId::Images));
        assert_eq!(named("nonsense"), None);
    }
}
