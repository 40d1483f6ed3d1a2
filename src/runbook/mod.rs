//! Runbooks: from a symptom to one proven cause. Evidence is collected first, with its errors inside; then pure checks judge it
//! step by step. A fact that is missing makes a check unknown; nothing passes unseen. Fixes are [`Action`]s, done elsewhere.

use std::{collections::BTreeMap, time::SystemTime};

use serde::{Deserialize, Serialize};

use crate::client::{action::Action, redact};

mod api;
mod asker;
pub mod books;
pub mod checks;
mod cluster;
pub mod collect;
mod credentials;
mod evidence;
#[cfg(test)]
mod fixtures;
mod helpers;
mod hosts;
mod pulls;
mod registries;
mod registry;
mod run;
mod saved;
pub mod settings;
mod shell;

pub use books::{RUNBOOKS, named};
pub use cluster::ClusterFacts;
pub use collect::Live;
pub use evidence::{ConfFacts, ConfFile, Evidence, Fact, StackFacts, StackGroup};
pub use registry::{ImageFacts, Reference};
pub use run::{Probe, Report, RunEvent, StepReport, Update, examine};
pub use saved::Saved;

/// What a person says about the case: `image`, `pod`, `container`, `handler`, `kubelet-config`, …
pub type Params = BTreeMap<String, String>;

/// `pod=NAMESPACE/NAME`, as kubectl's columns are read, is both.
fn plain(params: &Params) -> Params {
    let mut plain = params.clone();
    if let Some((namespace, name)) = params.get("pod").and_then(|p| p.split_once('/')) {
        plain.insert("pod".to_owned(), name.to_owned());
        plain.insert("namespace".to_owned(), namespace.to_owned());
    }
    plain
}

/// Ordered by how much they matter when several meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    NotApplicable,
    Pass,
    Warn,
    Unknown,
    Fail,
}

impl Verdict {
    pub fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "n/a",
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// What was seen, and where: a file and its line, a call, a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cite {
    pub text: String,
    pub source: String,
}

/// What a check makes of the evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub verdict: Verdict,
    /// One sentence.
    pub summary: String,
    /// Set if this alone explains the symptom: a stable name such as `tag-missing`.
    pub cause: Option<String>,
    pub cites: Vec<Cite>,
    /// What to do where no fix can be carried out, or beside it.
    pub advice: Vec<String>,
    pub fix: Option<Fix>,
}

/// A change that is shown first, done when confirmed, and proved by the same check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    pub title: String,
    pub risk: Risk,
    pub action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Risk {
    Safe,
    /// Restarts a daemon.
    Restarts,
    /// Ends containers or deletes what cannot be had again.
    Danger,
}

impl Finding {
    fn new(verdict: Verdict, summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self { verdict, summary, cause: None, cites: Vec::new(), advice: Vec::new(), fix: None }
    }

    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, summary)
    }

    pub fn warn(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Warn, summary)
    }

    pub fn not_applicable(summary: impl Into<String>) -> Self {
        Self::new(Verdict::NotApplicable, summary)
    }

    /// A failure that is no explanation by itself.
    pub fn fail(summary: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, summary)
    }

    /// A failure that explains the symptom.
    pub fn cause(cause: &str, summary: impl Into<String>) -> Self {
        Self { cause: Some(cause.to_owned()), ..Self::fail(summary) }
    }

    #[must_use]
    pub fn cite(mut self, text: impl Into<String>, source: impl Into<String>) -> Self {
        self.cites.push(Cite { text: text.into(), source: source.into() });
        self
    }

    #[must_use]
    pub fn cites(mut self, cites: impl IntoIterator<Item = Cite>) -> Self {
        self.cites.extend(cites);
        self
    }

    /// Findings quote logs, answers and files.
    fn without_secrets(mut self) -> Self {
        self.summary = redact::sentence(&self.summary);
        self.cites.iter_mut().for_each(|c| c.text = redact::sentence(&c.text));
        self
    }

    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    #[must_use]
    pub fn fix(mut self, fix: impl Into<Option<Fix>>) -> Self {
        self.fix = fix.into();
        self
    }
}

/// A fact a check needs and does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub fact: Fact,
    pub because: String,
}

/// One question with one answer.
#[derive(Debug)]
pub struct Check {
    /// Unique; the heading of its prose.
    pub id: &'static str,
    /// As a question.
    pub title: &'static str,
    pub needs: &'static [Fact],
    /// What an expert would type to look at the same thing.
    pub command: fn(&Evidence) -> String,
    pub judge: fn(&Evidence) -> Result<Finding, Missing>,
}

impl Check {
    /// Pure. A missing fact is unknown, never a pass.
    pub fn finding(&self, seen: &Evidence) -> Finding {
        (self.judge)(seen).unwrap_or_else(|missing| {
            let name = missing.fact.name();
            Finding::new(Verdict::Unknown, format!("cannot be judged without {name}: {}", missing.because))
        })
    }
}

impl PartialEq for Runbook {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A symptom and the checks that lead from it to a cause.
#[derive(Debug)]
pub struct Runbook {
    pub id: &'static str,
    pub title: &'static str,
    pub symptom: &'static str,
    pub steps: &'static [Guide],
    /// Markdown with one `## check-id` section for each step.
    pub prose: &'static str,
    /// Whether a person must ask for it; an audit is no diagnosis.
    pub audit: bool,
}

/// A step, and where its finding leads.
#[derive(Debug)]
pub struct Guide {
    pub check: &'static Check,
    pub then: fn(&Finding) -> Next,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Continue,
    /// The cause is proven; the steps after it would only repeat it.
    Conclude,
    /// Goes on at that check; those between do not matter then.
    To(&'static str),
}

impl Runbook {
    /// The section of the prose about a check.
    pub fn prose_of(&self, check: &str) -> Option<&'static str> {
        let mut sections = self.prose.split("\n## ").skip(1);
        let section = sections.find(|s| s.lines().next().is_some_and(|l| l.trim() == check))?;
        section.split_once('\n').map(|(_, text)| text.trim())
    }

    /// What comes before the first section.
    pub fn introduction(&self) -> &'static str {
        let text = self.prose.split("\n## ").next().unwrap_or_default();
        text.split_once('\n').map_or(text, |(_, rest)| rest).trim()
    }
}

/// For fixtures and captures: evidence of a time.
pub fn evidence_at(at: SystemTime, params: Params) -> Evidence {
    Evidence { at: Some(at), params, ..Evidence::default() }
}
