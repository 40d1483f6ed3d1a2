//! CNI network configuration: lists and single plugins from a directory, read again when a file changes.
//!
//! CNI spec 1.1.0, section 1. The first file by name decides, valid or not: a network that silently is another one
//! because of a typing error would be worse than none.

use std::{
    collections::HashMap,
    fs::File,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::exec::clean;
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// Of one file, in bytes.
const MAX_FILE: u64 = 1 << 20;
/// Files looked at in a directory, and plugins of a list.
const MAX_FILES: usize = 1000;
const MAX_PLUGINS: usize = 64;

/// What we speak. Older ones are refused: nobody ships them any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::engine::network) enum Version {
    V0_3,
    V0_3_1,
    V0_4,
    V1_0,
    V1_1,
}

impl Version {
    const ALL: [(Self, &str); 5] = [
        (Self::V0_3, "0.3.0"),
        (Self::V0_3_1, "0.3.1"),
        (Self::V0_4, "0.4.0"),
        (Self::V1_0, "1.0.0"),
        (Self::V1_1, "1.1.0"),
    ];

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, name)| *name == text).map(|(version, _)| *version)
    }

    pub(super) fn text(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A network: plugins that are called one after the other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::engine::network) struct List {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) disable_check: bool,
    /// Records of older versions say nothing of it.
    #[serde(default)]
    pub(super) disable_gc: bool,
    plugins: Vec<Map<String, Value>>,
    file: PathBuf,
}

#[derive(Debug)]
pub(super) struct Plugin<'a> {
    /// Name of the binary; never a path.
    pub kind: &'a str,
    pub conf: &'a Map<String, Value>,
}

impl List {
    pub(in crate::engine::network) fn name(&self) -> &str {
        &self.name
    }

    /// STATUS and GC came with 1.1.0; a plugin is not asked what its configuration does not promise.
    pub(super) fn has_status_and_gc(&self) -> bool {
        self.version >= Version::V1_1
    }

    pub(super) fn plugins(&self) -> impl DoubleEndedIterator<Item = Plugin<'_>> {
        self.plugins.iter().filter_map(|conf| Some(Plugin { kind: conf.get("type")?.as_str()?, conf }))
    }

    pub(in crate::engine::network) fn describe(&self) -> Value {
        let plugins: Vec<_> = self.plugins().map(|p| p.kind).collect();
        json!({ "name": self.name, "cniVersion": self.version.text(), "plugins": plugins, "file": self.file })
    }

    /// As go-cni shows a network in `crictl info`.
    pub(in crate::engine::network) fn as_go_cni(&self, interface: &str) -> Value {
        let network = |conf: &Map<String, Value>| {
            let mut shown = Map::new();
            // What Go's type of a plugin's configuration knows; the rest is the plugin's own, and may be secret.
            for key in ["type", "capabilities", "ipam", "dns"] {
                shown.extend(conf.get(key).map(|value| (key.to_owned(), value.clone())));
            }
            json!({ "Network": shown })
        };
        let plugins: Vec<_> = self.plugins().map(|p| network(p.conf)).collect();
        json!({
            "Config": { "Name": self.name, "CNIVersion": self.version.text(), "Plugins": plugins, "File": self.file },
            "IFName": interface,
        })
    }

    pub(super) fn parse(text: &[u8], file: &Path) -> Result<Self> {
        let value: Value = serde_json::from_slice(text).map_err(|e| bad("it is not JSON").with_source(e))?;
        let Value::Object(mut object) = value else { return Err(bad("it is not a JSON object")) };
        let name = object.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if !is_plain(&name) {
            bail!(FailedPrecondition, "{:?} cannot be the name of a network", clean(name.as_bytes()));
        }
        let version = version(&object)?;
        let flag = |name: &str| match object.get(name) {
            Some(Value::String(text)) => text.eq_ignore_ascii_case("true"),
            other => other.and_then(Value::as_bool).unwrap_or(false),
        };
        let (disable_check, disable_gc) = (flag("disableCheck"), flag("disableGC"));
        let inlined = flag("loadOnlyInlinedPlugins");
        let mut plugins = Vec::new();
        match object.remove("plugins") {
            Some(Value::Array(array)) => {
                for plugin in array {
                    let Value::Object(plugin) = plugin else { return Err(bad("a plugin is not a JSON object")) };
                    plugins.push(plugin);
                }
                if !inlined && version >= Version::V1_1 {
                    plugins.extend(dropped_in(file, &name)?);
                }
            }
            Some(_) => return Err(bad("plugins is not an array")),
            None => plugins.push(object),
        }
        if plugins.is_empty() || plugins.len() > MAX_PLUGINS {
            bail!(FailedPrecondition, "it has {} plugins", plugins.len());
        }
        for plugin in &plugins {
            let kind = plugin.get("type").and_then(Value::as_str).unwrap_or_default();
            // A type is looked for in the plugin directories and must not lead out of them.
            if kind.is_empty() || kind.contains(['/', '\0']) || kind.starts_with('.') || kind.len() > 255 {
                bail!(FailedPrecondition, "{:?} cannot be the type of a plugin", clean(kind.as_bytes()));
            }
        }
        Ok(Self { name, version, disable_check, disable_gc, plugins, file: file.to_owned() })
    }
}

fn bad(why: &'static str) -> Error {
    Error::new(Kind::FailedPrecondition, why)
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= 255
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// The newest one that both sides have: `cniVersions` if there is any (since 1.1.0), else `cniVersion`.
fn version(object: &Map<String, Value>) -> Result<Version> {
    let one = object.get("cniVersion").and_then(Value::as_str).unwrap_or_default();
    let many = object.get("cniVersions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let offered = many.iter().filter_map(Value::as_str).chain([one]);
    match offered.filter_map(Version::parse).max() {
        Some(version) => Ok(version),
        None if one.is_empty() && many.is_empty() => Err(bad("it has no cniVersion")),
        None => {
            bail!(FailedPrecondition, "cniVersion {:?} is not supported (0.3.0 to 1.1.0 are)", clean(one.as_bytes()))
        }
    }
}

/// Plugins in the directory that is named as the network, beside its file (since 1.1.0).
fn dropped_in(file: &Path, name: &str) -> Result<Vec<Map<String, Value>>> {
    let directory = file.with_file_name(name);
    let mut plugins = Vec::new();
    for path in files(&directory, &["conf"])? {
        let text = read(&path)?;
        plugins.push(
            serde_json::from_slice(&text)
                .map_err(|e| bad("it is not a JSON object").with_source(e))
                .context(|| format!("load CNI plugin configuration {}", path.display()))?,
        );
    }
    Ok(plugins)
}

/// Files with one of the extensions, by name. None if there is no such directory.
fn files(directory: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io("list CNI configuration", directory, e);
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let wanted = path.extension().and_then(|e| e.to_str()).is_some_and(|e| extensions.contains(&e));
        if wanted && !path.is_dir() {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            bail!(FailedPrecondition, "{} has more than {MAX_FILES} files", directory.display());
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    // A FIFO must not hold us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file: File = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| Error::io("open", path, e))?.into();
    if !file.metadata().map_err(|e| Error::io("stat", path, e))?.is_file() {
        bail!(FailedPrecondition, "{} is not a regular file", path.display());
    }
    let mut text = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|e| Error::io("read", path, e))?;
    if text.len() as u64 > MAX_FILE {
        bail!(FailedPrecondition, "{} is larger than {MAX_FILE} bytes", path.display());
    }
    Ok(text)
}

type Loaded = Option<std::result::Result<Arc<List>, (Kind, String)>>;

/// Keeps what was read of each directory, and reads again when it looks different.
#[derive(Debug, Default)]
pub(in crate::engine::network) struct Loader(Mutex<HashMap<PathBuf, (Vec<Stamp>, Loaded)>>);

/// A file as far as it can be told without reading: path, inode, size, modified and changed (s, ns).
type Stamp = (PathBuf, u64, u64, (i64, i64), (i64, i64));

impl Loader {
    /// `Ok(None)`: the directory has no configuration. An error stays until a file changes. Blocking, briefly.
    pub(in crate::engine::network) fn current(&self, directory: &Path) -> Result<Option<Arc<List>>> {
        let found = files(directory, &["conflist", "conf", "json"])?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(directory, &found);
        let loaded = match kept.get(directory) {
            Some((then, loaded)) if *then == stamps => loaded.clone(),
            _ => {
                let loaded = found.first().map(|path| {
                    let list = read(path).and_then(|text| List::parse(&text, path));
                    let list = list
                        .context(|| format!("load CNI configuration {}", clean(path.as_os_str().as_encoded_bytes())));
                    list.map(Arc::new).map_err(|error| (error.kind(), format!("{error:#}")))
                });
                kept.insert(directory.to_owned(), (stamps, loaded.clone()));
                loaded
            }
        };
        match loaded {
            None => Ok(None),
            Some(Ok(list)) => Ok(Some(list)),
            Some(Err((kind, text))) => Err(Error::new(kind, text)),
        }
    }
}

fn stamps(directory: &Path, found: &[PathBuf]) -> Vec<Stamp> {
    use std::os::unix::fs::MetadataExt;
    // Directories too: those named as a network hold plugins of it.
    let beside = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).filter(|p| p.is_dir());
    let inside: Vec<_> = beside.take(MAX_FILES).flat_map(|d| files(&d, &["conf"]).unwrap_or_default()).collect();
    let of = |path: &PathBuf| {
        path.metadata()
            .ok()
            .map(|m| (path.clone(), m.ino(), m.size(), (m.mtime(), m.mtime_nsec()), (m.ctime(), m.ctime_nsec())))
    };
    found.iter().chain(&inside).filter_map(of).collect()
}
