//! What the doctor says to a person: the verdict first, then each step with what was seen, where, why it matters, what to do.

use std::collections::BTreeSet;

use super::{Patient, worst};
use crate::{
    cli::output::Out,
    client::action::{Plan, Planned, Step},
    error::Result,
    runbook::{Fix, Report, Risk, StepReport, Verdict, named},
};

/// Columns of prose where the terminal tells no width.
const WIDTH: usize = 100;

pub fn reports(out: &mut Out, reports: &[Report], patient: &Patient) -> Result<()> {
    out.line(&format!("runtime: {}", patient.endpoint))?;
    // One thing that could not be read leaves many questions open; why is said with the first of them.
    let mut told = BTreeSet::new();
    for report in reports {
        out.line("")?;
        one(out, report, &mut told)?;
    }
    let count = |v: Verdict| reports.iter().filter(|r| r.verdict == v).count();
    out.line("")?;
    out.line(&match worst(reports) {
        Verdict::Fail => format!("{} of {} runbooks found a failure.", count(Verdict::Fail), reports.len()),
        Verdict::Unknown => format!(
            "Nothing was found, but {} of {} runbooks could not see everything they need.",
            count(Verdict::Unknown),
            reports.len()
        ),
        Verdict::Warn => "Nothing fails; the warnings above are worth a look.".to_owned(),
        Verdict::Pass | Verdict::NotApplicable => "Healthy.".to_owned(),
    })
}

fn one(out: &mut Out, report: &Report, told: &mut BTreeSet<String>) -> Result<()> {
    let headline = match report.decisive() {
        Some(step) if report.verdict >= Verdict::Warn => format!(": {}", step.finding.summary),
        _ => String::new(),
    };
    let cause = report.cause.as_ref().map(|c| format!("  [{c}]")).unwrap_or_default();
    out.line(&format!("{}: {}{headline}{cause}", report.book, report.verdict.word().to_uppercase()))?;
    if report.verdict == Verdict::NotApplicable {
        let why = report.steps.first().map(|s| s.finding.summary.as_str()).unwrap_or_default();
        return say(out, "  -     ", why);
    }
    report.steps.iter().try_for_each(|step| self::step(out, report, step, told))?;
    if !report.skipped.is_empty() {
        out.line(&format!("  -     not needed any more: {}", report.skipped.join(", ")))?;
    }
    Ok(())
}

fn step(out: &mut Out, report: &Report, step: &StepReport, told: &mut BTreeSet<String>) -> Result<()> {
    let finding = &step.finding;
    if finding.verdict == Verdict::Unknown
        && let Some((what, why)) = finding.summary.split_once(": ")
        && !told.insert(why.to_owned())
    {
        return out.line(&format!("  ?     {} {what}: as above", step.title));
    }
    let mark = match finding.verdict {
        Verdict::Pass => "ok   ",
        Verdict::Warn => "WARN ",
        Verdict::Fail => "FAIL ",
        Verdict::Unknown => "?    ",
        Verdict::NotApplicable => "-    ",
    };
    out.line(&format!("  {mark} {} {}", step.title, finding.summary))?;
    for cite in &finding.cites {
        say(out, "          ", &format!("{}  ({})", cite.text, cite.source))?;
    }
    if matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable) {
        return Ok(());
    }
    if let Some(prose) = named(&report.book).and_then(|b| b.prose_of(&step.check)) {
        out.line("")?;
        say(out, "          ", &prose.replace('\n', " "))?;
    }
    out.line(&format!("          look yourself: {}", step.command))?;
    for advice in &finding.advice {
        say(out, "          what to do: ", advice)?;
    }
    if let Some(fix) = &finding.fix {
        out.line(&format!("          fix ({}): {}; wharf doctor {} --fix", risk(fix.risk), fix.title, report.book))?;
    }
    out.line("")
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Safe => "safe",
        Risk::Restarts => "restarts a daemon",
        Risk::Danger => "DANGER",
    }
}

/// Words wrapped to the width, every line indented; the first has the label.
fn say(out: &mut Out, label: &str, text: &str) -> Result<()> {
    let width = out.width.unwrap_or(WIDTH).min(WIDTH + 20).saturating_sub(label.len()).max(30);
    let indent = " ".repeat(label.len());
    let mut line = String::new();
    let mut first = true;
    let mut flush = |out: &mut Out, line: &mut String| {
        let start = if std::mem::take(&mut first) { label } else { indent.as_str() };
        let done = out.line(&format!("{start}{line}"));
        line.clear();
        done
    };
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + word.chars().count() >= width {
            flush(out, &mut line)?;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.is_empty() { Ok(()) } else { flush(out, &mut line) }
}

/// Everything that will be done, before it is: objects and bytes, diffs, commands.
pub fn plan(fix: &Fix, plan: &Plan) -> Vec<String> {
    let size = |bytes| humansize::format_size(bytes, humansize::BINARY);
    let mut lines = vec![String::new(), format!("{} ({})", fix.title, risk(fix.risk))];
    for planned in &plan.steps {
        let frees = if planned.frees == 0 { String::new() } else { format!(", frees {}", size(planned.frees)) };
        lines.push(format!("  {}: {}{frees}", named_step(planned), planned.reason));
        if let Step::Change(change) = &planned.step {
            lines.extend(change.preview().lines().map(|l| format!("    {l}")));
        }
    }
    if plan.frees() > 0 {
        lines.push(format!("  about {} will be freed", size(plan.frees())));
    }
    lines.extend(plan.keeps.iter().take(20).map(|kept| format!("  kept {}: {}", kept.what, kept.why)));
    lines
}

/// `remove image x`, `edit /etc/x`.
pub fn named_step(planned: &Planned) -> String {
    format!("{} {}", verb(&planned.step), planned.what).trim().to_owned()
}

fn verb(step: &Step) -> &'static str {
    match step {
        Step::StopPod(_) => "stop pod",
        Step::RemovePod(_) => "remove pod",
        Step::StopContainer(..) => "stop container",
        Step::RemoveContainer(_) => "remove container",
        Step::PullImage(_) => "pull",
        Step::RemoveImage(_) => "remove image",
        Step::Restart { .. } => "restart container",
        Step::RunPod(_) => "run pod",
        Step::CreateContainer(_) => "create container",
        Step::StartContainer(_) => "start container",
        Step::TagImage { .. } => "tag image",
        Step::PinImage { pinned: true, .. } => "pin image",
        Step::PinImage { .. } => "unpin image",
        Step::Collect => "collect",
        Step::Change(_) => "",
    }
}

/// For node-problem-detector: one line of at most 80 characters.
pub fn short(reports: &[Report]) -> String {
    let verdict = worst(reports);
    let found = reports.iter().find(|r| r.verdict == verdict && verdict >= Verdict::Unknown);
    let text = match found {
        Some(report) => {
            let summary = report.decisive().map(|s| s.finding.summary.as_str()).unwrap_or_default();
            format!("{}: {summary}", report.cause.as_deref().unwrap_or(&report.book))
        }
        None => "healthy".to_owned(),
    };
    text.chars().take(80).collect()
}
