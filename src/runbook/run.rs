//! Runs runbooks: collects what they need, all at once, and judges each step as soon as its facts are there. Tells what
//! happens as it happens.

use std::{
    collections::BTreeSet,
    time::{Instant, SystemTime},
};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde::{Deserialize, Serialize};

use super::{Evidence, Fact, Finding, Next, Params, Runbook, Verdict};

/// Puts what was collected where it belongs.
pub type Update = Box<dyn FnOnce(&mut Evidence) + Send>;

/// Where evidence comes from: the node, or what was seen on one.
pub trait Probe: Send + Sync {
    /// When the evidence is from.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Never fails: an error is evidence as well. Has a deadline of its own.
    fn collect<'a>(&'a self, fact: Fact, params: &'a Params) -> BoxFuture<'a, Update>;
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunEvent {
    Collecting(Vec<Fact>),
    Collected { fact: Fact, millis: u64, error: Option<String> },
    Judged { book: String, step: Box<StepReport> },
    Concluded { book: String, verdict: Verdict, cause: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepReport {
    pub check: String,
    pub title: String,
    pub finding: Finding,
    /// What an expert would type.
    pub command: String,
}

/// One runbook's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub book: String,
    pub title: String,
    pub verdict: Verdict,
    /// The decisive one.
    pub cause: Option<String>,
    pub steps: Vec<StepReport>,
    /// Checks that the findings made needless.
    pub skipped: Vec<String>,
}

impl Report {
    /// The step that names the cause, or else the first of the worst ones.
    pub fn decisive(&self) -> Option<&StepReport> {
        let names = |s: &&StepReport| self.cause.is_some() && s.finding.cause == self.cause;
        let worst = |s: &&StepReport| s.finding.verdict == self.verdict && self.verdict >= Verdict::Warn;
        self.steps.iter().find(names).or_else(|| self.steps.iter().find(worst))
    }
}

/// Examines the node by these runbooks, each fact collected once.
pub async fn examine(
    books: &[&'static Runbook],
    probe: &dyn Probe,
    params: &Params,
    tell: &mut (dyn FnMut(RunEvent) + Send),
) -> (Vec<Report>, Evidence) {
    let params = &super::plain(params);
    let mut seen = super::evidence_at(probe.now(), params.clone());
    let mut open: BTreeSet<Fact> = books.iter().flat_map(|b| b.steps).flat_map(|s| s.check.needs).copied().collect();
    // Commands that are shown name the runtime's socket and unit.
    open.insert(Fact::Target);
    tell(RunEvent::Collecting(open.iter().copied().collect()));
    let began = Instant::now();
    let mut work: FuturesUnordered<_> = open
        .iter()
        .map(|fact| async move { (*fact, probe.collect(*fact, params).await) })
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let mut walks: Vec<Walk> = books.iter().map(|book| Walk::new(book)).collect();
    let mut missing = open.clone();
    while let Some((fact, update)) = work.next().await {
        update(&mut seen);
        missing.remove(&fact);
        let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tell(RunEvent::Collected { fact, millis, error: seen.lacks(fact) });
        if !missing.contains(&Fact::Target) {
            for walk in &mut walks {
                walk.go(&seen, &missing, tell);
            }
        }
    }
    seen.at = Some(probe.now());
    let none = BTreeSet::new();
    for walk in &mut walks {
        walk.go(&seen, &none, tell);
    }
    (walks.into_iter().map(Walk::report).collect(), seen)
}

/// Where one runbook has got to.
struct Walk {
    book: &'static Runbook,
    at: usize,
    steps: Vec<StepReport>,
    skipped: Vec<String>,
    concluded: bool,
}

impl Walk {
    fn new(book: &'static Runbook) -> Self {
        Self { book, at: 0, steps: Vec::new(), skipped: Vec::new(), concluded: false }
    }

    /// Judges steps in their order until one lacks a fact that is still to come.
    fn go(&mut self, seen: &Evidence, missing: &BTreeSet<Fact>, tell: &mut (dyn FnMut(RunEvent) + Send)) {
        while let Some(guide) = self.book.steps.get(self.at) {
            let check = guide.check;
            if check.needs.iter().any(|f| missing.contains(f)) {
                return;
            }
            let finding = check.finding(seen).without_secrets();
            let next = (guide.then)(&finding);
            let step = StepReport {
                check: check.id.to_owned(),
                title: check.title.to_owned(),
                finding,
                command: (check.command)(seen),
            };
            tell(RunEvent::Judged { book: self.book.id.to_owned(), step: Box::new(step.clone()) });
            self.steps.push(step);
            let to = match next {
                Next::Continue => self.at + 1,
                Next::Conclude => self.book.steps.len(),
                Next::To(id) => {
                    let later = self.book.steps.iter().position(|s| s.check.id == id);
                    later.filter(|to| *to > self.at).unwrap_or(self.at + 1)
                }
            };
            self.skipped.extend(self.book.steps[self.at + 1..to].iter().map(|s| s.check.id.to_owned()));
            self.at = to;
        }
        if !self.concluded {
            self.concluded = true;
            let (verdict, cause) = self.outcome();
            tell(RunEvent::Concluded { book: self.book.id.to_owned(), verdict, cause });
        }
    }

    /// The worst verdict; a cause that is proven stands, whatever else is unknown.
    fn outcome(&self) -> (Verdict, Option<String>) {
        let cause = self.steps.iter().find_map(|s| s.finding.cause.clone());
        let worst = self.steps.iter().map(|s| s.finding.verdict).max().unwrap_or(Verdict::NotApplicable);
        (worst, cause)
    }

    fn report(self) -> Report {
        let (verdict, cause) = self.outcome();
        Report {
            book: self.book.id.to_owned(),
            title: self.book.title.to_owned(),
            verdict,
            cause,
            steps: self.steps,
            skipped: self.skipped,
        }
    }
}
