//! Looking at objects: open, describe, tree, logs, a shell, copying; and how things look: a person's settings.

use super::{go, input, set_filter};
use crate::{
    client::types::{ContainerState, ObjectRef},
    config::app::App,
    tui::{
        detail::{Detail, DetailLine},
        event::{Effect, Token},
        keymap::{Cmd, Keymap},
        model::{Model, Popup},
        panes::{self, PaneId},
        theme::{Palette, Theme, Tone},
        tree,
    },
};

/// Bytes that terminals take into their clipboard.
const COPY: usize = 64 << 10;

/// The object of the selected row; says why there is none.
pub fn aimed(model: &mut Model) -> Option<(ObjectRef, String)> {
    let found = model.selected().and_then(|r| r.object.clone().map(|o| (o, r.name.clone())));
    if found.is_none() {
        let lost = model.table().lost;
        model.say(Tone::Warn, if lost { "that row is gone; choose another" } else { "nothing here to act on" });
    }
    found
}

pub fn describe(model: &mut Model, raw: bool, out: &mut Vec<Effect>) {
    let figures = model.pane == PaneId::Disk && model.selected().is_some_and(|r| r.object.is_none());
    if figures || matches!(model.pane, PaneId::Node | PaneId::Runbooks) {
        return;
    }
    let Some((object, name)) = aimed(model) else { return };
    let token = model.next_token();
    let kind = if raw { "YAML" } else { "Describe" };
    model.popup = Some(Popup::Detail(Detail { raw, kind, ..Detail::new(token, name.into()) }));
    out.push(Effect::Inspect { token, object });
}

/// One secret of what is described, or all of them; the journal is told which.
pub fn secret(model: &mut Model, cmd: Cmd, out: &mut Vec<Effect>) {
    let inside = model.inside();
    let Some(Popup::Detail(d)) = &mut model.popup else { return };
    let shown = match cmd {
        Cmd::NextSecret | Cmd::PreviousSecret => {
            d.seek(cmd == Cmd::PreviousSecret, inside);
            None
        }
        Cmd::RevealAll => d.reveal(model.now).then(|| "the secrets".to_owned()),
        _ => d.reveal_one(inside, model.now),
    };
    out.extend(shown.map(|names| Effect::Reveal { what: format!("{names} of {}", d.title) }));
}

/// A person's settings, in force at once; all of them or none.
pub fn settings(model: &mut Model, wanted: &App) -> Result<(), String> {
    let keymap = Keymap::new(wanted.keymap.as_deref().unwrap_or("default"), &wanted.keys)?;
    let palette = match &wanted.theme {
        Some(name) => Some(
            Palette::named(name).ok_or_else(|| format!("there is no theme {name:?}; there are dark, light, mono"))?,
        ),
        None => None,
    };
    let mut tables = model.tables.clone();
    for (name, pane) in &wanted.panes {
        let known = panes::panes().iter().find(|p| p.name.eq_ignore_ascii_case(name));
        let Some(spec) = known else { return Err(format!("there is no pane {name:?}")) };
        let Some(table) = tables.get_mut(&spec.id) else { continue };
        if let Some(sort) = &pane.sort {
            let column = spec.columns.iter().position(|c| c.name.eq_ignore_ascii_case(sort));
            table.sort = column.ok_or_else(|| format!("pane {name} has no column {sort:?}"))?;
        }
        table.reversed = pane.reverse.unwrap_or(table.reversed);
        if let Some(filter) = &pane.filter {
            table.filter.clone_from(filter);
        }
        if let Some(names) = &pane.columns {
            let column = |n: &String| {
                let found = spec.columns.iter().position(|c| c.name.eq_ignore_ascii_case(n));
                found.ok_or_else(|| format!("pane {name} has no column {n:?}"))
            };
            table.columns = names.iter().map(column).collect::<Result<_, _>>()?;
        }
    }
    for (name, kept) in &wanted.kept {
        let known = panes::panes().iter().find(|p| p.name.eq_ignore_ascii_case(name));
        if let Some((spec, table)) = known.and_then(|p| Some((p, tables.get_mut(&p.id)?))) {
            super::columns::kept(table, spec, kept);
        }
    }
    model.tables = tables;
    model.keymap = keymap;
    model.theme = Theme { ascii: wanted.ascii.unwrap_or(model.bare.ascii), ..model.bare };
    // NO_COLOR is a wish about this terminal; the settings are for all of them.
    if let Some(palette) = palette.filter(|_| model.bare.palette != Palette::Mono) {
        model.theme.palette = palette;
    }
    model.read_only |= wanted.read_only == Some(true);
    if wanted.mouse.is_some_and(|on| on != model.mouse) {
        input::toggle_mouse(model);
    }
    model.dirty |= model.rebuild();
    model.dirty = true;
    Ok(())
}

pub fn journal(model: &mut Model, out: &mut Vec<Effect>) {
    let token = model.next_token();
    let title = "changes made through wharf, the newest first".into();
    model.popup = Some(Popup::Detail(Detail { kind: "Journal", ..Detail::new(token, title) }));
    out.push(Effect::Journal { token });
}

pub fn exec(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((container, name)) = super::logs::container(model) else { return };
    let state = model.seen.containers.value().and_then(|all| all.iter().find(|c| c.id == container)).map(|c| c.state);
    if state == Some(ContainerState::Running) {
        out.push(Effect::Exec { container });
    } else {
        model.say(Tone::Warn, format!("{name} does not run"));
    }
}

/// A pod opens into its containers, a container of an event into its log; the rest is described.
pub fn open(model: &mut Model, out: &mut Vec<Effect>) {
    match (model.pane, model.selected().and_then(|r| r.object.clone())) {
        (PaneId::Pods, Some(ObjectRef::Pod(id))) => {
            let name = model.seen.pods.value().into_iter().flatten().find(|p| p.id == id).map(|p| p.name.clone());
            model.opened_from = Some(PaneId::Pods);
            go(model, PaneId::Containers, out);
            set_filter(model, format!("pod={}", name.unwrap_or_default()));
        }
        _ => describe(model, false, out),
    }
}

/// The pod of the row, or of the row's container.
pub fn tree(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((object, _)) = aimed(model) else { return };
    let containers = || model.seen.containers.value().into_iter().flatten();
    let pod = match object {
        ObjectRef::Pod(id) => Some(id),
        ObjectRef::Container(id) => containers().find(|c| c.id == id).map(|c| c.pod.clone()),
        ObjectRef::Image(_) | ObjectRef::Snapshot { .. } => None,
    };
    let Some(pod) = pod else { return model.say(Tone::Warn, "only pods and containers have a tree") };
    let inside = containers().filter(|c| c.pod == pod).map(|c| c.id.clone()).collect();
    let name = model.seen.pods.value().into_iter().flatten().find(|p| p.id == pod).map(|p| p.name.clone());
    let token = model.next_token();
    model.tree_of = Some(pod.clone());
    let title = name.unwrap_or_default().into();
    model.popup = Some(Popup::Detail(Detail { kind: "Tree", ..Detail::new(token, title) }));
    out.push(Effect::Family { token, pod, containers: inside });
}

pub fn family(model: &mut Model, token: Token, result: Result<serde_json::Value, String>) {
    let (seen, pod) = (&model.seen, model.tree_of.clone().unwrap_or_default());
    if let Some(Popup::Detail(d)) = &mut model.popup
        && d.token == token
    {
        d.result = Some(match result {
            Ok(value) => Ok(tree::lines(seen, &pod, &value)),
            Err(error) => Err(error.into()),
        });
        model.dirty = true;
    }
}

/// The files of a snapshot's layer, or of all layers of an image.
pub fn layer(model: &mut Model, out: &mut Vec<Effect>) {
    let Some((object, name)) = aimed(model) else { return };
    if !matches!(object, ObjectRef::Image(_) | ObjectRef::Snapshot { .. }) {
        return model.say(Tone::Warn, "files are of a layer: choose an image (4) or a snapshot (5)");
    }
    let token = model.next_token();
    model.popup = Some(Popup::Detail(Detail { kind: "Files", ..Detail::new(token, name.into()) }));
    out.push(Effect::Layers { token, object });
}

/// What pods have mounted where.
pub fn volumes(model: &mut Model, out: &mut Vec<Effect>) {
    let token = model.next_token();
    let title = "of running containers, by pod".into();
    model.popup = Some(Popup::Detail(Detail { kind: "Mounts", ..Detail::new(token, title) }));
    out.push(Effect::Volumes { token });
}

/// The lines of what was asked for, if it is still looked at.
pub fn told(model: &mut Model, token: Token, result: Result<Vec<DetailLine>, String>) {
    if let Some(Popup::Detail(d)) = &mut model.popup
        && d.token == token
    {
        d.result = Some(result.map_err(Into::into));
        model.dirty = true;
    }
}

pub fn copy(model: &mut Model, out: &mut Vec<Effect>) {
    if let Some(row) = model.selected() {
        let name = row.name.clone();
        let step = model.pane == PaneId::Runbooks && model.books.open.is_some();
        copied(model, name, if step { "the command" } else { "the name" }, out);
    }
}

/// Asks for the clipboard, unless it is more than a terminal takes.
pub fn copied(model: &mut Model, text: String, what: &str, out: &mut Vec<Effect>) {
    if text.len() > COPY {
        return model
            .say(Tone::Warn, format!("{what} is more than the {COPY} bytes a terminal takes; :save writes a file"));
    }
    let said = format!("copied {what}, if the terminal allows it (OSC 52)");
    model.say(Tone::Plain, said);
    out.push(Effect::Copy(text));
}
