//! Runbooks as the app has them: which is open, what was found so far, what the case is about. Plain values.

use std::collections::BTreeMap;

use super::{
    detail::DetailLine,
    event::Token,
    keymap::{Cmd, Keymap},
    text::{self, SafeText},
    theme::Tone,
};
use crate::runbook::{Params, RunEvent, Runbook, StepReport, Verdict};

/// The kind of a text that explains a step.
pub const STEP: &str = "Step";
/// Columns of prose in the popup.
const WIDTH: usize = 62;

#[derive(Debug, Clone, Default)]
pub struct Books {
    /// The runbook whose steps are shown.
    pub open: Option<&'static str>,
    pub params: Params,
    pub runs: BTreeMap<String, Run>,
    /// Of the newest examination; older ones are dropped.
    pub token: Token,
}

/// One runbook's examination.
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub running: bool,
    pub steps: Vec<StepReport>,
    pub verdict: Option<Verdict>,
    pub cause: Option<String>,
}

impl Run {
    /// The step that names the cause, or else the first of those that tell most: what could not be seen tells least.
    pub fn decisive(&self) -> Option<&StepReport> {
        let caused = self.steps.iter().find(|s| s.finding.cause.is_some());
        let first = |verdict| self.steps.iter().find(|s| s.finding.verdict == verdict);
        let tells = [Verdict::Fail, Verdict::Warn, Verdict::Unknown];
        caused.or_else(|| tells.into_iter().find_map(first))
    }
}

impl Books {
    /// Forgets what is examined anew.
    pub fn start(&mut self, token: Token, books: &[&'static Runbook]) {
        self.token = token;
        for book in books {
            self.runs.insert(book.id.to_owned(), Run { running: true, ..Run::default() });
        }
    }

    pub fn take(&mut self, token: Token, event: RunEvent) {
        if token != self.token {
            return;
        }
        match event {
            RunEvent::Judged { book, step } => self.runs.entry(book).or_default().steps.push(*step),
            RunEvent::Concluded { book, verdict, cause } => {
                let run = self.runs.entry(book).or_default();
                (run.running, run.verdict, run.cause) = (false, Some(verdict), cause);
            }
            RunEvent::Collecting(_) | RunEvent::Collected { .. } => {}
        }
    }

    pub fn running(&self) -> bool {
        self.runs.values().any(|r| r.running)
    }
}

pub fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Warn | Verdict::Unknown => Tone::Warn,
        Verdict::Fail => Tone::Bad,
        Verdict::NotApplicable => Tone::Dim,
    }
}

/// A step in full: what was seen and where, what to do, why it matters, how to look oneself.
pub fn explain(book: &Runbook, step: &StepReport, keymap: &Keymap) -> Vec<DetailLine> {
    let mut out = Vec::new();
    let finding = &step.finding;
    let head = |out: &mut Vec<DetailLine>, key: &str| {
        out.push(DetailLine { indent: 0, key: key.into(), text: SafeText::default(), tone: Tone::Head });
    };
    let said = |out: &mut Vec<DetailLine>, key: &str, text: &str, tone: Tone| {
        for (n, piece) in text::wrap(SafeText::new(text).as_str(), WIDTH).into_iter().enumerate() {
            let key = if n == 0 { key } else { "" };
            out.push(DetailLine { indent: 1, key: key.into(), text: piece.into(), tone });
        }
    };
    head(&mut out, &step.title);
    said(&mut out, finding.verdict.word(), &finding.summary, tone(finding.verdict));
    if let Some(cause) = &finding.cause {
        said(&mut out, "cause", cause, Tone::Bad);
    }
    if !finding.cites.is_empty() {
        head(&mut out, "Seen");
        for cite in &finding.cites {
            said(&mut out, "", &cite.text, Tone::Plain);
            said(&mut out, "from", &cite.source, Tone::Dim);
        }
    }
    // Before what can be read at leisure: a small screen ends somewhere.
    if !finding.advice.is_empty() || finding.fix.is_some() {
        head(&mut out, "What to do");
        finding.advice.iter().for_each(|a| said(&mut out, "", a, Tone::Plain));
        if let Some(fix) = &finding.fix {
            said(&mut out, &keymap.named(Cmd::Fix), &fix.title, Tone::Good);
        }
    }
    if let Some(prose) = book.prose_of(&step.check) {
        head(&mut out, "Why it matters");
        said(&mut out, "", &prose.replace('\n', " "), Tone::Plain);
    }
    head(&mut out, &format!("Look yourself ({} copies it)", keymap.named(Cmd::Copy)));
    said(&mut out, "", &step.command, Tone::Accent);
    out
}
