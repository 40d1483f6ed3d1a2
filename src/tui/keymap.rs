//! Which key means what, where. The help screen and the hint line are made from this table and from nothing else.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key asks for; `update` knows what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    Quit,
    Interrupt,
    Back,
    Help,
    Command,
    Filter,
    Pane(u8),
    NextPane,
    PreviousPane,
    Up,
    Down,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    /// What is inside the row, or else its description.
    Open,
    Describe,
    Yaml,
    Tree,
    SortBy,
    SortLeft,
    SortRight,
    Reverse,
    Mark,
    Unmark,
    Copy,
    Mouse,
    Logs,
    Exec,
    Stop,
    Remove,
    Prune,
    PlanPrune,
    Pull,
    Diagnose,
    Fix,
    Follow,
    Wrap,
    Times,
    Fields,
    Span,
    Previous,
    AllContainers,
    Search,
    Older,
    Newer,
    Save,
    CopyLines,
    Refresh,
    Redraw,
    Press,
    Start,
    CallOff,
    Switch,
}

/// Where a binding holds. A key is looked up in the innermost context first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    Everywhere,
    Table,
    Text,
    Logs,
    Plan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Binding {
    pub context: Context,
    pub keys: &'static [Key],
    pub cmd: Cmd,
    pub help: &'static str,
    /// For the hint line; empty keeps it out of there.
    pub hint: &'static str,
    /// Changes the node: hidden and refused in read-only mode.
    pub changes: bool,
}

const fn c(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}
const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}
const fn k(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}
const fn b(context: Context, keys: &'static [Key], cmd: Cmd, hint: &'static str, help: &'static str) -> Binding {
    Binding { context, keys, cmd, help, hint, changes: false }
}
const fn change(context: Context, keys: &'static [Key], cmd: Cmd, hint: &'static str, help: &'static str) -> Binding {
    Binding { context, keys, cmd, help, hint, changes: true }
}

use Context::{Everywhere, Logs, Plan, Table, Text};

pub const BINDINGS: &[Binding] = &[
    b(Table, &[k(KeyCode::Enter)], Cmd::Open, "open", "what is inside the row, or its description"),
    b(Table, &[c('d')], Cmd::Describe, "describe", "describe the row"),
    b(Table, &[c('y')], Cmd::Yaml, "yaml", "raw YAML of the row"),
    b(Table, &[c('l')], Cmd::Logs, "logs", "logs of the container"),
    change(Table, &[c('s'), c('e')], Cmd::Exec, "shell", "shell in the container; the app steps aside"),
    b(Table, &[c('X')], Cmd::Tree, "tree", "the pod and all that hangs on it"),
    change(Table, &[c('x')], Cmd::Stop, "stop", "stop the pod or container, after a plan"),
    change(Table, &[ctrl('d'), k(KeyCode::Delete)], Cmd::Remove, "remove", "remove the object, after a plan"),
    change(Table, &[c('P')], Cmd::Prune, "prune", "prune images and exited containers: plan, 5 s, start"),
    b(Table, &[c('p')], Cmd::PlanPrune, "plan", "show the prune plan, start nothing"),
    change(Table, &[c('+')], Cmd::Pull, "", "pull an image (also :pull REF)"),
    b(Table, &[c('!')], Cmd::Diagnose, "diagnose", "open the runbook for the row; in Runbooks: examine again"),
    change(Table, &[c('f')], Cmd::Fix, "", "in Runbooks: the fix of the step, after a plan"),
    b(Table, &[c(' ')], Cmd::Mark, "", "mark the row: plans are of all that are marked"),
    b(Table, &[ctrl('\\')], Cmd::Unmark, "", "no marks"),
    b(Table, &[c('c')], Cmd::Copy, "", "copy the row's name"),
    b(Table, &[c('o')], Cmd::SortBy, "sort", "sort by a column, by its letter"),
    b(Table, &[c('<'), k(KeyCode::Left)], Cmd::SortLeft, "", "sort by the column to the left"),
    b(Table, &[c('>'), k(KeyCode::Right)], Cmd::SortRight, "", "sort by the column to the right"),
    b(Table, &[c('r')], Cmd::Reverse, "", "reverse the order"),
    b(Table, &[ctrl('u')], Cmd::HalfUp, "", "half a page up"),
    b(Logs, &[c('f')], Cmd::Follow, "follow", "follow the end, or stand still"),
    b(Logs, &[c('s')], Cmd::Search, "search", "search: an expression; all hits are marked"),
    b(Logs, &[c('n')], Cmd::Older, "", "the next older line with a hit"),
    b(Logs, &[c('N')], Cmd::Newer, "", "the next newer line with a hit"),
    b(Logs, &[c('b')], Cmd::Span, "since", "since 1, 5, 15, 60 minutes ago, all, or the last lines"),
    b(Logs, &[c('p')], Cmd::Previous, "previous", "the container's attempt before this one"),
    b(Logs, &[c('a')], Cmd::AllContainers, "all", "all containers of the pod, merged by time"),
    b(Logs, &[c('w')], Cmd::Wrap, "wrap", "wrap long lines"),
    b(Logs, &[c('t')], Cmd::Times, "times", "times: UTC, local, none"),
    b(Logs, &[c('J')], Cmd::Fields, "", "JSON as its fields"),
    b(Logs, &[c('c')], Cmd::CopyLines, "", "copy the lines on the screen"),
    b(Logs, &[ctrl('s')], Cmd::Save, "", "save what passes the filter (also :save FILE)"),
    change(Logs, &[c('e')], Cmd::Exec, "shell", "shell in this container"),
    b(Text, &[ctrl('d')], Cmd::HalfDown, "", "half a page down"),
    b(Text, &[ctrl('u')], Cmd::HalfUp, "", "half a page up"),
    b(Plan, &[k(KeyCode::Enter)], Cmd::Press, "press", "press the marked button; start now"),
    b(Plan, &[k(KeyCode::Tab), k(KeyCode::Left), k(KeyCode::Right), c('h'), c('l')], Cmd::Switch, "", "other button"),
    b(Plan, &[c('Y')], Cmd::Start, "", "start"),
    b(Plan, &[c('u'), k(KeyCode::Esc), c('q')], Cmd::CallOff, "call off", "call it off, or close"),
    b(Everywhere, &[c('j'), k(KeyCode::Down)], Cmd::Down, "", "down"),
    b(Everywhere, &[c('k'), k(KeyCode::Up)], Cmd::Up, "", "up"),
    b(Everywhere, &[k(KeyCode::PageDown), ctrl('f')], Cmd::PageDown, "", "page down"),
    b(Everywhere, &[k(KeyCode::PageUp), ctrl('b')], Cmd::PageUp, "", "page up"),
    b(Everywhere, &[c('g'), k(KeyCode::Home)], Cmd::Top, "", "first"),
    b(Everywhere, &[c('G'), k(KeyCode::End)], Cmd::Bottom, "", "last"),
    b(Everywhere, &[c('/')], Cmd::Filter, "filter", "filter: words, !word, size>1G, age>7d, state=exited, -f letters"),
    b(Everywhere, &[c(':')], Cmd::Command, "", "command or pane, found by any of its letters"),
    b(Everywhere, &[k(KeyCode::Tab)], Cmd::NextPane, "", "next pane"),
    b(Everywhere, &[k(KeyCode::BackTab)], Cmd::PreviousPane, "", "previous pane"),
    b(Everywhere, &[c('1')], Cmd::Pane(0), "", "Node"),
    b(Everywhere, &[c('2')], Cmd::Pane(1), "", "Pods"),
    b(Everywhere, &[c('3')], Cmd::Pane(2), "", "Containers"),
    b(Everywhere, &[c('4')], Cmd::Pane(3), "", "Images"),
    b(Everywhere, &[c('5')], Cmd::Pane(4), "", "Snapshots"),
    b(Everywhere, &[c('6')], Cmd::Pane(5), "", "Cgroups"),
    b(Everywhere, &[c('7')], Cmd::Pane(6), "", "Disk"),
    b(Everywhere, &[c('8')], Cmd::Pane(7), "", "Events"),
    b(Everywhere, &[c('9')], Cmd::Pane(8), "", "Logs"),
    b(Everywhere, &[c('0')], Cmd::Pane(9), "", "Runbooks"),
    b(Everywhere, &[c('M')], Cmd::Mouse, "", "mouse for the app, or for the terminal"),
    b(Everywhere, &[k(KeyCode::Esc)], Cmd::Back, "", "close, drop the filter, go back"),
    b(Everywhere, &[ctrl('r')], Cmd::Refresh, "", "read everything again"),
    b(Everywhere, &[ctrl('l')], Cmd::Redraw, "", "draw the screen again"),
    b(Everywhere, &[c('?'), k(KeyCode::F(1))], Cmd::Help, "help", "this help"),
    b(Everywhere, &[c('q')], Cmd::Quit, "quit", "close, or quit"),
    b(Everywhere, &[ctrl('c')], Cmd::Interrupt, "", "quit (twice while something runs)"),
];

pub fn lookup(contexts: &[Context], event: KeyEvent) -> Option<&'static Binding> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
        return None;
    }
    let pressed = Key { code: event.code, ctrl };
    contexts.iter().find_map(|context| BINDINGS.iter().find(|b| b.context == *context && b.keys.contains(&pressed)))
}

impl Key {
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "Space".into(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => "Enter".into(),
            KeyCode::Esc => "Esc".into(),
            KeyCode::Tab => "Tab".into(),
            KeyCode::BackTab => "S-Tab".into(),
            KeyCode::PageDown => "PgDn".into(),
            KeyCode::PageUp => "PgUp".into(),
            KeyCode::Up => "↑".into(),
            KeyCode::Down => "↓".into(),
            KeyCode::Left => "←".into(),
            KeyCode::Right => "→".into(),
            KeyCode::Delete => "Del".into(),
            KeyCode::F(n) => format!("F{n}"),
            other => format!("{other:?}"),
        };
        if self.ctrl { format!("^{}", name.to_uppercase()) } else { name }
    }
}

/// The keys of a binding for people: "j ↓".
pub fn names(binding: &Binding) -> String {
    binding.keys.iter().map(|k| k.name()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_context() {
        for (i, a) in BINDINGS.iter().enumerate() {
            for b in &BINDINGS[i + 1..] {
                let both = a.keys.iter().any(|k| b.keys.contains(k));
                assert!(!(both && a.context == b.context), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn every_pane_has_its_digit() {
        for (at, pane) in crate::tui::panes::panes().iter().enumerate() {
            let binding = BINDINGS.iter().find(|b| b.cmd == Cmd::Pane(at as u8)).expect("bound");
            assert_eq!(binding.help, pane.name);
        }
    }
}
