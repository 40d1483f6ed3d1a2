//! What can be said after `:`: commands and panes, with their other names, found by any of their letters. Pure.

use super::{
    filter::score,
    panes::{self, PaneId},
};
use crate::client::{
    action::{Act, lacks},
    types::RuntimeInfo,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Pane(PaneId),
    Quit,
    Help,
    Pull,
    Get,
    Put,
    Pulls,
    Restart,
    Run,
    Tag,
    Pin,
    Unpin,
    Collect,
    Prune,
    Journal,
    Mounts,
    Plan,
    Tree,
    Graphs,
    Sort,
    Columns,
    Mouse,
    Theme,
    Save,
    Refresh,
}

impl Word {
    /// Why this runtime cannot do it, if so.
    pub fn lacks(self, info: &RuntimeInfo) -> Option<String> {
        let act = match self {
            Self::Tag => Act::Tag,
            Self::Pin | Self::Unpin => Act::Pin,
            Self::Collect => Act::Collect,
            _ => return None,
        };
        lacks(act, info)
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Entry {
    pub word: Word,
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    /// What may follow it.
    pub argument: &'static str,
    pub help: &'static str,
    pub changes: bool,
}

const fn entry(
    word: Word,
    name: &'static str,
    aliases: &'static [&'static str],
    argument: &'static str,
    help: &'static str,
) -> Entry {
    Entry { word, name, aliases, argument, help, changes: false }
}

const fn change(entry: Entry) -> Entry {
    Entry { changes: true, ..entry }
}

const COMMANDS: &[Entry] = &[
    change(entry(Word::Pull, "pull", &[], "REFERENCE", "pull an image")),
    entry(Word::Get, "get", &["download"], "PATH LOCAL", "copy out of the container of the row"),
    change(entry(Word::Put, "put", &["upload"], "LOCAL PATH", "copy into the container of the row")),
    entry(Word::Pulls, "pulls", &[], "", "the pulls of this session"),
    change(entry(Word::Restart, "restart", &[], "", "restart the pod or container of the row, after a plan")),
    change(entry(Word::Run, "run", &[], "IMAGE [COMMAND]", "run an image in a pod of its own, after a plan")),
    change(entry(Word::Tag, "tag", &[], "NAME", "one more name for the image of the row")),
    change(entry(Word::Pin, "pin", &[], "", "the kubelet and prune leave the image of the row")),
    change(entry(Word::Unpin, "unpin", &[], "", "they may take it")),
    change(entry(Word::Collect, "gc", &["garbage"], "", "collect what nothing refers to, after a plan")),
    change(entry(Word::Prune, "prune", &[], "", "remove unused images and exited containers, after 5 s")),
    entry(Word::Plan, "plan", &[], "", "what a prune would remove; nothing is started"),
    entry(Word::Journal, "journal", &["audit", "changes"], "", "what was changed on this node through wharf, by whom"),
    entry(Word::Mounts, "mounts", &["volumes", "vol"], "", "what pods have mounted where, and how full that is"),
    entry(Word::Tree, "tree", &["xray"], "", "the pod of the row, and all that hangs on it"),
    entry(
        Word::Graphs,
        "graphs",
        &["metrics", "stats", "top"],
        "",
        "what the pod or container of the row uses, over time",
    ),
    entry(Word::Sort, "sort", &[], "COLUMN", "sort the table by a column; again turns it round"),
    entry(Word::Columns, "columns", &["cols"], "", "choose the columns of the table, and keep them"),
    entry(Word::Save, "save", &["w", "write"], "[FILE]", "write the log that is shown to a file"),
    entry(Word::Mouse, "mouse", &[], "", "the mouse for the app, or for the terminal"),
    entry(Word::Theme, "theme", &["skin"], "dark|light|mono", "other colours"),
    entry(Word::Refresh, "refresh", &[], "", "read everything again"),
    entry(Word::Help, "help", &["h", "?"], "", "all keys"),
    entry(Word::Quit, "quit", &["q", "q!", "exit"], "", "leave"),
];

pub fn entries() -> impl Iterator<Item = Entry> {
    let pane = |p: &'static panes::Pane| Entry {
        word: Word::Pane(p.id),
        name: p.name,
        aliases: p.aliases,
        argument: if p.id as usize == PaneId::Exec as usize { "[COMMAND]" } else { "[FILTER]" },
        help: if p.id as usize == PaneId::Exec as usize { "pane; or a command in the row's container" } else { "pane" },
        changes: false,
    };
    COMMANDS.iter().copied().chain(panes::panes().iter().map(pane))
}

/// The entry a person means: its name, another name of it, or the start of one only.
pub fn named(name: &str) -> Option<Entry> {
    let exact = entries().find(|e| e.name.eq_ignore_ascii_case(name) || e.aliases.contains(&name));
    exact.or_else(|| panes::named(name).and_then(|id| entries().find(|e| e.word == Word::Pane(id))))
}

/// What the letters typed so far may mean, best first.
pub fn matches(typed: &str) -> Vec<Entry> {
    let letters = typed.split_whitespace().next().unwrap_or_default().to_lowercase();
    let rank = |e: &Entry| {
        let names = std::iter::once(e.name).chain(e.aliases.iter().copied());
        let exact = if e.aliases.contains(&letters.as_str()) || e.name.eq_ignore_ascii_case(&letters) { 0 } else { 1 };
        names.filter_map(|n| score(&letters, n)).min().map(|s| (exact, s))
    };
    let mut found: Vec<(_, Entry)> = entries().filter_map(|e| rank(&e).map(|r| (r, e))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, e)| e).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_find_what_is_meant() {
        let first = |typed: &str| matches(typed).first().map(|e| e.name);
        assert_eq!(
            ["img", "po", "ctr", "q", "pull x", "snp", "xray", "pru"].map(first),
            ["Images", "Pods", "Containers", "quit", "pull", "Snapshots", "tree", "prune"].map(Some)
        );
        assert_eq!(first("zzzz"), None);
        assert_eq!(matches("").len(), entries().count());
        assert_eq!(named("w").map(|e| e.name), Some("save"));
        assert_eq!(named("cont").map(|e| e.name), Some("Containers"));
    }

    #[test]
    fn no_two_entries_have_a_name_in_common() {
        let mut all: Vec<String> =
            entries().flat_map(|e| [&[e.name], e.aliases].concat()).map(str::to_lowercase).collect();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
