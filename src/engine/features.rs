//! What each runtime handler can do for a pod, found out once at start: ours by trying, the others by their own word.

use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    handlers::Handler,
    run,
    shim::{ForeignShim, Runtime, containerd},
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
};

/// For a runtime to say what it can do.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of what it says.
const ANSWER: u64 = 1 << 20;

/// Of one handler.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    pub user_namespaces: bool,
    pub recursive_read_only: bool,
    /// Why something is missing, for `info`.
    pub because: Option<String>,
}

/// Blocking. `directories` hold what containers get mounted: images and the pods' files.
pub fn of(handler: &Handler, directories: &[&Path]) -> Features {
    let found = match &handler.runtime {
        Runtime::BuiltIn => directories.iter().try_for_each(|d| run::probe(d)).map(|()| Features {
            user_namespaces: true,
            recursive_read_only: true,
            because: None,
        }),
        Runtime::Command(binary) => said(binary).map(|answer| read(&answer)),
        Runtime::Shim(shim) => told(shim).map(|answer| of_shim(shim, &answer)),
    };
    found.unwrap_or_else(|error| Features {
        user_namespaces: false,
        // mount_setattr(2) is what we mount with: without it nothing runs at all.
        recursive_read_only: handler.runtime == Runtime::BuiltIn,
        because: Some(format!("{error:#}")),
    })
}

/// The `features` document (OCI runtime spec, features.md). Older runtimes have none.
fn said(binary: &Path) -> Result<Value> {
    let text = ask(binary, "features").map_err(|error| match error.kind() {
        Kind::Unimplemented => error.context("it is too old to say what it can do"),
        _ => error,
    })?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::new(Kind::Internal, format!("{} features is not JSON", binary.display())).with_source(e))
}

/// What a shim tells of its runtime. Shims of before containerd 2 have no such word, and some tell nothing by it.
fn told(shim: &ForeignShim) -> Result<Value> {
    let info = containerd::info(shim)?;
    let Some(features) = info.features else {
        bail!(Unimplemented, "{} does not tell what it can do", shim.program.display());
    };
    serde_json::from_slice(&features.value).map_err(|e| {
        Error::new(Kind::Internal, format!("the features that {} tells are not JSON", shim.program.display()))
            .with_source(e)
    })
}

/// A runtime with a kernel of its own has its own users, whatever it tells: a namespace of ours it cannot join.
fn of_shim(shim: &ForeignShim, answer: &Value) -> Features {
    let told = read(answer);
    if shim.is_on_this_kernel() || !told.user_namespaces {
        return told;
    }
    let because = Some("its pods have a kernel of their own, which joins no user namespace of this one".to_owned());
    Features { user_namespaces: false, because, ..told }
}

/// What a runtime prints for a word. Blocking.
///
/// # Errors
/// `Unimplemented` if it fails; whatever keeps it from running.
pub fn ask(binary: &Path, word: &str) -> Result<Vec<u8>> {
    let mut child = Command::new(binary)
        .arg(word)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| Error::io("run", binary, e))?;
    let Some(out) = child.stdout.take() else { bail!(Internal, "{} has no output", binary.display()) };
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        out.take(ANSWER).read_to_end(&mut text).map(|_| text)
    });
    let deadline = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().map_err(|e| Error::io("wait for", binary, e))? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let killed = child.kill().and_then(|()| child.wait()).map(drop);
                let text = format!("{} {word} did not end in {} s", binary.display(), LIMIT.as_secs());
                return Err(Error::new(Kind::DeadlineExceeded, text)
                    .and_cleanup(killed.map_err(|e| Error::io("kill", binary, e))));
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    if !status.success() {
        bail!(Unimplemented, "{} {word} failed: {status}", binary.display());
    }
    let text = reader.join().map_err(|_| Error::new(Kind::Internal, "a reading thread died"))?;
    text.context(|| format!("read what {} prints", binary.display()))
}

fn read(answer: &Value) -> Features {
    let has = |list: &Value, word: &str| list.as_array().is_some_and(|l| l.iter().any(|o| o == word));
    let idmap = answer["linux"]["mountExtensions"]["idmap"]["enabled"] == true;
    Features {
        user_namespaces: idmap && has(&answer["linux"]["namespaces"], "user"),
        recursive_read_only: has(&answer["mountOptions"], "rro"),
        because: (!idmap).then(|| "it has no idmapped mounts".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtimes_word_is_read() {
        let said = serde_json::json!({ "mountOptions": ["ro", "rro"], "linux": { "namespaces": ["pid", "user"],
            "mountExtensions": { "idmap": { "enabled": true } } } });
        assert_eq!(read(&said), Features { user_namespaces: true, recursive_read_only: true, because: None });
        assert!(!read(&serde_json::json!({ "linux": { "namespaces": ["user"] } })).user_namespaces);
    }

    #[test]
    fn a_runtime_that_does_not_answer_can_do_nothing_more() {
        let handler = |path: &str| Handler {
            name: "x".to_owned(),
            runtime: Runtime::Command(path.into()),
            cgroups: crate::node::cgroup::Driver::Cgroupfs,
        };
        for path in ["/bin/false", "/no/such/runtime", "/bin/echo"] {
            let features = of(&handler(path), &[]);
            assert!(!features.user_namespaces && !features.recursive_read_only, "{path}");
            assert!(features.because.is_some(), "{path}");
        }
    }
}
