//! Runbooks with their verdicts; one opened: its steps as they are judged.

use super::{Fact, Pane, PaneId, col};
use crate::{
    runbook::{RUNBOOKS, Runbook, StepReport, Verdict, named},
    tui::{
        books::{Run, tone},
        keymap::Cmd,
        model::Model,
        table::{Cell, Column, Row},
        theme::Tone,
    },
};

const COLUMNS: &[Column] = &[
    Column { name: "NO", width: 3, grow: 0, right: true, from: 0, down: false },
    col("VERDICT", 8, 0, 0),
    col("QUESTION", 22, 1, 0),
    col("FINDING", 20, 2, 60),
];

pub const PANE: Pane = Pane {
    id: PaneId::Runbooks,
    name: "Runbooks",
    short: "Book",
    aliases: &["doctor", "rb", "books"],
    columns: COLUMNS,
    rows,
    count: super::none,
    part: "",
    sort: 0,
    extra: 0,
    draw: None,
    facts: Some(facts),
};

fn rows(model: &Model) -> Vec<Row> {
    match model.books.open.and_then(named) {
        Some(book) => steps(model, book),
        None => RUNBOOKS.iter().enumerate().map(|(n, book)| overview(model, n, book)).collect(),
    }
}

fn verdict(verdict: Option<Verdict>, running: bool) -> Cell {
    match verdict {
        Some(v) => Cell::new(v.word()).tone(tone(v)),
        None if running => Cell::new("…").tone(Tone::Accent),
        None => Cell::new("-").tone(Tone::Dim),
    }
}

fn number(n: usize) -> Cell {
    Cell::number((n + 1).to_string(), n as u64).tone(Tone::Dim)
}

fn overview(model: &Model, n: usize, book: &Runbook) -> Row {
    let run = model.books.runs.get(book.id);
    let running = run.is_some_and(|r| r.running);
    let finding = match run.and_then(Run::decisive) {
        Some(step) => Cell::new(step.finding.summary.as_str()),
        None => Cell::new(book.symptom).tone(Tone::Dim),
    };
    let cells = vec![number(n), verdict(run.and_then(|r| r.verdict), running), Cell::new(book.title), finding];
    Row { id: book.id.to_owned(), object: None, name: book.id.to_owned(), tie: 0, cells }
}

/// The row's name is what a person would type: it is what copying takes.
fn steps(model: &Model, book: &Runbook) -> Vec<Row> {
    let run = model.books.runs.get(book.id);
    let row = |(n, guide): (usize, &crate::runbook::Guide)| {
        let check = guide.check;
        let judged = run.and_then(|r| r.steps.iter().find(|s| s.check == check.id));
        let (verdict, finding) = match (judged, run) {
            (Some(step), _) => {
                (self::verdict(Some(step.finding.verdict), false), Cell::new(step.finding.summary.as_str()))
            }
            (None, Some(run)) if !run.running => {
                (Cell::new("-").tone(Tone::Dim), Cell::new("not needed any more").tone(Tone::Dim))
            }
            (None, run) => (self::verdict(None, run.is_some()), Cell::new("")),
        };
        let name = judged.map_or_else(|| check.id.to_owned(), |s| s.command.clone());
        Row {
            id: check.id.to_owned(),
            object: None,
            name,
            tie: 0,
            cells: vec![number(n), verdict, Cell::new(check.title), finding],
        }
    };
    book.steps.iter().enumerate().map(row).collect()
}

/// The judged step of the selected row: the step itself, or a runbook's decisive one.
pub fn step<'a>(model: &'a Model, row: &Row) -> Option<(&'static Runbook, &'a StepReport)> {
    let book = named(model.books.open.unwrap_or(row.id.as_str()))?;
    let run = model.books.runs.get(book.id)?;
    let step = match model.books.open {
        Some(_) => run.steps.iter().find(|s| s.check == row.id),
        None => run.decisive(),
    };
    Some((book, step?))
}

fn facts(model: &Model, row: &Row) -> Vec<Fact> {
    let Some((_, step)) = step(model, row) else {
        let open = model.keymap.named(Cmd::Open);
        if model.books.open.is_some() {
            return vec![("", "not judged".to_owned())];
        }
        let symptom = named(&row.id).map(|book| ("symptom", book.symptom.to_owned()));
        return symptom.into_iter().chain([("", format!("{open} examines the node by it"))]).collect();
    };
    let finding = &step.finding;
    let mut facts = vec![(finding.verdict.word(), finding.summary.clone())];
    facts.extend(finding.cause.iter().map(|c| ("cause", c.clone())));
    for cite in finding.cites.iter().take(6) {
        facts.push(("seen", cite.text.clone()));
        facts.push(("from", cite.source.clone()));
    }
    facts.push(("type", step.command.clone()));
    facts.extend(finding.advice.iter().map(|a| ("do", a.clone())));
    let key = model.keymap.named(Cmd::Fix);
    facts.extend(finding.fix.iter().map(|f| ("fix", format!("{key}: {}", f.title))));
    facts
}
