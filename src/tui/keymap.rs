//! Which key means what, where: the table, and what presets and a person's settings make of it. The help screen and the hint
//! line are made from the keymap in force and from nothing else.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::palette::Word;
use crate::client::types::RuntimeInfo;

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
    Reveal,
    RevealAll,
    NextSecret,
    PreviousSecret,
    Columns,
    Toggle,
    Later,
    Earlier,
    SortHere,
    Keep,
    Forget,
    Tree,
    Layer,
    Graphs,
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
    ExecAside,
    CopyOut,
    CopyIn,
    Type,
    Leave,
    End,
    NextTerminal,
    PreviousTerminal,
    Stop,
    Remove,
    Restart,
    Run,
    Tag,
    Pin,
    Collect,
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
    Columns,
    /// Terminals, while nobody types into one.
    Exec,
    /// While somebody does: every other key is the terminal's.
    Terminal,
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

use Context::{Columns, Everywhere, Exec, Logs, Plan, Table, Terminal, Text};

pub const BINDINGS: &[Binding] = &[
    // The order is that of the hints: what a stranger needs comes first, and the rest where there is room.
    b(Table, &[k(KeyCode::Enter)], Cmd::Open, "open", "what is inside the row, or its description"),
    b(Table, &[c('d')], Cmd::Describe, "describe", "describe the row"),
    b(Table, &[c('F')], Cmd::Layer, "files", "files of the layer or image: what is added, changed, removed"),
    b(Table, &[c('l')], Cmd::Logs, "logs", "logs of the container"),
    change(Table, &[c('s'), c('e')], Cmd::Exec, "shell", "shell in the container, in Exec; or back to it"),
    change(Table, &[c('S'), c('E')], Cmd::ExecAside, "", "shell on the whole terminal: the app steps aside"),
    b(Table, &[c('w')], Cmd::CopyOut, "", "copy a file or directory out of the container (:get)"),
    change(Table, &[c('W')], Cmd::CopyIn, "", "copy one into the container (:put)"),
    b(Table, &[c('!')], Cmd::Diagnose, "why", "the runbook that explains the row; in Runbooks: again"),
    change(Table, &[c('f')], Cmd::Fix, "fix", "in Runbooks: the fix of the step, after a plan"),
    change(Table, &[c('P')], Cmd::Prune, "prune", "prune images and exited containers: plan, 5 s, start"),
    change(Table, &[c('x')], Cmd::Stop, "stop", "stop the pod or container, after a plan"),
    change(Table, &[ctrl('d'), k(KeyCode::Delete)], Cmd::Remove, "remove", "remove the object, after a plan"),
    change(Table, &[c('R')], Cmd::Restart, "restart", "restart the pod or container, after a plan"),
    b(Table, &[c('X')], Cmd::Tree, "tree", "the pod and all that hangs on it"),
    b(Table, &[c('m')], Cmd::Graphs, "graphs", "graphs: CPU, memory, network, disk, pressure of the row"),
    b(Table, &[c('y')], Cmd::Yaml, "yaml", "raw YAML of the row"),
    b(Table, &[c('p')], Cmd::PlanPrune, "plan", "show the prune plan, start nothing"),
    change(Table, &[c('+')], Cmd::Pull, "", "pull an image (also :pull REF)"),
    change(Table, &[c('n')], Cmd::Run, "", "run an image: that of the row, or another (also :run)"),
    change(Table, &[c('t')], Cmd::Tag, "", "one more name for the image (also :tag NAME)"),
    change(Table, &[c('*')], Cmd::Pin, "", "pin the image, or unpin it: who makes room leaves it"),
    change(Table, &[], Cmd::Collect, "", "collect garbage, after a plan"),
    b(Table, &[c(' ')], Cmd::Mark, "", "mark the row: plans are of all that are marked"),
    b(Table, &[ctrl('\\')], Cmd::Unmark, "", "no marks"),
    b(Table, &[c('c')], Cmd::Copy, "", "copy the row's name"),
    b(Table, &[c('o')], Cmd::SortBy, "sort", "sort by a column, by its letter"),
    b(Table, &[c('<'), k(KeyCode::Left)], Cmd::SortLeft, "", "sort by the column to the left"),
    b(Table, &[c('>'), k(KeyCode::Right)], Cmd::SortRight, "", "sort by the column to the right"),
    b(Table, &[c('r')], Cmd::Reverse, "", "reverse the order"),
    b(Table, &[c('C')], Cmd::Columns, "columns", "choose columns and their order, and keep them"),
    b(Table, &[], Cmd::HalfDown, "", "half a page down"),
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
    change(Logs, &[c('e')], Cmd::Exec, "shell", "shell in this container, in Exec; or back to it"),
    change(Logs, &[c('E')], Cmd::ExecAside, "", "the same on the whole terminal"),
    b(Exec, &[k(KeyCode::Enter), c('i')], Cmd::Type, "type", "give the keys to the terminal"),
    b(Exec, &[c('n'), k(KeyCode::Right)], Cmd::NextTerminal, "next", "the next terminal"),
    b(Exec, &[c('p'), k(KeyCode::Left)], Cmd::PreviousTerminal, "", "the one before"),
    b(Exec, &[c('x')], Cmd::End, "end", "end its command and close it"),
    b(Exec, &[c('c')], Cmd::CopyLines, "copy", "copy what it shows"),
    b(Terminal, &[ctrl(']')], Cmd::Leave, "leaves, the command goes on", "leave it; the command goes on"),
    change(Text, &[c('f')], Cmd::Fix, "fix", "in a step of a runbook: its fix, after a plan"),
    b(Text, &[c('c')], Cmd::Copy, "copy", "in a step of a runbook: copy its command"),
    b(
        Text,
        &[c('r')],
        Cmd::Reveal,
        "secret",
        "in a description: show the marked secret, which the journal tells; hide it",
    ),
    b(Text, &[c('n')], Cmd::NextSecret, "next", "the next secret"),
    b(Text, &[c('N')], Cmd::PreviousSecret, "", "the secret before"),
    b(Text, &[c('R')], Cmd::RevealAll, "all secrets", "show all secrets of it; hide them"),
    b(Text, &[ctrl('d')], Cmd::HalfDown, "", "half a page down"),
    b(Text, &[ctrl('u')], Cmd::HalfUp, "", "half a page up"),
    b(Columns, &[c(' '), k(KeyCode::Enter)], Cmd::Toggle, "show or not", "show the column, or not"),
    b(Columns, &[c('J'), c('>'), k(KeyCode::Right)], Cmd::Later, "later", "move it to the right"),
    b(Columns, &[c('K'), c('<'), k(KeyCode::Left)], Cmd::Earlier, "earlier", "move it to the left"),
    b(Columns, &[c('o')], Cmd::SortHere, "sort", "sort by it; again turns it round"),
    b(Columns, &[c('S')], Cmd::Keep, "save", "keep columns, sorting and filter of the pane"),
    b(Columns, &[c('R')], Cmd::Forget, "reset", "as the app has it, and keep nothing"),
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
    b(Everywhere, &[c('T')], Cmd::Pane(10), "", "Exec"),
    b(Everywhere, &[c('M')], Cmd::Mouse, "", "mouse for the app, or for the terminal"),
    b(Everywhere, &[k(KeyCode::Esc)], Cmd::Back, "", "close, drop the filter, go back"),
    b(Everywhere, &[ctrl('r')], Cmd::Refresh, "", "read everything again"),
    b(Everywhere, &[ctrl('l')], Cmd::Redraw, "", "draw the screen again"),
    b(Everywhere, &[c('?'), k(KeyCode::F(1))], Cmd::Help, "help", "this help"),
    b(Everywhere, &[c('q')], Cmd::Quit, "quit", "close, or quit"),
    b(Everywhere, &[ctrl('c')], Cmd::Interrupt, "", "quit (twice while something runs)"),
];

/// Keys by command, as in the settings.
type Changes = &'static [(&'static str, &'static [&'static str])];

/// By name, what presets change.
const PRESETS: &[(&str, Changes)] = &[
    ("default", &[]),
    // Half pages everywhere; what removes is a capital.
    ("vim", &[("table.remove", &["D", "Del"]), ("table.half-down", &["^d"]), ("everywhere.quit", &["q", "Z"])]),
    // As in its logs: s stands still and goes on.
    (
        "k9s",
        &[
            ("logs.follow", &["s"]),
            ("logs.search", &["S"]),
            ("table.plan-prune", &["^p"]),
            ("everywhere.previous-pane", &["S-Tab", "-"]),
        ],
    ),
];

/// A binding with the keys it has now.
#[derive(Debug, Clone)]
pub struct Bound {
    pub binding: &'static Binding,
    pub keys: Vec<Key>,
}

/// The bindings in force, in the table's order.
#[derive(Debug, Clone)]
pub struct Keymap(Vec<Bound>);

impl Default for Keymap {
    fn default() -> Self {
        Self(BINDINGS.iter().map(|binding| Bound { binding, keys: binding.keys.to_vec() }).collect())
    }
}

impl Keymap {
    /// A preset, and a person's own keys over it: by command (`remove`), or by command in one context (`logs.follow`).
    ///
    /// # Errors
    /// What is unknown, or what would mean two things.
    pub fn new(preset: &str, own: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let Some((_, changes)) = PRESETS.iter().find(|(name, _)| *name == preset) else {
            let known: Vec<&str> = PRESETS.iter().map(|p| p.0).collect();
            return Err(format!("there is no keymap {preset:?}; there are {}", known.join(", ")));
        };
        let mut map = Self::default();
        for (command, keys) in *changes {
            map.set(command, &mut keys.iter().copied())?;
        }
        for (command, keys) in own {
            map.set(command, &mut keys.iter().map(String::as_str))?;
        }
        map.clash().map_or(Ok(map), Err)
    }

    fn set(&mut self, command: &str, keys: &mut dyn Iterator<Item = &str>) -> Result<(), String> {
        let keys: Vec<Key> = keys.map(Key::parse).collect::<Result<_, _>>()?;
        if keys.contains(&ctrl('c')) {
            return Err(format!("{command}: ^c is the way out, whatever else is wrong; it cannot be given away"));
        }
        let (context, name) = command.split_once('.').map_or((None, command), |(c, n)| (Some(c), n));
        let meant = |b: &Bound| {
            b.binding.cmd != Cmd::Interrupt
                && b.binding.cmd.name() == name
                && context.is_none_or(|c| c == b.binding.context.name())
        };
        let out = |key: &Key| key.ctrl || matches!(key.code, KeyCode::F(_));
        if Cmd::Leave.name() == name && !keys.iter().any(out) {
            return Err(format!(
                "{command}: a terminal needs a way out that no program is typed with: ^x or F1 to F12"
            ));
        }
        let mut any = false;
        for bound in self.0.iter_mut().filter(|b| meant(b)) {
            bound.keys.clone_from(&keys);
            any = true;
        }
        if any { Ok(()) } else { Err(format!("there is no command {command:?} whose keys could be set")) }
    }

    /// Two bindings of one context with the same key.
    fn clash(&self) -> Option<String> {
        self.0.iter().enumerate().find_map(|(i, a)| {
            let same = |b: &&Bound| a.binding.context == b.binding.context && a.keys.iter().any(|k| b.keys.contains(k));
            let b = self.0[i + 1..].iter().find(same)?;
            let key = a.keys.iter().find(|k| b.keys.contains(k))?.name();
            let context = a.binding.context.name();
            Some(format!("{key} would be {context}.{} and {context}.{}", a.binding.cmd.name(), b.binding.cmd.name()))
        })
    }

    pub fn lookup(&self, contexts: &[Context], event: KeyEvent) -> Option<&'static Binding> {
        if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        // Terminals send one byte for both, and the reader names it by the digit.
        let code = match event.code {
            KeyCode::Char(digit @ '4'..='7') if ctrl => {
                KeyCode::Char(['\\', ']', '^', '_'][usize::from(digit as u8 - b'4')])
            }
            code => code,
        };
        let pressed = Key { code, ctrl };
        let of = |context: &Context| self.0.iter().find(|b| b.binding.context == *context && b.keys.contains(&pressed));
        contexts.iter().find_map(of).map(|b| b.binding)
    }

    /// The key that hints name for a command.
    pub fn first(&self, cmd: Cmd) -> Option<String> {
        self.bound().find(|b| b.binding.cmd == cmd).and_then(|b| b.keys.first()).map(|k| k.name())
    }

    /// The key that prose names for a command.
    pub fn named(&self, cmd: Cmd) -> String {
        self.first(cmd).unwrap_or_else(|| "(no key)".into())
    }

    /// Those that have a key.
    pub fn bound(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter().filter(|b| !b.keys.is_empty())
    }
}

impl Cmd {
    /// Why this runtime cannot do it, if so.
    pub fn lacks(self, info: &RuntimeInfo) -> Option<String> {
        match self {
            Self::Tag => Word::Tag.lacks(info),
            Self::Pin => Word::Pin.lacks(info),
            Self::Collect => Word::Collect.lacks(info),
            _ => None,
        }
    }

    /// As the settings call it: `half-down`, `pane-1`.
    pub fn name(self) -> String {
        if let Self::Pane(10) = self {
            return "pane-exec".to_owned();
        }
        if let Self::Pane(at) = self {
            return format!("pane-{}", (at + 1) % 10);
        }
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

impl Context {
    pub fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Table => "table",
            Self::Text => "text",
            Self::Logs => "logs",
            Self::Plan => "plan",
            Self::Columns => "columns",
            Self::Exec => "exec",
            Self::Terminal => "terminal",
        }
    }
}

impl Key {
    /// As [`Key::name`] writes it; `C-d` is `^d` as well.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (ctrl, name) = match text.strip_prefix("C-").or_else(|| text.strip_prefix('^').filter(|r| !r.is_empty())) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut letters = name.chars();
        if let (Some(one), None) = (letters.next(), letters.next()) {
            return Ok(Self { code: KeyCode::Char(if ctrl { one.to_ascii_lowercase() } else { one }), ctrl });
        }
        let code = match name {
            "Space" => KeyCode::Char(' '),
            "Enter" => KeyCode::Enter,
            "Esc" => KeyCode::Esc,
            "Tab" => KeyCode::Tab,
            "S-Tab" => KeyCode::BackTab,
            "PgDn" => KeyCode::PageDown,
            "PgUp" => KeyCode::PageUp,
            "Up" => KeyCode::Up,
            "Down" => KeyCode::Down,
            "Left" => KeyCode::Left,
            "Right" => KeyCode::Right,
            "Home" => KeyCode::Home,
            "End" => KeyCode::End,
            "Del" => KeyCode::Delete,
            _ => match name.strip_prefix('F').and_then(|n| n.parse().ok()).filter(|n| (1..=12).contains(n)) {
                Some(n) => KeyCode::F(n),
                None => {
                    return Err(format!(
                        "{text:?} is no key: one character, ^x, Space, Enter, Esc, Tab, S-Tab, PgUp, PgDn, Up, Down, Left, Right, Home, End, Del, F1 to F12"
                    ));
                }
            },
        };
        Ok(Self { code, ctrl })
    }

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

impl Bound {
    /// Its keys for people: "j ↓".
    pub fn names(&self) -> String {
        self.keys.iter().map(|k| k.name()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        pairs.iter().map(|(c, k)| ((*c).to_owned(), k.iter().map(|k| (*k).to_owned()).collect())).collect()
    }

    fn press(map: &Keymap, context: Context, key: &str) -> Option<Cmd> {
        let key = Key::parse(key).unwrap();
        let modifiers = if key.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
        map.lookup(&[context, Everywhere], KeyEvent::new(key.code, modifiers)).map(|b| b.cmd)
    }

    #[test]
    fn no_key_means_two_things_in_any_preset() {
        for (preset, _) in PRESETS {
            Keymap::new(preset, &BTreeMap::new()).unwrap_or_else(|e| panic!("{preset}: {e}"));
        }
    }

    #[test]
    fn a_vim_hand_scrolls_where_the_default_removes() {
        let (plain, vim) = (Keymap::default(), Keymap::new("vim", &BTreeMap::new()).unwrap());
        assert_eq!((press(&plain, Table, "^d"), press(&vim, Table, "^d")), (Some(Cmd::Remove), Some(Cmd::HalfDown)));
        assert_eq!(press(&vim, Table, "D"), Some(Cmd::Remove));
    }

    #[test]
    fn own_keys_replace_those_of_the_preset() {
        let map = Keymap::new("default", &own(&[("stop", &["K", "F5"]), ("logs.follow", &["Space"])])).unwrap();
        assert_eq!(
            (press(&map, Table, "K"), press(&map, Table, "x"), press(&map, Logs, "Space")),
            (Some(Cmd::Stop), None, Some(Cmd::Follow))
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_reason() {
        for (pairs, why) in [
            (own(&[("stop", &["l"])]), "l would be table.logs and table.stop"),
            (own(&[("fly", &["F"])]), "no command \"fly\""),
            (own(&[("stop", &["Hyper-x"])]), "is no key"),
            (own(&[("quit", &["^c"])]), "cannot be given away"),
            (own(&[("interrupt", &["x"])]), "no command"),
        ] {
            let error = Keymap::new("default", &pairs).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(Keymap::new("emacs", &BTreeMap::new()).unwrap_err().contains("default, vim, k9s"));
    }

    #[test]
    fn every_pane_has_its_digit() {
        for (at, pane) in crate::tui::panes::panes().iter().enumerate() {
            let binding = BINDINGS.iter().find(|b| b.cmd == Cmd::Pane(at as u8)).expect("bound");
            assert_eq!(binding.help, pane.name);
        }
    }
}
