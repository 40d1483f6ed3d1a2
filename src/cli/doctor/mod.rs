//! `doctor`: runbooks without a screen. Exit code 0 healthy, 1 findings, 2 could not judge. What is judged and how is the
//! runbooks' own; here it is asked for, told and, when a person agrees, mended and proved.

use std::{
    collections::BTreeMap,
    io::{BufRead, IsTerminal, Write},
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{
    backend::{self, Backend, Globals},
    capture,
    figures::parse_span,
    output::Out,
    report,
};
use crate::{
    bail,
    client::{
        Runtime,
        action::{self, Action, Step},
        audit::Intent,
        change::Change,
        host,
        recording::Replay,
        types::{Inventory, RuntimeInfo, Scope},
    },
    error::{Error, Kind, Result},
    runbook::{
        Evidence, Fact, Fix, Live, Params, Probe, RUNBOOKS, Report, Risk, Runbook, Saved, Verdict, examine, named,
    },
};

mod text;
mod watch;

/// For the runtime to tell its version; one that does not is examined all the same.
const ATTACH: Duration = Duration::from_secs(3);
/// Exit code of "could not judge".
const UNKNOWN: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Style {
    Text,
    Json,
    /// One line, as node-problem-detector's custom plugins print it
    Npd,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Which runbooks; all that diagnose if none is named
    #[arg(value_name = "RUNBOOK")]
    books: Vec<String>,
    /// About the case: image=REF, pod=NAME, namespace=NAME, handler=NAME, kubelet-config=FILE, auth-file=FILE, ca=FILE, …
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    #[arg(short, long, default_value = "text")]
    output: Style,
    /// Offer the fix of what was found: show it, ask, do it, and check again
    #[arg(long)]
    fix: bool,
    /// Do not ask before a fix
    #[arg(short, long, requires = "fix")]
    yes: bool,
    /// Look again and again, and tell what changes
    #[arg(long, conflicts_with = "fix")]
    watch: bool,
    /// How often
    #[arg(long, value_name = "SPAN", default_value = "60s", value_parser = parse_span, requires = "watch")]
    every: Duration,
    /// Serve the findings to Prometheus on this address
    #[arg(long, value_name = "ADDR", requires = "watch")]
    metrics: Option<SocketAddr>,
    /// List the runbooks
    #[arg(long)]
    list: bool,
}

pub fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The node as the doctor sees it: this one, or a recording.
pub struct Patient {
    probe: Box<dyn Probe>,
    endpoint: String,
    /// Or why it could not be reached.
    runtime: Result<Arc<dyn Runtime>, String>,
    backend: Option<Backend>,
    read_only: bool,
}

impl Patient {
    pub async fn find(globals: &Globals) -> Result<Self> {
        let read_only = globals.read_only;
        if let Some(path) = &globals.replay {
            let saved = capture::open(path)?;
            let endpoint = saved.runtime.info.endpoint.clone();
            let runtime = Ok(Arc::new(Replay::new(saved.runtime)) as Arc<dyn Runtime>);
            return Ok(Self {
                probe: Box::new(Saved(saved.evidence)),
                endpoint,
                runtime,
                backend: None,
                read_only: true,
            });
        }
        if globals.demo || globals.embedded {
            let backend = Backend::connect(globals).await?;
            let runtime = backend.runtime();
            let endpoint = runtime.info().endpoint.clone();
            let probe = Box::new(Live::new(&endpoint, Ok(Arc::clone(&runtime))));
            return Ok(Self { probe, endpoint, runtime: Ok(runtime), backend: Some(backend), read_only });
        }
        let endpoint = backend::endpoint(globals).await?;
        let attached = attach(&endpoint, read_only).await;
        let runtime = attached.as_ref().map(Arc::clone).map_err(|e| format!("{e:#}"));
        Ok(Self { probe: Box::new(Live::new(&endpoint, attached)), endpoint, runtime, backend: None, read_only })
    }

    pub fn probe(&self) -> &dyn Probe {
        self.probe.as_ref()
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn runtime(&self) -> Result<&Arc<dyn Runtime>, String> {
        self.runtime.as_ref().map_err(String::clone)
    }

    async fn examine(&self, books: &[&'static Runbook], params: &Params) -> (Vec<Report>, Evidence) {
        examine(books, self.probe(), params, &mut |event| tracing::debug!("{event:?}")).await
    }

    /// After a change: a runtime that did not answer may do so by now.
    async fn examine_again(&self, books: &[&'static Runbook], params: &Params) -> (Vec<Report>, Evidence) {
        if self.runtime.is_ok() {
            return self.examine(books, params).await;
        }
        let probe = Live::new(&self.endpoint, attach(&self.endpoint, self.read_only).await);
        examine(books, &probe, params, &mut |event| tracing::debug!("{event:?}")).await
    }

    pub async fn close(self, done: Result<u8>) -> Result<u8> {
        drop((self.probe, self.runtime));
        match self.backend {
            Some(backend) => backend.close(done).await,
            None => done,
        }
    }

    /// Through the runtime's door where there is one; the node's own changes do not need it.
    async fn apply(&self, step: &Step) -> Result<String> {
        if self.read_only {
            bail!(PermissionDenied, "--read-only allows no change, and neither does a recording");
        }
        let unknown = RuntimeInfo { endpoint: self.endpoint.clone(), ..RuntimeInfo::default() };
        let begun = Intent::of(step).begin(self.runtime.as_ref().map_or(&unknown, |r| r.info())).await?;
        let done = match (&self.runtime, step) {
            (_, Step::Change(change)) => host::apply(change).await.map(|()| String::new()),
            (Ok(runtime), step) => runtime.apply(step).await,
            (Err(_), _) => {
                let text = "the runtime does not answer, so nothing of its own can be changed";
                Err(Error::new(Kind::Unavailable, text))
            }
        };
        backend::journal(begun.told(&done), &done).await;
        done
    }
}

async fn attach(endpoint: &str, read_only: bool) -> Result<Arc<dyn Runtime>> {
    match tokio::time::timeout(ATTACH, crate::client::Cri::attach(endpoint, read_only)).await {
        Ok(attached) => attached.map(|cri| Arc::new(cri) as Arc<dyn Runtime>),
        Err(_) => bail!(
            DeadlineExceeded,
            "{endpoint} takes connections and does not answer: no version in {} s",
            ATTACH.as_secs()
        ),
    }
}

/// Which runbooks these names mean: all but audits if there is none.
fn chosen(names: &[String]) -> Result<Vec<&'static Runbook>> {
    if names.is_empty() {
        return Ok(RUNBOOKS.iter().filter(|b| !b.audit).collect());
    }
    if names.iter().any(|n| n == "all") {
        return Ok(RUNBOOKS.iter().collect());
    }
    let known = || RUNBOOKS.iter().map(|b| b.id).collect::<Vec<_>>().join(", ");
    let one = |name: &String| {
        named(name).ok_or_else(|| {
            Error::new(Kind::InvalidArgument, format!("there is no runbook {name}; there are {}", known()))
        })
    };
    names.iter().map(one).collect()
}

pub async fn doctor(globals: &Globals, out: &mut Out, args: Doctor) -> Result<u8> {
    if args.list {
        for book in RUNBOOKS {
            out.line(&format!("{:<24}{}", book.id, book.symptom))?;
        }
        return Ok(0);
    }
    let books = chosen(&args.books)?;
    let params: Params = args.set.iter().cloned().collect();
    let patient = Patient::find(globals).await?;
    let done = if args.watch {
        watch::watch(&patient, &books, &params, out, args.every, args.metrics).await
    } else {
        once(&patient, &books, &params, out, &args).await
    };
    patient.close(done).await
}

async fn once(
    patient: &Patient,
    books: &[&'static Runbook],
    params: &Params,
    out: &mut Out,
    args: &Doctor,
) -> Result<u8> {
    let (reports, seen) = patient.examine(books, params).await;
    let mut verdict = worst(&reports);
    match args.output {
        Style::Text => text::reports(out, &reports, patient)?,
        Style::Json if args.fix => {}
        Style::Json => out.bytes(json_of(&reports, &seen, patient)?.as_bytes())?,
        Style::Npd => out.line(&text::short(&reports))?,
    }
    if args.fix {
        let mut mended = Vec::new();
        for (report, fix, check) in fixes(&reports, !args.books.is_empty()) {
            let proved = mend(patient, params, out, args.yes, (report, &check, &fix)).await?;
            mended.push(json!({ "runbook": report.book, "check": check, "fix": fix.title, "proved": proved }));
        }
        if mended.is_empty() && args.output == Style::Text {
            out.line("There is nothing that could be mended from here.")?;
        }
        let (after, seen) = patient.examine_again(books, params).await;
        verdict = worst(&after);
        if args.output == Style::Json {
            out.bytes(json_of(&after, &seen, patient)?.as_bytes())?;
        }
    }
    Ok(code(verdict))
}

fn worst(reports: &[Report]) -> Verdict {
    reports.iter().map(|r| r.verdict).max().unwrap_or(Verdict::NotApplicable)
}

fn code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Fail => report::FAILED,
        Verdict::Unknown => UNKNOWN,
        Verdict::Warn | Verdict::Pass | Verdict::NotApplicable => 0,
    }
}

/// Fixes of failures; of warnings too where a person has named the runbook. Each change once.
fn fixes(reports: &[Report], named: bool) -> Vec<(&Report, Fix, String)> {
    let mut found: Vec<(&Report, Fix, String)> = Vec::new();
    for report in reports {
        for step in &report.steps {
            let wanted = step.finding.verdict == Verdict::Fail || (named && step.finding.verdict == Verdict::Warn);
            if let Some(fix) = step.finding.fix.as_ref().filter(|_| wanted)
                && !found.iter().any(|(_, f, _)| f.action == fix.action)
            {
                found.push((report, fix.clone(), step.check.clone()));
            }
        }
    }
    found
}

/// Shows the fix, asks, does it, and looks whether the same check passes now.
async fn mend(
    patient: &Patient,
    params: &Params,
    out: &mut Out,
    yes: bool,
    (report, check, fix): (&Report, &str, &Fix),
) -> Result<bool> {
    let needs_inventory = !matches!(fix.action, Action::Mend { .. });
    let inventory = match (&patient.runtime, needs_inventory) {
        (Ok(runtime), true) => {
            runtime.inventory(Scope { pods: true, images: true, stats: true, ..Scope::default() }).await
        }
        _ => Inventory::default(),
    };
    let plan = action::plan(&fix.action, &inventory, SystemTime::now()).map_err(|e| e.context(fix.title.clone()))?;
    // Beside the output, which may be JSON.
    text::plan(fix, &plan).iter().try_for_each(|line| out.remark(line))?;
    if plan.steps.is_empty() || !agreed(out, fix, &plan, yes)? {
        out.remark("nothing was changed")?;
        return Ok(false);
    }
    let mut whole = true;
    for planned in &plan.steps {
        let step = text::named_step(planned);
        if let Err(error) = patient.apply(&planned.step).await {
            out.remark(&format!("not done: {step}: {error:#}"))?;
            whole = false;
            if matches!(planned.step, Step::Change(_)) {
                // What follows counts on it.
                break;
            }
            continue;
        }
        out.remark(&format!("done: {step}"))?;
    }
    let Some(book) = named(&report.book) else { return Ok(false) };
    let (after, _) = patient.examine_again(&[book], params).await;
    let same = after.iter().flat_map(|r| &r.steps).find(|s| s.check == check);
    let before = report.steps.iter().find(|s| s.check == check).map_or(Verdict::Fail, |s| s.finding.verdict);
    // Better than it was, and seen: a warning of another thing may stay.
    let better = |now: Verdict| now < before && now != Verdict::Unknown;
    // What is written but not in effect may look mended to a check that reads the file.
    let proved = whole && same.is_none_or(|s| better(s.finding.verdict));
    let said = same.map(|s| s.finding.summary.clone()).unwrap_or_else(|| "not reached any more".to_owned());
    let word = match (proved, whole) {
        (true, _) => "proved by the same check",
        (false, true) => "NOT proved: the same check still says",
        (false, false) => "NOT proved, since not all was done: the same check says",
    };
    out.remark(&format!("{word}: {check}: {said}"))?;
    Ok(proved)
}

/// What ends containers must be agreed to by its number.
fn agreed(out: &mut Out, fix: &Fix, plan: &action::Plan, yes: bool) -> Result<bool> {
    let danger = fix.risk == Risk::Danger;
    if yes && danger {
        out.remark("this ends containers or deletes for good: it is not done with --yes, only when a person agrees")?;
        return Ok(false);
    }
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!(InvalidArgument, "there is nobody to ask; say --yes with --fix");
    }
    let word = word(danger, plan);
    let mut errors = std::io::stderr();
    let mut answer = String::new();
    write!(errors, "Do this? Type {word} to go on: ")
        .and_then(|()| errors.flush())
        .and_then(|()| std::io::stdin().lock().read_line(&mut answer))
        .map_err(|e| Error::new(Kind::Unavailable, "ask whether to go on").with_source(e))?;
    Ok(answer.trim() == word)
}

/// What has to be typed: a danger by its number, of containers that end with a restart or of things that go.
fn word(danger: bool, plan: &action::Plan) -> String {
    let ends = plan.steps.iter().find_map(|planned| match &planned.step {
        Step::Change(Change::Restart(restart)) => restart.kills,
        _ => None,
    });
    if danger { ends.unwrap_or(plan.steps.len()).to_string() } else { "y".to_owned() }
}

fn json_of(reports: &[Report], seen: &Evidence, patient: &Patient) -> Result<String> {
    let facts: BTreeMap<&str, serde_json::Value> =
        Fact::ALL.iter().filter_map(|f| Some((f.name(), json!({ "missing": seen.lacks(*f)? })))).collect();
    let verdict = worst(reports);
    let value = json!({
        "version": 1,
        "runtime": patient.endpoint,
        "at": seen.at.and_then(|t| jiff::Timestamp::try_from(t).ok()).map(|t| t.to_string()),
        "verdict": verdict,
        "exit": code(verdict),
        "runbooks": reports,
        "not_seen": facts,
    });
    let text = serde_json::to_string_pretty(&value);
    let text = text.map_err(|e| Error::new(Kind::Internal, "write the report as JSON").with_source(e))?;
    // JSON escapes control characters itself, so the text is safe on a terminal.
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{action::Planned, change::Restart};

    #[test]
    fn cfg_07_what_ends_containers_is_agreed_to_by_their_number() {
        let of = |kills| {
            let (unit, endpoint) = ("containerd.service".to_owned(), "unix:///x".to_owned());
            let step = Step::Change(Change::Restart(Restart { unit, endpoint, undo: None, kills }));
            let planned = Planned { step, what: String::new(), reason: String::new(), frees: 0 };
            let action = Action::Mend { title: "restart".into(), changes: Vec::new() };
            action::Plan { action, steps: vec![planned], keeps: Vec::new() }
        };
        assert_eq!((word(true, &of(Some(17))).as_str(), word(false, &of(None)).as_str()), ("17", "y"));
    }
}
