//! The app's own settings, TOML: `/etc/wharf/config.toml` for everybody on the node, then the person's own. Neither need be there,
//! nor a home to keep it in. How panes were left, if a person asked for that to be kept, is a file of its own, which the app writes.

use std::{
    collections::BTreeMap,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::reader;
use crate::error::{Error, Kind, Result};

pub const NODE: &str = "/etc/wharf/config.toml";

/// Everything may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// "default", "vim" or "k9s".
    pub keymap: Option<String>,
    /// "dark", "light" or "mono".
    pub theme: Option<String>,
    /// Lines, bars and marks in ASCII only.
    pub ascii: Option<bool>,
    /// The mouse is the app's from the start.
    pub mouse: Option<bool>,
    pub read_only: Option<bool>,
    /// Keys by command: `remove = ["D"]`, `"logs.follow" = ["s"]`.
    pub keys: BTreeMap<String, Vec<String>>,
    /// By the pane's name.
    pub panes: BTreeMap<String, Pane>,
    /// What the app kept of panes; counts over the above.
    #[serde(skip)]
    pub kept: BTreeMap<String, Pane>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pane {
    /// Name of a column.
    pub sort: Option<String>,
    pub reverse: Option<bool>,
    pub filter: Option<String>,
    /// Names of those to show, in their order.
    pub columns: Option<Vec<String>>,
}

impl App {
    /// `over` counts where it says something.
    #[must_use]
    fn under(mut self, over: Self) -> Self {
        self.keys.extend(over.keys);
        self.panes.extend(over.panes);
        Self {
            keymap: over.keymap.or(self.keymap),
            theme: over.theme.or(self.theme),
            ascii: over.ascii.or(self.ascii),
            mouse: over.mouse.or(self.mouse),
            // What the node forbids, nobody allows again.
            read_only: if self.read_only == Some(true) { self.read_only } else { over.read_only.or(self.read_only) },
            ..self
        }
    }
}

/// # Errors
/// `InvalidArgument` with the line: no TOML, an unknown key, a value of another type.
pub fn parse(path: &Path, text: &str) -> Result<App> {
    toml::from_str(text)
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("{}: {}", path.display(), e.to_string().trim_end())))
}

/// The node's, and the person's: the one `$WHARF_CONFIG` names, or that of the XDG Base Directory Specification.
pub fn places(variable: impl Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let variable = |name: &str| variable(name).filter(|v| !v.as_os_str().is_empty());
    let home = || variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")));
    let own = variable("WHARF_CONFIG").or_else(|| Some(home()?.join("wharf/config.toml")));
    std::iter::once(PathBuf::from(NODE)).chain(own).collect()
}

/// Whether any of them forbids changes, however broken the others are; and what is wrong with those.
pub fn read_only(places: &[PathBuf]) -> (bool, Vec<Error>) {
    let mut broken = Vec::new();
    let mut forbidden = false;
    for place in places {
        match load(std::slice::from_ref(place)) {
            Ok(settings) => forbidden |= settings.read_only == Some(true),
            Err(error) => broken.push(error),
        }
    }
    (forbidden, broken)
}

/// # Errors
/// If one is there and cannot be read or understood.
pub fn load(places: &[PathBuf]) -> Result<App> {
    let mut all = App::default();
    for place in places {
        if let Some(text) = reader::text_if_there(place)? {
            all = all.under(parse(place, &text)?);
        }
    }
    Ok(all)
}

/// Where the app keeps how panes look (XDG Base Directory Specification); none without a home.
pub fn state(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let variable = |name: &str| variable(name).filter(|v| !v.as_os_str().is_empty());
    let home = variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")));
    Some(home?.join("wharf/panes.toml"))
}

/// What was kept, by the pane's name; nothing if there is no file.
///
/// # Errors
/// If it is there and cannot be read or understood.
pub fn kept(path: &Path) -> Result<BTreeMap<String, Pane>> {
    match reader::text_if_there(path)? {
        Some(text) => toml::from_str(&text).map_err(|e| {
            let text = format!("{}: {} (remove it)", path.display(), e.to_string().trim_end());
            Error::new(Kind::InvalidArgument, text)
        }),
        None => Ok(BTreeMap::new()),
    }
}

/// Keeps how a pane looks, or forgets it. The file is replaced as a whole.
///
/// # Errors
/// If what is there cannot be understood, or nothing can be written.
pub fn keep(path: &Path, name: &str, pane: Option<Pane>) -> Result<()> {
    let mut all = kept(path)?;
    match pane {
        Some(pane) => drop(all.insert(name.to_owned(), pane)),
        None => drop(all.remove(name)),
    }
    let text = toml::to_string(&all).map_err(|e| Error::new(Kind::Internal, "write TOML").with_source(e))?;
    if let Some(directory) = path.parent() {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|e| Error::io("create", directory, e))?;
    }
    let fresh = path.with_extension(format!("{}.new", std::process::id()));
    let written = std::fs::write(&fresh, text).map_err(|e| Error::io("write", &fresh, e));
    written.and_then(|()| std::fs::rename(&fresh, path).map_err(|e| Error::io("rename to", path, e))).map_err(|error| {
        let removed = std::fs::remove_file(&fresh).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(Error::io("remove", &fresh, e)),
        });
        error.and_cleanup(removed)
    })
}

/// Changes when one of the files does.
pub fn stamp(places: &[PathBuf]) -> Vec<Option<(SystemTime, u64)>> {
    let of = |path: &PathBuf| std::fs::metadata(path).ok().and_then(|m| Some((m.modified().ok()?, m.len())));
    places.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persons_own_counts_and_read_only_stays() {
        let node = parse(
            Path::new("n"),
            "theme = \"light\"\nread-only = true\n[keys]\nremove = [\"D\"]\n[panes.pods]\nsort = \"age\"\n",
        )
        .unwrap();
        let own = parse(Path::new("o"), "theme = \"mono\"\nread-only = false\nkeymap = \"vim\"\n").unwrap();
        let both = node.under(own);
        assert_eq!(
            (both.theme.as_deref(), both.read_only, both.keymap.as_deref()),
            (Some("mono"), Some(true), Some("vim"))
        );
        assert_eq!(both.keys["remove"], ["D"]);
        assert_eq!(both.panes["pods"].sort.as_deref(), Some("age"));
    }

    #[test]
    fn a_broken_file_of_ones_own_allows_nothing_the_node_forbids() {
        let dir = tempfile::tempdir().unwrap();
        let (node, own) = (dir.path().join("node"), dir.path().join("own"));
        std::fs::write(&node, "read-only = true\n").unwrap();
        std::fs::write(&own, "theme = [\n").unwrap();
        let (forbidden, broken) = read_only(&[node.clone(), own.clone()]);
        assert!(forbidden && broken.len() == 1, "{broken:?}");
        assert!(!read_only(&[own]).0 && load(&[node]).unwrap().read_only == Some(true));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, word) in
            [("them = \"dark\"\n", "unknown field `them`"), ("theme = 3\n", "line 1"), ("a = [\n", "line")]
        {
            let error = parse(Path::new("/etc/wharf/config.toml"), text).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains("/etc/wharf/config.toml"), "{error}");
        }
    }

    #[test]
    fn what_is_kept_of_one_pane_leaves_the_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = state(|n| (n == "HOME").then(|| dir.path().into())).unwrap();
        assert!(path.ends_with(".local/state/wharf/panes.toml") && kept(&path).unwrap().is_empty());
        let pods = Pane { sort: Some("age".into()), columns: Some(vec!["name".into()]), ..Pane::default() };
        let images = Pane { reverse: Some(true), filter: Some("size>1G".into()), ..Pane::default() };
        keep(&path, "pods", Some(pods.clone())).unwrap();
        keep(&path, "images", Some(images.clone())).unwrap();
        let all = BTreeMap::from([("pods".to_owned(), pods), ("images".to_owned(), images.clone())]);
        assert_eq!(kept(&path).unwrap(), all);
        keep(&path, "pods", None).unwrap();
        assert_eq!(kept(&path).unwrap(), BTreeMap::from([("images".to_owned(), images)]));
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
        // One that is broken is not written over.
        std::fs::write(&path, "[pods\n").unwrap();
        let error = keep(&path, "pods", None).unwrap_err().to_string();
        assert!(error.contains("panes.toml") && error.contains("remove it"), "{error}");
        // A home that cannot be written: /proc is one for everybody, root too.
        let error = keep(Path::new("/proc/none/panes.toml"), "pods", None).unwrap_err().to_string();
        assert!(error.contains("/proc/none"), "{error}");
        assert_eq!((state(|_| None), state(|n| (n == "HOME").then(PathBuf::new))), (None, None));
    }

    #[test]
    fn no_home_is_no_error() {
        assert_eq!(places(|_| None), [PathBuf::from(NODE)]);
        let own = places(|n| (n == "HOME").then(|| "/home/me".into()));
        assert_eq!(own[1], Path::new("/home/me/.config/wharf/config.toml"));
        assert_eq!(places(|n| (n == "WHARF_CONFIG").then(|| "/x".into())), [PathBuf::from(NODE), "/x".into()]);
        assert_eq!(load(&["/no/such/file".into()]).unwrap(), App::default());
    }
}
