//! A table that is filtered, sorted and selected by id. State and layout only; panes make the rows.

use std::{collections::BTreeSet, time::SystemTime};

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    filter::Filter,
    text::{SafeText, cut},
    theme::{Theme, Tone},
};
use crate::client::types::ObjectRef;

#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    /// Cells; the least of a column that grows.
    pub width: u16,
    /// Share of the room that is left; 0 is fixed.
    pub grow: u16,
    pub right: bool,
    /// Not shown in tables narrower than this.
    pub from: u16,
    /// Sorted by it, the largest comes first.
    pub down: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub text: SafeText,
    pub tone: Tone,
    /// Sorts before the text does.
    pub number: Option<u64>,
}

impl Cell {
    pub fn new(text: impl Into<SafeText>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub fn number(text: impl Into<SafeText>, number: impl Into<Option<u64>>) -> Self {
        Self { text: text.into(), number: number.into(), tone: Tone::Plain }
    }

    #[must_use]
    pub fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Unique in its table, full length.
    pub id: String,
    /// What the keys act on; none for rows that are only figures.
    pub object: Option<ObjectRef>,
    /// For titles and plans.
    pub name: String,
    pub cells: Vec<Cell>,
    /// Of rows that are equal in the column sorted by and in the first, the one with the larger comes first.
    pub tie: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableState {
    pub selected: Option<String>,
    /// Where the selected row stands, or stood when it vanished.
    pub at: usize,
    /// The selected row vanished: keys act on nothing until a row is chosen again.
    pub lost: bool,
    pub offset: usize,
    pub sort: usize,
    pub reversed: bool,
    pub filter: String,
    /// Those that are shown, in their order; none is all that fit, as the pane has them.
    pub columns: Vec<usize>,
    /// Rows that a plan is to be about, by id.
    pub marked: BTreeSet<String>,
}

impl TableState {
    /// Indices of the rows to show, in order.
    pub fn order(&self, rows: &[Row], columns: &[Column], now: SystemTime) -> Vec<usize> {
        let filter = Filter::parse(&self.filter, columns);
        let mut order: Vec<usize> = (0..rows.len()).filter(|i| filter.matches(&rows[*i], now)).collect();
        let column = self.sort.min(columns.len().saturating_sub(1));
        let down = columns.get(column).is_some_and(|c| c.down) != self.reversed;
        order.sort_by(|a, b| {
            let (x, y) = (rows[*a].cells.get(column), rows[*b].cells.get(column));
            let by = x
                .and_then(|c| c.number)
                .cmp(&y.and_then(|c| c.number))
                .then_with(|| x.map(|c| &c.text).cmp(&y.map(|c| &c.text)));
            let by = if down { by.reverse() } else { by };
            let name = |i: &usize| rows[*i].cells.first().map(|c| &c.text);
            by.then_with(|| name(a).cmp(&name(b)))
                .then_with(|| rows[*b].tie.cmp(&rows[*a].tie))
                .then_with(|| rows[*a].id.cmp(&rows[*b].id))
        });
        order
    }

    /// Finds the selected row again after the rows changed, and scrolls it into the `height` rows that are shown.
    pub fn settle(&mut self, rows: &[Row], order: &[usize], height: usize) {
        match &self.selected {
            Some(id) => match order.iter().position(|i| rows[*i].id == *id) {
                Some(at) => self.at = at,
                None => (self.selected, self.lost) = (None, true),
            },
            None if !self.lost => self.pick(rows, order, 0),
            None => {}
        }
        let height = height.max(1);
        self.offset = self.offset.min(order.len().saturating_sub(height));
        if self.selected.is_some() {
            self.offset = self.offset.clamp((self.at + 1).saturating_sub(height), self.at);
        }
    }

    /// Moves by rows; a lost selection comes back where it was.
    pub fn step(&mut self, rows: &[Row], order: &[usize], by: isize, height: usize) {
        let to = if self.selected.is_none() { self.at } else { self.at.saturating_add_signed(by) };
        self.pick(rows, order, to);
        self.settle(rows, order, height);
    }

    fn pick(&mut self, rows: &[Row], order: &[usize], at: usize) {
        self.at = at.min(order.len().saturating_sub(1));
        self.selected = order.get(self.at).map(|i| rows[*i].id.clone());
        self.lost = false;
    }

    /// Another filter: the selection stays if its row does, else the first row has it.
    pub fn refilter(&mut self, filter: String, rows: &[Row], columns: &[Column], now: SystemTime, height: usize) {
        self.filter = filter;
        let order = self.order(rows, columns, now);
        if !self.selected.as_ref().is_some_and(|id| order.iter().any(|i| rows[*i].id == *id)) {
            (self.selected, self.lost) = (None, false);
        }
        self.settle(rows, &order, height);
    }
}

/// A letter for each column, to sort by it: the first of its name that is free.
pub fn letters(columns: &[Column]) -> Vec<char> {
    let mut taken = Vec::new();
    for column in columns {
        let name = column.name.to_lowercase();
        let all = name.chars().chain('a'..='z').filter(char::is_ascii_lowercase);
        taken.push(all.into_iter().find(|c| !taken.contains(c)).unwrap_or('?'));
    }
    taken
}

/// Rows or columns under a place of the screen, given where the table was drawn.
pub fn column_at(columns: &[Column], chosen: &[usize], area: Rect, x: u16) -> Option<usize> {
    let mut left = area.x + 2;
    for (i, width) in layout(columns, chosen, area.width.saturating_sub(2)) {
        if (left..left + width + 2).contains(&x) {
            return Some(i);
        }
        left += width + 2;
    }
    None
}

/// Columns that fit `width`, with their widths: the `chosen` ones, or else those that are for tables of this width. Where a column
/// would get less than its least one is left out: the one for the widest tables first, and of those the last.
pub fn layout(columns: &[Column], chosen: &[usize], width: u16) -> Vec<(usize, u16)> {
    let mut shown: Vec<usize> = match chosen {
        [] => (0..columns.len()).filter(|i| columns[*i].from <= width).collect(),
        chosen => chosen.iter().copied().filter(|i| *i < columns.len()).collect(),
    };
    let need = |shown: &[usize]| shown.iter().map(|i| columns[*i].width + 2).sum::<u16>();
    while shown.len() > 1
        && need(&shown) > width + 2
        && let Some(out) = (0..shown.len()).max_by_key(|at| columns[shown[*at]].from)
    {
        shown.remove(out);
    }
    let spare = (width + 2).saturating_sub(need(&shown));
    let shares: u16 = shown.iter().map(|i| columns[*i].grow).sum();
    shown
        .into_iter()
        .map(|i| (i, columns[i].width + (spare * columns[i].grow).checked_div(shares).unwrap_or(0)))
        .collect()
}

pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    theme: Theme,
    columns: &[Column],
    rows: &[Row],
    order: &[usize],
    state: &TableState,
) {
    let places = layout(columns, &state.columns, area.width.saturating_sub(2));
    let mut x = area.x + 2;
    for (i, width) in &places {
        let column = &columns[*i];
        let arrow = match (state.sort == *i, column.down != state.reversed) {
            (false, _) => "",
            (true, true) => "↓",
            (true, false) => "↑",
        };
        put(buffer, x, area.y, *width, &format!("{}{arrow}", column.name), column.right, theme.style(Tone::Head));
        x += width + 2;
    }
    for (line, i) in order.iter().skip(state.offset).take(usize::from(area.height.saturating_sub(1))).enumerate() {
        let (row, y) = (&rows[*i], area.y + 1 + line as u16);
        let selected = state.selected.as_deref() == Some(row.id.as_str());
        let marked = state.marked.contains(&row.id);
        if selected {
            buffer.set_style(Rect { y, height: 1, ..area }, theme.style(Tone::Cursor));
            buffer.set_stringn(area.x, y, "▶", 1, theme.style(Tone::Cursor));
        }
        if marked {
            buffer.set_stringn(area.x + 1, y, "●", 1, theme.style(if selected { Tone::Cursor } else { Tone::Accent }));
        }
        let mut x = area.x + 2;
        for (i, width) in &places {
            if let Some(cell) = row.cells.get(*i) {
                let style = theme.style(if selected { Tone::Cursor } else { cell.tone });
                put(buffer, x, y, *width, cell.text.as_str(), columns[*i].right, style);
            }
            x += width + 2;
        }
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, right: bool, style: Style) {
    let text = cut(text, usize::from(width));
    let pad = if right { width.saturating_sub(unicode_width::UnicodeWidthStr::width(text.as_str()) as u16) } else { 0 };
    if y < buffer.area.bottom() && x + pad < buffer.area.right() {
        buffer.set_stringn(x + pad, y, text, usize::from(width - pad), style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column { name: "NAME", width: 4, grow: 1, right: false, from: 0, down: false },
        Column { name: "SIZE", width: 4, grow: 0, right: true, from: 0, down: true },
    ];

    fn rows(names: &[(&str, u64)]) -> Vec<Row> {
        let row = |(n, s): &(&str, u64)| Row {
            id: (*n).into(),
            object: None,
            name: (*n).into(),
            cells: vec![Cell::new(*n), Cell::number(s.to_string(), *s)],
            tie: 0,
        };
        names.iter().map(row).collect()
    }

    #[test]
    fn selection_is_by_id_and_a_vanished_row_is_not_replaced() {
        let mut state = TableState::default();
        let go = |state: &mut TableState, names: &[(&str, u64)], by: Option<isize>| {
            let rows = rows(names);
            let order = state.order(&rows, COLUMNS, SystemTime::UNIX_EPOCH);
            match by {
                Some(by) => state.step(&rows, &order, by, 2),
                None => state.settle(&rows, &order, 2),
            }
            state.selected.clone()
        };
        assert_eq!(go(&mut state, &[("a", 1), ("b", 2), ("c", 3)], Some(0)).as_deref(), Some("a"));
        assert_eq!(go(&mut state, &[("a", 1), ("b", 2), ("c", 3)], Some(1)).as_deref(), Some("b"));
        assert_eq!(go(&mut state, &[("b", 2), ("c", 3)], None).as_deref(), Some("b"));
        assert_eq!(go(&mut state, &[("a", 1), ("aa", 1), ("b", 2)], None).as_deref(), Some("b"));
        assert_eq!(go(&mut state, &[("a", 1), ("c", 3)], None), None, "tui_07: gone is gone");
        assert_eq!(go(&mut state, &[("a", 1), ("c", 3)], Some(1)).as_deref(), Some("c"));
    }

    #[test]
    fn sorting_and_filtering() {
        let rows = rows(&[("web-1", 10), ("db", 30), ("web-2", 9)]);
        let names = |s: &TableState| -> Vec<&str> {
            s.order(&rows, COLUMNS, SystemTime::UNIX_EPOCH).iter().map(|i| rows[*i].id.as_str()).collect()
        };
        let mut state = TableState::default();
        assert_eq!(names(&state), ["db", "web-1", "web-2"]);
        state.sort = 1;
        assert_eq!(names(&state), ["db", "web-1", "web-2"]);
        state.reversed = true;
        assert_eq!(names(&state), ["web-2", "web-1", "db"]);
        state.filter = "WEB".into();
        assert_eq!(names(&state), ["web-2", "web-1"]);
        state.filter = "!web".into();
        assert_eq!(names(&state), ["db"]);
    }

    #[test]
    fn letters_are_all_different() {
        let column = |name| Column { name, width: 1, grow: 0, right: false, from: 0, down: false };
        assert_eq!(letters(&["NAME", "NAMESPACE", "STATE", "N"].map(column)), ['n', 'a', 's', 'b']);
        assert_eq!(column_at(COLUMNS, &[], Rect::new(10, 0, 30, 5), 12), Some(0));
        assert_eq!(column_at(COLUMNS, &[], Rect::new(10, 0, 30, 5), 38), Some(1));
        assert_eq!(column_at(COLUMNS, &[], Rect::new(10, 0, 30, 5), 3), None);
    }

    #[test]
    fn columns_give_way() {
        assert_eq!(layout(COLUMNS, &[], 20), [(0, 14), (1, 4)]);
        assert_eq!(layout(COLUMNS, &[], 5), [(0, 5)]);
        assert_eq!(layout(COLUMNS, &[], 0), [(0, 4)]);
        // Chosen ones in their order; those for wide tables give way first, wherever they stand.
        let wide = Column { name: "WIDE", width: 4, grow: 0, right: false, from: 100, down: false };
        let columns = [COLUMNS[0], wide, COLUMNS[1]];
        let names = |chosen: &[usize], width| layout(&columns, chosen, width).iter().map(|c| c.0).collect::<Vec<_>>();
        assert_eq!(names(&[], 80), [0, 2]);
        assert_eq!(names(&[2, 1, 0], 80), [2, 1, 0]);
        assert_eq!(names(&[2, 1, 0], 10), [2, 0]);
        assert_eq!(names(&[2, 1, 0], 5), [2]);
        assert_eq!(names(&[9, 1], 80), [1]);
    }
}
