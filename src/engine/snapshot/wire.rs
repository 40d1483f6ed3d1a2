//! Snapshots in the words of containerd's snapshots API: for the service that answers it and the driver that calls it.
//!
//! What comes in is not ours: mounts are checked before anybody tries to make them.

use std::path::Path;

use super::{Labels, Mount, SnapshotInfo, SnapshotKind};
use crate::{
    bail,
    error::Result,
    proto::containerd::{services::snapshots::v1 as api, types},
};

/// Mounts of one snapshot.
const MOUNTS: usize = 1024;
/// Options of one mount: each layer of an overlay is one.
const OPTIONS: usize = 4096;

pub fn info(info: SnapshotInfo) -> api::Info {
    let kind = match info.kind {
        SnapshotKind::View => api::Kind::View,
        SnapshotKind::Active => api::Kind::Active,
        SnapshotKind::Committed => api::Kind::Committed,
    };
    api::Info {
        name: info.key,
        parent: info.parent.unwrap_or_default(),
        kind: kind.into(),
        created_at: Some(info.created.into()),
        updated_at: Some(info.updated.into()),
        labels: info.labels.into_iter().collect(),
    }
}

/// As containerd stores labels: one without a value is none.
pub fn labels(labels: impl IntoIterator<Item = (String, String)>) -> Labels {
    labels.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// For mount(2), which clients carry it out by: an overlay's layers are one option.
///
/// # Errors
/// `FailedPrecondition` if a path cannot be said that way.
pub fn mounts_out(mounts: Vec<Mount>) -> Result<Vec<types::Mount>> {
    let classic = |mount: Mount| {
        let (mut layers, mut options) = (Vec::new(), Vec::new());
        for option in mount.options {
            match option.strip_prefix("lowerdir+=") {
                Some(path) if path.contains([':', ',', '\\']) => {
                    let why = "its path has a character that mount options are separated by";
                    bail!(FailedPrecondition, "tell another program to mount {path:?}: {why}: choose another --root")
                }
                Some(path) => layers.push(path.to_owned()),
                None => options.push(option),
            }
        }
        if !layers.is_empty() {
            options.insert(0, format!("lowerdir={}", layers.join(":")));
        }
        Ok(types::Mount { r#type: mount.kind, source: mount.source, target: String::new(), options })
    };
    mounts.into_iter().map(classic).collect()
}

/// The mounts a daemon answered with.
///
/// # Errors
/// `Unimplemented` for what only a helper of containerd's can mount, `InvalidArgument` for what is no mount.
pub fn mounts_in(mounts: Vec<types::Mount>) -> Result<Vec<Mount>> {
    if mounts.is_empty() || mounts.len() > MOUNTS {
        bail!(InvalidArgument, "it answered with {} mounts", mounts.len());
    }
    mounts.into_iter().map(mount_in).collect()
}

fn mount_in(mount: types::Mount) -> Result<Mount> {
    let kind = mount.r#type;
    let plain = !kind.is_empty() && kind.len() <= 32 && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !(plain || kind == "format/overlay") || kind == "fuse" || kind == "loop" {
        let shown: String = kind.chars().take(64).collect();
        bail!(
            Unimplemented,
            "a mount of type {shown:?} takes a helper that wharf has not: let the snapshotter give overlay or bind mounts"
        );
    }
    if !mount.target.is_empty() {
        bail!(Unimplemented, "a mount below another one's root, at {:?}", short(&mount.target));
    }
    if mount.options.len() > OPTIONS {
        bail!(InvalidArgument, "a mount with {} options", mount.options.len());
    }
    let path = |what: &str, path: &str| {
        if Path::new(path).is_absolute() {
            return Ok(());
        }
        bail!(InvalidArgument, "{what} of its {kind} mount is {:?}: that is no path from the root", short(path))
    };
    if kind == "bind" {
        path("the source", &mount.source)?;
    }
    let mut options = Vec::with_capacity(mount.options.len());
    for option in mount.options {
        if option.contains('\0') {
            bail!(InvalidArgument, "an option of its {kind} mount is {:?}", short(&option));
        }
        match option.split_once('=') {
            // By numbers of other mounts.
            Some(("lowerdir", layers)) if kind == "overlay" && !layers.starts_with("{{") => {
                for layer in split(layers)? {
                    path("a layer", &layer)?;
                    options.push(format!("lowerdir+={layer}"));
                }
            }
            Some((key @ ("upperdir" | "workdir"), value)) if kind.ends_with("overlay") => {
                path(key, value)?;
                options.push(option);
            }
            _ => options.push(option),
        }
    }
    Ok(Mount { kind, source: mount.source, options })
}

/// Layers of `lowerdir=`: separated by colons, which a backslash makes ordinary (overlayfs.rst).
fn split(layers: &str) -> Result<Vec<String>> {
    let mut found = vec![String::new()];
    let mut characters = layers.chars();
    while let Some(c) = characters.next() {
        match c {
            ':' => found.push(String::new()),
            '\\' => found.last_mut().map_or((), |last| last.extend(characters.next())),
            c => found.last_mut().map_or((), |last| last.push(c)),
        }
    }
    if found.iter().any(String::is_empty) {
        bail!(Unimplemented, "an overlay with layers of data only: {:?}", short(layers));
    }
    Ok(found)
}

/// Of a text that is not ours.
fn short(text: &str) -> String {
    text.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn came(kind: &str, source: &str, options: &[&str]) -> Result<Vec<Mount>> {
        let options = options.iter().map(|o| (*o).to_owned()).collect();
        mounts_in(vec![types::Mount { r#type: kind.into(), source: source.into(), target: String::new(), options }])
    }

    #[test]
    fn an_overlay_goes_out_in_one_option_and_comes_in_by_layers() {
        let options = ["lowerdir+=/a/2/fs", "lowerdir+=/a/1/fs", "upperdir=/a/3/fs", "workdir=/a/3/work"];
        let ours = Mount {
            kind: "overlay".into(),
            source: "overlay".into(),
            options: options.iter().map(|o| (*o).to_owned()).collect(),
        };
        let out = mounts_out(vec![ours.clone()]).unwrap();
        assert_eq!(out[0].options, ["lowerdir=/a/2/fs:/a/1/fs", "upperdir=/a/3/fs", "workdir=/a/3/work"]);
        assert_eq!(mounts_in(out).unwrap(), std::slice::from_ref(&ours));
        let odd = Mount { options: vec!["lowerdir+=/a:b".into()], ..ours };
        assert_eq!(mounts_out(vec![odd]).unwrap_err().kind(), Kind::FailedPrecondition);
        let escaped = came("overlay", "overlay", &[r"lowerdir=/a\:b:/c\\d", "index=off"]).unwrap();
        assert_eq!(escaped[0].options, ["lowerdir+=/a:b", r"lowerdir+=/c\d", "index=off"]);
    }

    #[test]
    fn what_cannot_be_mounted_is_refused_by_name() {
        let kind = |r: Result<Vec<Mount>>| r.unwrap_err().kind();
        for helper in ["fuse3.stargz", "mkfs/ext4", "", "fuse", "../x"] {
            let error = came(helper, "/x", &[]).unwrap_err();
            assert!(error.is(Kind::Unimplemented) && error.to_string().contains(&format!("{helper:?}")), "{error}");
        }
        assert_eq!(kind(came("overlay", "overlay", &["lowerdir=/a::/data"])), Kind::Unimplemented);
        assert_eq!(kind(came("overlay", "overlay", &["lowerdir=/a:b"])), Kind::InvalidArgument);
        assert_eq!(kind(came("overlay", "overlay", &["lowerdir=/a", "upperdir=b"])), Kind::InvalidArgument);
        assert_eq!(kind(came("bind", "relative", &["rbind"])), Kind::InvalidArgument);
        assert_eq!(kind(mounts_in(Vec::new())), Kind::InvalidArgument);
        assert!(came("ext4", "/dev/dm-1", &["discard"]).is_ok());
        assert!(
            came("format/overlay", "overlay", &["lowerdir={{ overlay 0 1 }}", "upperdir=/u", "workdir=/w"]).is_ok()
        );
    }
}
