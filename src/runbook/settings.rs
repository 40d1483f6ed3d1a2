//! containerd's configuration as its files say it and as it is in effect: the plugin tables of each version, where a key
//! stands, and edits that leave every other byte alone. Pure.

use serde_json::Value;
use toml_edit::{Document, DocumentMut, Item, Table, value};

use super::{ConfFacts, Evidence};
use crate::node::cgroup::Driver;

/// The plugin that has the runtime's settings, by the file's version.
const RUNTIME_V1: &str = "cri";
const RUNTIME_V2: &str = "io.containerd.grpc.v1.cri";
const RUNTIME_V3: &str = "io.containerd.cri.v1.runtime";
const IMAGES_V3: &str = "io.containerd.cri.v1.images";

/// A value, and the file and line that say it.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub value: Value,
    pub source: String,
}

/// What a table is about, which decides the plugin it belongs to from version 3 on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    Runtime,
    Images,
}

/// `version` of a file; files without one are of version 1.
pub fn version(text: &str) -> i64 {
    parse(text).and_then(|d| d.get("version")?.as_integer()).unwrap_or(1)
}

fn parse(text: &str) -> Option<Document<String>> {
    Document::parse(text.to_owned()).ok()
}

/// The tables of a version that count for an area, the one to write to first. Version 1 has short names; containerd 2 takes the
/// long ones there as well, containerd 1 does not, which `incident-config` tells.
fn plugins(version: i64, area: Area) -> &'static [&'static str] {
    match (version, area) {
        (..=1, _) => &[RUNTIME_V1, RUNTIME_V2],
        (2, _) => &[RUNTIME_V2],
        (_, Area::Runtime) => &[RUNTIME_V3],
        (_, Area::Images) => &[IMAGES_V3],
    }
}

/// The first of them that a file has, or else the first.
fn plugin(document: &Item, version: i64, area: Area) -> &'static str {
    let all = plugins(version, area);
    all.iter().find(|p| lookup(document, &["plugins", p]).is_some()).unwrap_or(&all[0])
}

/// The plugin's table that a new setting goes to.
pub fn table(conf: &ConfFacts, area: Area) -> &'static str {
    let first = conf.files.first().and_then(|f| Some((parse(&f.text)?, version(&f.text))));
    first.map_or(RUNTIME_V2, |(document, version)| plugin(document.as_item(), version, area))
}

/// Where a key of the whole file stands; none if it is not there.
pub fn place(file: &super::ConfFile, path: &[&str]) -> Option<String> {
    let document = parse(&file.text)?;
    let start = lookup(document.as_item(), path)?.span()?.start;
    Some(format!("{} line {}", file.path, line_of(&file.text, start)?))
}

/// Tables of plugins that nobody reads in a file of this version: of the old names in a new file (containerd migrates by the
/// file's version alone), of the new ones in a file for a containerd of before them. The table's name and its place.
pub fn unread(file: &super::ConfFile, containerd: &str) -> Option<(Unread, String, String)> {
    let document = parse(&file.text)?;
    let (number, first) = (version(&file.text), containerd.starts_with("1."));
    let tables = document.get("plugins")?.as_table_like()?;
    let found = tables.iter().find_map(|(name, item)| {
        let keys = || item.as_table_like().into_iter().flat_map(|t| t.iter().map(|(k, _)| k));
        let streams = |key: &str| STREAMING.contains(&key);
        if number >= 3 && name == RUNTIME_V2 && keys().any(|k| !streams(k)) {
            let key = keys().find(|k| !streams(k)).unwrap_or_default();
            return Some((Unread::Old, vec!["plugins", name, key]));
        }
        if first && number <= 1 && name.starts_with("io.containerd.") {
            return Some((Unread::NoVersion, vec!["plugins", name]));
        }
        (first && name.starts_with("io.containerd.cri.v1.")).then(|| (Unread::New, vec!["plugins", name]))
    });
    let (why, path) = found?;
    let place = place(file, &path).unwrap_or_else(|| file.path.clone());
    Some((why, path[1..].join("."), place))
}

/// Why a table is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// One of version 2 in a file that says it is newer.
    Old,
    /// A long name in a file without a version.
    NoVersion,
    /// One of version 3, for a containerd of before it.
    New,
}

/// What is left in the plugin's old table from version 3 on.
const STREAMING: &[&str] = &[
    "disable_tcp_service",
    "stream_server_address",
    "stream_server_port",
    "stream_idle_timeout",
    "enable_tls_streaming",
    "x509_key_pair_streaming",
];

fn line_of(text: &str, start: usize) -> Option<usize> {
    Some(text.get(..start)?.matches('\n').count() + 1)
}

/// Where a key of a CRI plugin stands; the last file that has it wins.
pub fn said(conf: &ConfFacts, area: Area, path: &[&str]) -> Option<Said> {
    conf.files.iter().rev().find_map(|file| {
        let document = parse(&file.text)?;
        let plugin = plugin(document.as_item(), version(&file.text), area);
        let full: Vec<&str> = ["plugins", plugin].into_iter().chain(path.iter().copied()).collect();
        let item = lookup(document.as_item(), &full)?;
        let line = line_of(&file.text, item.span()?.start)?;
        Some(Said { value: json(item), source: format!("{} line {line}", file.path) })
    })
}

fn lookup<'a>(item: &'a Item, path: &[&str]) -> Option<&'a Item> {
    path.iter().try_fold(item, |item, key| item.get(key))
}

fn json(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(v) => json_value(v),
        Item::Table(t) => t.iter().map(|(k, v)| (k.to_owned(), json(v))).collect::<serde_json::Map<_, _>>().into(),
        Item::ArrayOfTables(a) => a.iter().map(|t| json(&Item::Table(t.clone()))).collect::<Vec<_>>().into(),
    }
}

fn json_value(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(s) => s.value().as_str().into(),
        Toml::Integer(i) => (*i.value()).into(),
        Toml::Float(f) => (*f.value()).into(),
        Toml::Boolean(b) => (*b.value()).into(),
        Toml::Datetime(d) => d.value().to_string().into(),
        Toml::Array(a) => a.iter().map(json_value).collect::<Vec<_>>().into(),
        Toml::InlineTable(t) => {
            t.iter().map(|(k, v)| (k.to_owned(), json_value(v))).collect::<serde_json::Map<_, _>>().into()
        }
    }
}

/// What a file says by its whole path, as CRI-O's do and containerd's of plugins beside CRI's; the last one that has it wins.
pub fn whole(conf: &ConfFacts, path: &[&str]) -> Option<Said> {
    conf.files.iter().rev().find_map(|file| {
        let document = parse(&file.text)?;
        let item = lookup(document.as_item(), path)?;
        Some(Said { value: json(item), source: place(file, path)? })
    })
}

/// Where containerd's snapshotter unpacks images: where its own table says, or else below the root.
pub fn snapshots(conf: &ConfFacts, root: &str) -> (String, Option<Said>) {
    let named =
        said(conf, Area::Images, &["snapshotter"]).or_else(|| said(conf, Area::Images, &["containerd", "snapshotter"]));
    let name = named.and_then(|s| s.value.as_str().map(str::to_owned)).unwrap_or_else(|| "overlayfs".to_owned());
    let plugin = format!("io.containerd.snapshotter.v1.{name}");
    let moved = whole(conf, &["plugins", &plugin, "root_path"]);
    let moved = moved.filter(|s| s.value.as_str().is_some_and(|p| p.starts_with('/')));
    let path = moved.as_ref().and_then(|s| s.value.as_str()).map(str::to_owned);
    (path.unwrap_or_else(|| format!("{root}/{plugin}")), moved)
}

/// Whether somebody writes the runtime's file anew at every start, and what he writes it from.
pub fn generated(target: &crate::node::target::Target) -> Option<String> {
    let by = matches!(target.name.as_str(), "k3s" | "rke2")
        || ["/var/lib/rancher/", "/snap/"]
            .iter()
            .any(|place| target.config.starts_with("/var") && target.config.contains(place));
    by.then(|| target.config.replace("config.toml", "config.toml.tmpl"))
}

/// A runtime handler as it is in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    pub name: String,
    /// `io.containerd.runc.v2`.
    pub kind: String,
    /// The shim's own path, whatever the type says; empty without one. kata-deploy's handlers have it.
    pub path: String,
    /// None for runtimes without that option.
    pub driver: Option<Driver>,
    pub binary: String,
    /// The file its options name (`ConfigPath`, of runsc and kata); empty without one.
    pub config: String,
    pub source: String,
}

impl Handler {
    /// One of wharf's own: of its built-in runtime, or of runc or crun without a shim of theirs.
    pub fn is_wharfs(&self) -> bool {
        matches!(self.kind.as_str(), "built-in" | "oci" | "io.wharf.builtin.v1")
    }

    /// The shim program: at the path it has, or derived from the type as containerd does.
    pub fn shim(&self) -> String {
        if !self.path.is_empty() {
            return self.path.clone();
        }
        if self.kind.starts_with('/') {
            return self.kind.clone();
        }
        let parts: Vec<&str> = self.kind.rsplit('.').take(2).collect();
        match parts[..] {
            [version, name] => format!("containerd-shim-{name}-{version}"),
            _ => self.kind.clone(),
        }
    }
}

/// Every handler the runtime has: from its own status, which is what is in effect, or else from its files.
pub fn handlers(seen: &Evidence) -> Vec<Handler> {
    let mut found = Vec::new();
    let effective = seen.status.value().map(|s| &s.config["containerd"]["runtimes"]).filter(|r| r.is_object());
    let file = seen.conf.value().and_then(|c| said(c, Area::Runtime, &["containerd", "runtimes"]));
    let (table, source) = match (effective, &file) {
        (Some(table), _) => (table.clone(), "CRI Status".to_owned()),
        (None, Some(said)) => (said.value.clone(), said.source.clone()),
        (None, None) => return found,
    };
    for (name, entry) in table.as_object().into_iter().flatten() {
        let field = |a: &str, b: &str| {
            entry.get(a).or_else(|| entry.get(b)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let kind = field("runtimeType", "runtime_type");
        let options = &entry["options"];
        let key = ["containerd", "runtimes", name, "options", "SystemdCgroup"];
        let line = seen.conf.value().and_then(|c| said(c, Area::Runtime, &key)).map(|s| s.source);
        let source = match (&line, effective.is_some()) {
            (Some(line), true) => format!("CRI Status ({line})"),
            (Some(line), false) => line.clone(),
            (None, true) => format!("{source} (no line of the files sets it)"),
            (None, false) => source.clone(),
        };
        let binary = options["BinaryName"].as_str().unwrap_or_default().to_owned();
        let path = field("runtimePath", "runtime_path");
        let config = options["ConfigPath"].as_str().unwrap_or_default().to_owned();
        let mut handler = Handler { name: name.clone(), kind, path, driver: None, binary, config, source };
        let kind = &handler.kind;
        if handler.is_wharfs() || kind.ends_with(".runc.v2") || kind.ends_with(".runc.v1") || kind.is_empty() {
            let on = options["SystemdCgroup"].as_bool() == Some(true);
            handler.driver = Some(if on { Driver::Systemd } else { Driver::Cgroupfs });
        }
        found.push(handler);
    }
    found
}

/// The file's text with one key of a CRI plugin set; every other byte stays. Returns the path of the file and both texts.
///
/// # Errors
/// In words, if the file is not TOML or a part of the path is no table.
pub fn set(
    conf: &ConfFacts,
    default: &str,
    containerd: &str,
    area: Area,
    path: &[&str],
    new: toml_edit::Value,
) -> Result<(String, Option<String>, String), String> {
    // Where it is said now, or else the first file.
    let at = said(conf, area, path).and_then(|s| s.source.split(" line ").next().map(str::to_owned));
    let file = conf.files.iter().find(|f| at.as_ref().is_none_or(|path| f.path == *path));
    let (name, old) = match file {
        Some(file) => (file.path.clone(), Some(file.text.clone())),
        None => (default.to_owned(), None),
    };
    let fresh = if containerd.starts_with("1.") { "version = 2\n" } else { "version = 3\n" };
    let text = old.clone().unwrap_or_else(|| fresh.to_owned());
    let mut document: DocumentMut = text.parse().map_err(|e| format!("{name} is not TOML: {e}"))?;
    let number = version(&text);
    let plugin = plugin(document.as_item(), number, area);
    let (last, tables) = path.split_last().ok_or("no key")?;
    let mut table: &mut dyn toml_edit::TableLike = document.as_table_mut();
    for key in ["plugins", plugin].into_iter().chain(tables.iter().copied()) {
        let mut empty = Table::new();
        empty.set_implicit(true);
        let entry = table.entry(key).or_insert(Item::Table(empty));
        table = entry.as_table_like_mut().ok_or_else(|| format!("{key} in {name} is no table"))?;
    }
    match table.get_mut(last) {
        Some(Item::Value(existing)) => {
            let decor = existing.decor().clone();
            *existing = new;
            *existing.decor_mut() = decor;
        }
        _ => {
            table.insert(last, value(new));
        }
    }
    // A handler that only now gets a table of its own would lose the type its default has.
    let mut text = document.to_string();
    if let ["containerd", "runtimes", handler, "options", _] = path
        && said(conf, area, &["containerd", "runtimes", handler]).is_none()
    {
        let edited = ConfFacts { files: vec![super::ConfFile { path: name.clone(), text }], ..ConfFacts::default() };
        let kind = ["containerd", "runtimes", handler, "runtime_type"];
        text = set_text(&edited, area, &kind, "io.containerd.runc.v2".into())?;
    }
    Ok((name, old, text))
}

fn set_text(conf: &ConfFacts, area: Area, path: &[&str], new: toml_edit::Value) -> Result<String, String> {
    set(conf, "", "2", area, path, new).map(|(_, _, text)| text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::runbook::ConfFile;

    const FILE: &str = r#"# ours
version = 2
root = "/var/lib/containerd"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.9" # keep
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false   # why
[made_up]
  x = 1
"#;
    const KEY: &[&str] = &["containerd", "runtimes", "runc", "options", "SystemdCgroup"];

    fn conf(text: &str) -> ConfFacts {
        ConfFacts { files: vec![ConfFile { path: "/c.toml".into(), text: text.into() }], ..ConfFacts::default() }
    }

    #[test]
    fn a_key_has_its_line_and_an_edit_touches_nothing_else() {
        let found = said(&conf(FILE), Area::Runtime, KEY).unwrap();
        assert_eq!((found.value, found.source.as_str()), (Value::Bool(false), "/c.toml line 10"));
        let (path, old, new) = set(&conf(FILE), "/d", "1.6", Area::Runtime, KEY, true.into()).unwrap();
        assert_eq!((path.as_str(), old.as_deref()), ("/c.toml", Some(FILE)));
        assert_eq!(new, FILE.replace("SystemdCgroup = false ", "SystemdCgroup = true "));
    }

    #[test]
    fn each_version_has_its_own_tables_and_a_later_file_wins() {
        let v3 = "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\n";
        let (_, _, new) = set(&conf(v3), "/d", "2.1", Area::Runtime, KEY, true.into()).unwrap();
        assert_eq!(said(&conf(&new), Area::Runtime, KEY).unwrap().value, true);
        let kind = ["containerd", "runtimes", "runc", "runtime_type"];
        assert_eq!(said(&conf(&new), Area::Runtime, &kind).unwrap().value, "io.containerd.runc.v2");
        // Tables of version 2 in a file of version 3 are not read by containerd, nor here.
        assert_eq!(said(&conf(&FILE.replace("version = 2", "version = 3")), Area::Runtime, KEY), None);
        let mut two = conf(FILE);
        two.files.push(ConfFile { path: "/conf.d/9.toml".into(), text: FILE.replace("= false", "= true") });
        assert_eq!(said(&two, Area::Runtime, KEY).unwrap().source, "/conf.d/9.toml line 10");
        assert_eq!(set(&two, "/d", "1.6", Area::Runtime, KEY, false.into()).unwrap().0, "/conf.d/9.toml");
        let (path, old, new) = set(&ConfFacts::default(), "/d", "1.7", Area::Runtime, KEY, true.into()).unwrap();
        assert_eq!((path.as_str(), old, version(&new)), ("/d", None, 2));
    }

    #[test]
    fn version_1_has_short_names() {
        let old = "[plugins.cri.containerd.runtimes.runc.options]\nSystemdCgroup = false\n";
        assert_eq!(said(&conf(old), Area::Runtime, KEY).unwrap().source, "/c.toml line 2");
        let (_, _, new) = set(&conf(old), "/d", "1.6", Area::Runtime, KEY, true.into()).unwrap();
        assert_eq!(new, old.replace("false", "true"));
    }

    #[test]
    fn tables_that_nobody_reads() {
        let unread =
            |text: &str, containerd: &str| unread(&conf(text).files[0], containerd).map(|(why, _, at)| (why, at));
        let long = "root = '/x'\n[plugins.'io.containerd.grpc.v1.cri'.registry]\n  config_path = '/c'\n";
        assert_eq!(unread(long, "1.6.20").unwrap(), (Unread::NoVersion, "/c.toml line 2".into()));
        assert_eq!(unread(long, "2.3.4"), None, "containerd 2 takes them");
        assert_eq!(unread(&format!("version = 2\n{long}"), "1.6.20"), None);
        assert_eq!(unread(&format!("version = 3\n{long}"), "2.3.4").unwrap().0, Unread::Old);
        let streaming = "version = 3\n[plugins.\"io.containerd.grpc.v1.cri\"]\ndisable_tcp_service = true\n";
        assert_eq!(unread(streaming, "2.3.4"), None, "that is still its place");
        let new = "version = 2\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\ndefault_runtime_name = 'x'\n";
        assert_eq!((unread(new, "1.7.2").unwrap().0, unread(new, "2.0.0")), (Unread::New, None));
    }

    #[test]
    fn shims_are_named_after_the_type() {
        let at = |kind: &str, path: &str| {
            let (kind, path) = (kind.into(), path.into());
            let (binary, config, source) = (String::new(), String::new(), String::new());
            Handler { name: "h".into(), kind, path, driver: None, binary, config, source }.shim()
        };
        let of = |kind: &str| at(kind, "");
        assert_eq!(
            at("io.containerd.kata-qemu.v2", "/opt/kata/bin/containerd-shim-kata-v2"),
            "/opt/kata/bin/containerd-shim-kata-v2"
        );
        assert_eq!(of("io.containerd.runc.v2"), "containerd-shim-runc-v2");
        assert_eq!(of("io.containerd.kata.v2"), "containerd-shim-kata-v2");
        assert_eq!(of("/opt/kata/bin/containerd-shim-kata-v2"), "/opt/kata/bin/containerd-shim-kata-v2");
    }

    proptest! {
        #[test]
        fn cfg_04_only_the_one_key_changes(
            comments in proptest::collection::vec("[ -~]{0,40}", 0..5),
            keys in proptest::collection::btree_map("[a-z]{1,8}", -999i64..999, 0..6),
            before in any::<bool>(),
            after in any::<bool>(),
        ) {
            let mut text = FILE.replace("SystemdCgroup = false", &format!("SystemdCgroup = {before}"));
            for comment in &comments {
                text.push_str(&format!("# {comment}\n"));
            }
            text.push_str("[other]\n");
            for (key, number) in &keys {
                text.push_str(&format!("  {key}   =  {number}\n"));
            }
            let (_, _, new) = set(&conf(&text), "/d", "1.6", Area::Runtime, KEY, after.into()).unwrap();
            let changed: Vec<_> = text.lines().zip(new.lines()).filter(|(a, b)| a != b).collect();
            prop_assert_eq!(changed.len(), usize::from(before != after));
            prop_assert_eq!(text.lines().count(), new.lines().count());
            prop_assert_eq!(said(&conf(&new), Area::Runtime, KEY).unwrap().value, Value::Bool(after));
        }
    }
}
