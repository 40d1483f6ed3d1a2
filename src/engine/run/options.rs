//! Mount options as words, to what the mount system calls take (mount(8), OCI runtime spec, config.md "mounts").

use super::sys::Attributes;
use crate::{bail, error::Result};

/// The options of one mount.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    pub bind: bool,
    /// `rbind`: with the mounts below the source.
    pub recursive: bool,
    /// For this mount alone.
    pub attributes: Attributes,
    /// For this mount and those below it (`rro` and friends).
    pub recursive_attributes: Attributes,
    /// `ridmap`: ids are mapped in the mounts below, too.
    pub idmap_recursive: bool,
    /// Of the filesystem: `size=64k`, `newinstance`.
    pub data: Vec<(String, Option<String>)>,
}

pub const RDONLY: u64 = 0x1;
pub const NOSUID: u64 = 0x2;
pub const NODEV: u64 = 0x4;
pub const NOEXEC: u64 = 0x8;
const NOATIME: u64 = 0x10;
const STRICTATIME: u64 = 0x20;
const NODIRATIME: u64 = 0x80;
const NOSYMFOLLOW: u64 = 0x20_0000;

/// Word, bits set, bits cleared.
const FLAGS: &[(&str, u64, u64)] = &[
    ("ro", RDONLY, 0),
    ("rw", 0, RDONLY),
    ("nosuid", NOSUID, 0),
    ("suid", 0, NOSUID),
    ("nodev", NODEV, 0),
    ("dev", 0, NODEV),
    ("noexec", NOEXEC, 0),
    ("exec", 0, NOEXEC),
    ("noatime", NOATIME, 0),
    ("strictatime", STRICTATIME, 0),
    ("nodiratime", NODIRATIME, 0),
    ("diratime", 0, NODIRATIME),
    ("nosymfollow", NOSYMFOLLOW, 0),
    ("symfollow", 0, NOSYMFOLLOW),
];

/// Defaults of the kernel, and words for mount(8) alone.
const IGNORED: &[&str] = &["defaults", "relatime", "atime", "async", "nofail", "_netdev"];

/// # Errors
/// `InvalidArgument` for an option that cannot be part of a mount (a control byte, an unknown propagation).
pub fn parse(words: &[String]) -> Result<Options> {
    let mut options = Options::default();
    for word in words {
        let recursive = word.strip_prefix('r').and_then(|rest| FLAGS.iter().find(|(name, ..)| *name == rest));
        if let Some((_, set, clear)) = FLAGS.iter().find(|(name, ..)| name == word) {
            apply(&mut options.attributes, *set, *clear);
        } else if let Some((_, set, clear)) = recursive {
            apply(&mut options.recursive_attributes, *set, *clear);
        } else {
            other(&mut options, word)?;
        }
    }
    Ok(options)
}

fn apply(attributes: &mut Attributes, set: u64, clear: u64) {
    attributes.set = (attributes.set & !clear) | set;
    attributes.clear = (attributes.clear & !set) | clear;
}

fn other(options: &mut Options, word: &str) -> Result<()> {
    let propagation = |name: &str| match name {
        "private" => Some(libc::MS_PRIVATE),
        "slave" => Some(libc::MS_SLAVE),
        "shared" => Some(libc::MS_SHARED),
        "unbindable" => Some(libc::MS_UNBINDABLE),
        _ => None,
    };
    if let Some(kind) = propagation(word) {
        options.attributes.propagation = kind;
    } else if let Some(kind) = word.strip_prefix('r').and_then(propagation) {
        options.recursive_attributes.propagation = kind;
    } else if word == "bind" {
        options.bind = true;
    } else if word == "rbind" {
        (options.bind, options.recursive) = (true, true);
    } else if word == "idmap" || word == "ridmap" {
        options.idmap_recursive = word == "ridmap";
    } else if word == "tmpcopyup" {
        bail!(Unimplemented, "mount option {word} is not supported by the built-in runtime: choose another handler");
    } else if word.is_empty() || word.contains(|c: char| c.is_control()) {
        bail!(InvalidArgument, "invalid mount option {word:?}");
    } else if !IGNORED.contains(&word) {
        let (key, value) = word.split_once('=').map_or((word, None), |(k, v)| (k, Some(v.to_owned())));
        options.data.push((key.to_owned(), value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Result<Options> {
        parse(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn later_words_win_and_recursive_ones_are_apart() {
        let options = of(&["rbind", "ro", "rprivate", "rw", "nosuid", "rro", "size=64k", "newinstance"]).unwrap();
        assert!(options.bind && options.recursive);
        assert_eq!((options.attributes.set, options.attributes.clear), (NOSUID, RDONLY));
        assert_eq!(options.recursive_attributes.set, RDONLY);
        assert_eq!(options.recursive_attributes.propagation, libc::MS_PRIVATE);
        assert_eq!(options.data, [("size".to_owned(), Some("64k".to_owned())), ("newinstance".to_owned(), None)]);
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        assert!(of(&["tmpcopyup"]).is_err() && of(&["a\nb"]).is_err() && of(&[""]).is_err());
    }
}
