//! Reading logs: which containers, from when on, search, saving, copying.

use std::time::{Duration, SystemTime};

use super::{
    go,
    looks::{self, aimed},
};
use crate::{
    client::types::{Container, ContainerState, LogPage, ObjectRef},
    tui::{
        event::{Effect, Token},
        keymap::Cmd,
        log::{LogView, SPANS, Times, Want},
        model::{Input, Model},
        panes::PaneId,
        theme::Tone,
    },
};

/// Containers whose logs are merged at most.
const MERGED: usize = 20;

/// The container of the row: itself, or the pod's running or else newest one.
pub fn container(model: &mut Model) -> Option<(String, String)> {
    if let (PaneId::Logs, Some(log)) = (model.pane, &model.log) {
        return log.sources.first().cloned();
    }
    match aimed(model)? {
        (ObjectRef::Container(id), name) => Some((id, name)),
        (ObjectRef::Pod(id), pod) => {
            let mut inside: Vec<_> = model.seen.containers.value()?.iter().filter(|c| c.pod == id).collect();
            inside.sort_by_key(|c| (c.state, std::cmp::Reverse(c.created)));
            let running = inside.iter().find(|c| c.state == ContainerState::Running);
            let found = running.or(inside.first()).map(|c| (c.id.clone(), format!("{pod}/{}", c.name)));
            if found.is_none() {
                let why = model.keymap.named(Cmd::Diagnose);
                model.say(Tone::Warn, format!("the pod has no container; {why} finds out why"));
            }
            found
        }
        _ => {
            model.say(Tone::Warn, "only pods and containers have this");
            None
        }
    }
}

pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((id, name)) = container(model) else { return };
    show(model, vec![(id, name.clone())], name, out);
    go(model, PaneId::Logs, out);
}

/// Opens these logs, with the looks of the one that was open.
pub fn show(model: &mut Model, sources: Vec<(String, String)>, name: String, out: &mut Vec<Effect>) {
    let token = model.next_token();
    let mut log = LogView::new(token, sources, name);
    if let Some(old) = model.log.take() {
        (log.wrap, log.times, log.fields) = (old.wrap, old.times, old.fields);
        log.set_span(old.span);
    }
    let containers = log.sources.iter().map(|(id, _)| id.clone()).collect();
    // The epoch is before every line.
    let since = SPANS[log.span].map(|span| model.now.checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH));
    model.log = Some(log);
    out.push(Effect::Logs { token, containers, since });
}

/// A move has come to where less is here than fills the screen: what is on the disk beyond it is read.
pub fn moved(model: &mut Model, up: bool, out: &mut Vec<Effect>) {
    let page = model.page();
    let Some(log) = &mut model.log else { return };
    if up {
        log.reach(Want::Above(page * 2));
        return turn(model, out);
    }
    let (token, below) = (log.token, log.turn_down(page * 2));
    if let Some((source, turn)) = below {
        let container = log.sources[source].0.clone();
        out.push(Effect::LogPage { token, source, container, turn });
    }
}

/// Another filter: a screenful of what passes it is read, from as far back as it takes.
pub fn filtered(model: &mut Model, out: &mut Vec<Effect>) {
    let (page, shown) = (model.page(), model.pane == PaneId::Logs);
    let Some(log) = model.log.as_mut().filter(|_| shown) else { return };
    log.fill(page);
    turn(model, out);
}

/// Asks for the next page, if one is wanted.
fn turn(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(log) = &mut model.log else { return };
    match log.turn() {
        Ok(None) => {}
        Ok(Some((source, turn))) => {
            let container = log.sources[source].0.clone();
            out.push(Effect::LogPage { token: log.token, source, container, turn });
        }
        Err(more) => {
            let nothing = if log.search.is_empty() { "no line passed the filter" } else { "no hit" };
            let said = if more {
                format!("{nothing} in what was read back so far; the same key goes on")
            } else {
                format!("no older line has {}", log.search)
            };
            model.say(Tone::Plain, said);
        }
    }
}

/// A page has come, or has not.
pub fn turned(
    model: &mut Model,
    token: Token,
    (source, older): (usize, bool),
    result: Result<LogPage, String>,
    out: &mut Vec<Effect>,
) {
    let Some(log) = model.log.as_mut().filter(|l| l.token == token) else { return };
    match result {
        Ok(page) => log.turned(source, older, Some(page)),
        Err(error) => {
            log.turned(source, older, None);
            model.say(Tone::Bad, error);
        }
    }
    model.dirty = true;
    turn(model, out);
}

/// The end, where it was let go for older lines: read anew.
pub fn to_end(model: &mut Model, out: &mut Vec<Effect>) -> bool {
    let Some(log) = model.log.as_ref().filter(|l| l.behind) else { return false };
    let (sources, name, filter, search) =
        (log.sources.clone(), log.name.clone(), log.filter.clone(), log.search.clone());
    show(model, sources, name, out);
    if let Some(log) = &mut model.log {
        log.set_filter(filter);
        log.set_search(search);
    }
    true
}

fn of_log<'a>(model: &'a Model, log: &LogView) -> Option<&'a Container> {
    let id = log.container()?;
    model.seen.containers.value()?.iter().find(|c| c.id == id)
}

/// The same container's attempt before this one.
fn previous(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(log) = &model.log else { return };
    let Some(now) = of_log(model, log) else { return model.say(Tone::Warn, "the container has gone") };
    let all = model.seen.containers.value().into_iter().flatten();
    let before = all.filter(|c| c.pod == now.pod && c.name == now.name && c.attempt < now.attempt);
    let Some(found) = before.max_by_key(|c| c.attempt) else {
        return model.say(Tone::Warn, format!("attempt {} is the oldest that is still here", now.attempt));
    };
    let base = log.sources[0].1.split(" #").next().unwrap_or_default();
    let (id, name) = (found.id.clone(), format!("{base} #{}", found.attempt));
    show(model, vec![(id, name.clone())], name, out);
}

/// All containers of the pod in one, each one's newest attempt; or back to the one.
fn all(model: &mut Model, out: &mut Vec<Effect>) {
    let Some(log) = &model.log else { return };
    let Some(now) = of_log(model, log) else { return model.say(Tone::Warn, "the container has gone") };
    if log.sources.len() > 1 {
        let one = log.sources[0].clone();
        let name = one.1.clone();
        return show(model, vec![one], name, out);
    }
    let inside: Vec<&Container> =
        model.seen.containers.value().into_iter().flatten().filter(|c| c.pod == now.pod).collect();
    let newest = |c: &&&Container| !inside.iter().any(|o| o.name == c.name && o.attempt > c.attempt);
    let others = inside.iter().filter(newest).filter(|c| c.name != now.name);
    let mut sources = vec![log.sources[0].clone()];
    sources.extend(others.take(MERGED - 1).map(|c| (c.id.clone(), c.name.clone())));
    if sources.len() == 1 {
        return model.say(Tone::Plain, "the pod has no other container");
    }
    let pod = log.sources[0].1.rsplit_once('/').map_or("the pod", |(pod, _)| pod).to_owned();
    show(model, sources, format!("{pod}, all containers"), out);
}

pub fn key(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let page = model.page();
    if cmd == Cmd::Follow && to_end(model, out) {
        return;
    }
    let Some(log) = &mut model.log else { return };
    match cmd {
        Cmd::Follow => log.follow(log.anchor.is_some()),
        Cmd::Wrap => log.wrap = !log.wrap,
        Cmd::Fields => log.fields = !log.fields,
        Cmd::Times => {
            log.times = match log.times {
                Times::None => Times::Utc,
                Times::Utc => Times::Local,
                Times::Local => Times::None,
            }
        }
        Cmd::Span => {
            log.span = (log.span + 1) % SPANS.len();
            let (sources, name) = (log.sources.clone(), log.name.clone());
            show(model, sources, name, out);
        }
        Cmd::Previous => previous(model, out),
        Cmd::AllContainers => all(model, out),
        Cmd::Search => {
            model.input = Some(Input { search: true, ..Input::default() });
        }
        Cmd::Older | Cmd::Newer => {
            if log.hits.is_none() {
                let search = model.keymap.named(Cmd::Search);
                model.say(Tone::Plain, format!("nothing is searched for yet: {search}"));
            } else if !log.seek(cmd == Cmd::Older) {
                if cmd == Cmd::Older {
                    log.reach(Want::Hit);
                    return turn(model, out);
                }
                let text = format!("no newer line has {}", log.search);
                model.say(Tone::Plain, text);
            }
        }
        Cmd::Save => save(model, "", out),
        Cmd::CopyLines => {
            let mut lines: Vec<String> = log.back().take(page).map(|l| l.safe().to_string()).collect();
            lines.reverse();
            looks::copied(model, lines.join("\n"), &format!("{} lines", lines.len()), out);
        }
        _ => {}
    }
}

/// What passes the filter, as the container wrote it, to a file of the person's choice or one in the temporary
/// directory.
pub fn save(model: &mut Model, file: &str, out: &mut Vec<Effect>) {
    let Some(log) = &model.log else {
        let open = model.keymap.named(Cmd::Logs);
        return model.say(Tone::Warn, format!("open a log first: {open} on a container"));
    };
    let mut bytes = Vec::new();
    for line in log.lines.iter().filter(|l| log.shows(l)) {
        bytes.extend_from_slice(line.raw());
        bytes.push(b'\n');
    }
    let name: String =
        log.name.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' }).collect();
    let seconds = model.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let file = if file.is_empty() { None } else { Some(file.into()) };
    out.push(Effect::Save { file, name: format!("wharf-log-{name}-{seconds}.log"), bytes });
}
