//! Which seccomp profile a container has: the runtime's default (`seccomp.json`: containerd's, as of 2.3), one from a file
//! of the node, or none. The filter itself is the OCI runtime's work.

use std::{collections::BTreeMap, fs::File, io::Read, path::Path};

use oci_spec::runtime::LinuxSeccomp;
use rustix::fs::{Mode, OFlags};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    bail,
    error::{Context, Error, Kind, Result},
    proto::cri::{LinuxContainerSecurityContext, SecurityProfile, security_profile::ProfileType},
};

const DEFAULT: &str = include_str!("seccomp.json");

/// Bytes of a profile from a file; the largest in use have some 20 KiB.
const FILE_LIMIT: u64 = 1 << 20;

/// The profile that CRI asks for; `capabilities` is the bounding set. A privileged container has none, nor one that asks
/// for none.
///
/// # Errors
/// `InvalidArgument` for a file that is missing, too large, or no profile.
pub fn of(security: &LinuxContainerSecurityContext, capabilities: &[String]) -> Result<Option<LinuxSeccomp>> {
    let Some(wanted) = effective(security)? else { return Ok(None) };
    if security.privileged {
        return Ok(None);
    }
    match wanted.profile_type() {
        ProfileType::Unconfined => Ok(None),
        ProfileType::RuntimeDefault => default(std::env::consts::ARCH, capabilities).map(Some),
        ProfileType::Localhost => {
            let path = wanted.localhost_ref.strip_prefix("localhost/").unwrap_or(&wanted.localhost_ref);
            from_file(Path::new(path)).context(|| format!("seccomp profile {path:?}")).map(Some)
        }
    }
}

/// The field, or the older one, a word: "", "unconfined", "runtime/default", "docker/default", "localhost/PATH".
fn effective(security: &LinuxContainerSecurityContext) -> Result<Option<SecurityProfile>> {
    if let Some(profile) = &security.seccomp {
        return Ok(Some(profile.clone()));
    }
    #[expect(deprecated, reason = "older kubelets send only this")]
    let word = security.seccomp_profile_path.as_str();
    let of = |kind: ProfileType, path: &str| {
        Ok(Some(SecurityProfile { profile_type: kind.into(), localhost_ref: path.to_owned() }))
    };
    match word {
        "" => Ok(None),
        "unconfined" => of(ProfileType::Unconfined, ""),
        "runtime/default" | "docker/default" => of(ProfileType::RuntimeDefault, ""),
        _ => match word.strip_prefix("localhost/") {
            Some(path) => of(ProfileType::Localhost, path),
            None => bail!(InvalidArgument, "seccomp profile {word:?} is none of the known ones"),
        },
    }
}

/// `seccomp.json`: a profile whose entries may say for which machine and capability they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Template {
    default_action: String,
    architectures: BTreeMap<String, Vec<String>>,
    syscalls: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    arch: Option<String>,
    with: Option<String>,
    without: Option<String>,
    #[serde(flatten)]
    rule: serde_json::Map<String, Value>,
}

fn default(machine: &str, capabilities: &[String]) -> Result<LinuxSeccomp> {
    let wrong = |e| Error::new(Kind::Internal, "the default seccomp profile").with_source(e);
    let template: Template = serde_json::from_str(DEFAULT).map_err(wrong)?;
    let has = |capability: &String| capabilities.contains(capability);
    let entries = template.syscalls.into_iter().filter(|e| {
        e.arch.as_ref().is_none_or(|a| a == machine)
            && e.with.as_ref().is_none_or(has)
            && !e.without.as_ref().is_some_and(has)
    });
    serde_json::from_value(serde_json::json!({
        "defaultAction": template.default_action,
        "architectures": template.architectures.get(machine).cloned().unwrap_or_default(),
        "syscalls": entries.map(|e| Value::Object(e.rule)).collect::<Vec<_>>(),
    }))
    .map_err(wrong)
}

fn from_file(path: &Path) -> Result<LinuxSeccomp> {
    if !path.is_absolute() {
        bail!(InvalidArgument, "the path is not absolute");
    }
    // A pipe would hold us up for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|e| {
        Error::new(Kind::InvalidArgument, format!("open {}", path.display())).with_source(std::io::Error::from(e))
    })?);
    if !file.metadata().map_err(|e| Error::io("stat", path, e))?.is_file() {
        bail!(InvalidArgument, "it is not a regular file");
    }
    let mut text = String::new();
    file.take(FILE_LIMIT + 1).read_to_string(&mut text).map_err(|e| Error::io("read", path, e))?;
    if text.len() as u64 > FILE_LIMIT {
        bail!(InvalidArgument, "it is larger than {FILE_LIMIT} bytes");
    }
    parse(&text)
}

/// Docker's format looks alike and says more, under names that OCI's readers skip: the rules would mean something else.
fn parse(text: &str) -> Result<LinuxSeccomp> {
    let wrong = |e| Error::new(Kind::InvalidArgument, "it is not an OCI seccomp profile").with_source(e);
    let value: Value = serde_json::from_str(text).map_err(wrong)?;
    for entry in value["syscalls"].as_array().into_iter().flatten() {
        for key in ["includes", "excludes"] {
            if entry[key].as_object().is_some_and(|conditions| !conditions.is_empty()) {
                bail!(InvalidArgument, "a rule has {key:?}: that is Docker's format, not OCI's");
            }
        }
    }
    serde_json::from_value(value).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    fn names(profile: &LinuxSeccomp) -> Vec<String> {
        profile.syscalls().iter().flatten().flat_map(|s| s.names().clone()).collect()
    }

    #[test]
    fn the_default_depends_on_machine_and_capabilities() {
        let plain = names(&default("x86_64", &[]).unwrap());
        assert_eq!(plain.iter().filter(|n| *n == "clone").count(), 1);
        assert!(plain.contains(&"arch_prctl".to_owned()) && plain.contains(&"clone3".to_owned()));
        for (capability, call) in [("CAP_SYS_ADMIN", "mount"), ("CAP_SYS_CHROOT", "chroot"), ("CAP_BPF", "bpf")] {
            assert!(!plain.contains(&call.to_owned()), "{call}");
            assert!(names(&default("x86_64", &caps(&[capability])).unwrap()).contains(&call.to_owned()), "{call}");
        }
        let arm = default("aarch64", &[]).unwrap();
        assert!(names(&arm).contains(&"set_tls".to_owned()) && !names(&arm).contains(&"arch_prctl".to_owned()));
        assert_eq!(arm.architectures().as_ref().unwrap().len(), 2);
    }

    #[test]
    fn a_profile_from_a_file_is_small_regular_and_ocis() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        assert!(from_file(&write("ok", r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#)).is_ok());
        assert!(from_file(&write("bad", r#"{"defaultAction":"SCMP_ACT_MAYBE"}"#)).is_err());
        let docker = r#"{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}}]}"#;
        assert!(from_file(&write("docker", docker)).unwrap_err().to_string().contains("Docker"));
        assert!(from_file(&write("large", &" ".repeat(2 << 20))).is_err());
        assert!(from_file(dir.path()).is_err() && from_file(Path::new("relative")).is_err());
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::RUSR, 0).unwrap();
        assert!(from_file(&fifo).is_err());
    }

    #[test]
    fn the_older_word_is_understood() {
        #[expect(deprecated, reason = "this is what is tested")]
        let with = |word: &str| {
            effective(&LinuxContainerSecurityContext { seccomp_profile_path: word.to_owned(), ..Default::default() })
        };
        assert!(with("").unwrap().is_none());
        assert_eq!(with("runtime/default").unwrap().unwrap().profile_type(), ProfileType::RuntimeDefault);
        assert_eq!(with("localhost//a/b").unwrap().unwrap().localhost_ref, "/a/b");
        assert!(with("nonsense").is_err());
    }
}
