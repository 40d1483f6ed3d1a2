//! containerd's `config.toml`, versions 1 to 4: read, migrated step by step into the newest shape, merged with its imports.
//!
//! Each older version is a frozen file here: its keys, and the one step to the next. Everything keeps the line it was
//! written on, so that a finding can point at it. What wharf makes of the settings is not here.
//!
//! Sources: containerd's `docs/man/containerd-config.toml.5.md`, `docs/cri/config.md`, `RELEASES.md`, and what containerd
//! 2.3.4 does (`tests/it/config.rs` compares).

mod check;
mod imports;
pub mod keys;
mod settings;
mod v1;
mod v2;
mod v3;
mod v4;

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

pub use self::settings::{
    Auth, Cni, DEFAULT_CONFIG_PATH, Handler, Headers, Images, Mirror, ProxyPlugin, Registry, RegistryTls, Runtime,
    Setting, Settings, Streaming, is_on_this_kernel,
};
use super::{
    finding::{Fault, Finding, Severity},
    reader,
    tree::{self, At, Item, Table, Value},
};
use crate::{
    bail,
    error::{Context, Kind, Result},
};

/// Where containerd looks unless it is told otherwise.
pub const PLACE: &str = "/etc/containerd/config.toml";
pub const NEWEST: u32 = 4;
pub(crate) const DEVMAPPER: &str = "io.containerd.snapshotter.v1.devmapper";
pub(crate) const CRI: &str = "io.containerd.grpc.v1.cri";
pub(crate) const IMAGES: &str = "io.containerd.cri.v1.images";
pub(crate) const RUNTIME: &str = "io.containerd.cri.v1.runtime";
/// Files one configuration may be made of.
const MOST_FILES: usize = 256;

/// A configuration as it takes effect.
#[derive(Debug, Clone)]
pub struct Containerd {
    /// What the first file says; 1 if it says nothing.
    pub version: u32,
    /// In the newest shape, merged: only what is written somewhere.
    pub tree: Table,
    /// The same with the defaults, for what somebody asks about.
    pub settings: Settings,
    /// By file and line.
    pub findings: Vec<Finding>,
    /// In the order they were read; the last word wins.
    pub files: Vec<PathBuf>,
}

/// A file on its way through the versions.
pub(crate) struct Migration {
    pub tree: Table,
    findings: Vec<Finding>,
}

impl Migration {
    fn note(&mut self, severity: Severity, fault: Fault, path: &[&str], at: &At, text: impl Into<String>) {
        self.findings.push(Finding::new(severity, fault, path, Some(at), text));
    }
}

/// One file in the newest shape.
#[derive(Debug, Clone)]
pub struct File {
    /// What it says.
    pub version: u32,
    pub tree: Table,
    pub findings: Vec<Finding>,
    /// As written: relative to the file, with `*`.
    pub imports: Vec<Item>,
}

/// Reads and migrates the text of one file, without its imports.
///
/// # Errors
/// `InvalidArgument` if it is not TOML, or of a version nobody knows.
pub fn parse(path: &Path, text: &str) -> Result<File> {
    let tree = tree::parse(path, text)?;
    let version = match tree.get("version") {
        None => 1,
        Some(Item { value: Value::Integer(0), .. }) => 1,
        Some(Item { value: Value::Integer(v), at }) => match u32::try_from(*v) {
            Ok(version) if (1..=NEWEST).contains(&version) => version,
            _ => bail!(InvalidArgument, "{at}: version {v} of the configuration is none of 1 to {NEWEST}"),
        },
        Some(item) => bail!(InvalidArgument, "{}: the version is a {}, not a number", item.at, item.value.kind()),
    };
    let imports = match tree.get("imports").map(|i| &i.value) {
        Some(Value::List(items)) => items.clone(),
        _ => Vec::new(),
    };
    let mut m = Migration { tree, findings: Vec::new() };
    if version == 1 {
        v1::migrate(&mut m);
    }
    check::keys(version, &m.tree, &mut m.findings);
    if version <= 2 {
        v2::migrate(&mut m);
    }
    if version <= 3 {
        v3::migrate(&mut m);
    }
    m.tree.take("version");
    m.tree.take("imports");
    Ok(File { version, tree: m.tree, findings: m.findings, imports })
}

/// Reads a configuration and what it imports. Paths are below `root`: "/" for this machine.
///
/// # Errors
/// `NotFound` without the first file, `InvalidArgument` for what containerd would not start with either.
pub fn load(root: &Path, path: &Path) -> Result<Containerd> {
    assemble(path, |wanted| imports::read(root, wanted))
}

/// The same from text at hand: only `path`, with no imports to be had.
pub fn from_text(path: &Path, text: &str) -> Result<Containerd> {
    assemble(path, |wanted| match wanted == path {
        true => Ok(vec![(path.to_owned(), text.to_owned())]),
        false => bail!(NotFound, "{} is not at hand", wanted.display()),
    })
}

/// `files` gives the files a path means, which may have `*` in it, sorted, with their texts.
pub fn assemble(path: &Path, files: impl Fn(&Path) -> Result<Vec<(PathBuf, String)>>) -> Result<Containerd> {
    let (mut tree, mut findings, mut read) = (Table::default(), Vec::new(), Vec::new());
    let (mut first, mut done) = (None, BTreeSet::new());
    let mut pending: VecDeque<(PathBuf, Option<At>)> = VecDeque::from([(path.to_owned(), None)]);
    while let Some((wanted, from)) = pending.pop_front() {
        let found = match (files(&wanted), from) {
            (Ok(found), _) => found,
            (Err(error), Some(at)) if error.is(Kind::NotFound) => {
                let left = pending.len();
                let text = format!(
                    "{} is not there: containerd reads no further imports, and says nothing ({left} more not read)",
                    wanted.display()
                );
                findings.push(Finding::new(Severity::Error, Fault::Invalid, &["imports"], Some(&at), text));
                break;
            }
            (Err(error), Some(at)) => return Err(error).context(|| format!("import of {at}")),
            (Err(error), None) => return Err(error),
        };
        for (name, text) in found {
            if !done.insert(name.clone()) {
                continue;
            }
            if done.len() > MOST_FILES {
                bail!(ResourceExhausted, "{}: it imports more than {MOST_FILES} files", path.display());
            }
            let file = parse(&name, &text)?;
            let root = *first.get_or_insert(file.version);
            if file.version > root {
                let name = name.display();
                bail!(
                    InvalidArgument,
                    "{name}: version {} is higher than the {root} of {}",
                    file.version,
                    path.display()
                );
            }
            findings.extend(file.findings);
            imports::merge(&mut tree, file.tree, &mut findings);
            for item in file.imports {
                if let Value::Text(import) = &item.value {
                    pending.push_back((imports::absolute(&name, import), Some(item.at)));
                }
            }
            read.push(name);
        }
    }
    let settings = Settings::read(&tree, &mut findings);
    check::whole(&tree, &settings, &mut findings);
    findings.sort_by(|a, b| (&a.at, b.severity).cmp(&(&b.at, a.severity)));
    findings.dedup();
    Ok(Containerd { version: first.unwrap_or(1), tree, settings, findings, files: read })
}

impl Containerd {
    /// Nothing but defaults.
    pub fn empty() -> Self {
        let settings = Settings::read(&Table::default(), &mut Vec::new());
        Self { version: NEWEST, tree: Table::default(), settings, findings: Vec::new(), files: Vec::new() }
    }

    /// The whole as one file of the newest version.
    pub fn to_toml(&self) -> String {
        format!("version = {NEWEST}\n{}", self.tree.to_toml())
    }
}

impl File {
    /// The file in the newest version, with the imports it had.
    pub fn to_toml(&self) -> String {
        let mut tree = self.tree.clone();
        if let Some(first) = self.imports.first() {
            tree.put("imports", Item { value: Value::List(self.imports.clone()), at: first.at.clone() });
        }
        format!("version = {NEWEST}\n{}", tree.to_toml())
    }
}

/// Reads one file, without its imports.
pub fn load_file(path: &Path) -> Result<File> {
    parse(path, &reader::text(path)?)
}

#[cfg(test)]
mod tests;
