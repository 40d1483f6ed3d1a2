//! CRIU by its command line: what a running container is, written to files, as runc has it written. Nothing here reads such
//! files: they would be carried out with the rights of root (threats RUN-16).

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Stdio,
};

use oci_spec::runtime::{LinuxNamespaceType, Spec};
use serde_json::json;

use crate::{
    bail,
    error::{Context, Error, Result},
};

const PROGRAM: &str = "criu";
/// CRIU's own log, in the working directory.
pub const LOG: &str = "dump.log";
/// Where runc looks for what the first process had for stdio.
const DESCRIPTORS: &str = "descriptors.json";
/// Of its log, what an error shows: lines, and characters of each.
const LINES: usize = 3;
const LINE: usize = 300;

/// A container whose processes are to be written down.
#[derive(Debug)]
pub struct Dump {
    /// The first process, in the host's pid namespace.
    pub pid: u32,
    pub spec: Spec,
    /// An empty directory for the images.
    pub images: PathBuf,
    /// A directory for the log.
    pub work: PathBuf,
}

impl Dump {
    /// Writes the images; the container goes on. It stands still meanwhile, and CRIU must not be killed: what it has put
    /// into the processes would stay there.
    ///
    /// # Errors
    /// `Unimplemented` if there is no CRIU on this machine; else with what it says last.
    pub async fn run(&self) -> Result<()> {
        let arguments = self.arguments(|kind| namespace(self.pid, kind))?;
        self.describe()?;
        let mut command = tokio::process::Command::new(PROGRAM);
        command.args(&arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(false);
        let status = match command.status().await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!(Unimplemented, "there is no {PROGRAM} on this node: install the package {PROGRAM}")
            }
            status => status.map_err(|e| Error::io("run", PROGRAM, e))?,
        };
        if !status.success() {
            bail!(Internal, "{PROGRAM} dump failed ({status}): {}", complaints(&self.work.join(LOG)));
        }
        Ok(())
    }

    /// `inode` is of a namespace of the container's.
    fn arguments(&self, inode: impl Fn(&str) -> Result<u64>) -> Result<Vec<String>> {
        let root = self.spec.root().as_ref().map(|r| r.path().display().to_string()).unwrap_or_default();
        let mut arguments = vec!["dump".to_owned()];
        let mut option = |name: &str, value: String| arguments.extend([format!("--{name}"), value]);
        option("tree", self.pid.to_string());
        option("images-dir", self.images.display().to_string());
        option("work-dir", self.work.display().to_string());
        option("log-file", LOG.to_owned());
        option("root", root);
        // What the pod has and not the container: its restorer brings them.
        let namespaces = self.spec.linux().as_ref().and_then(|l| l.namespaces().clone()).unwrap_or_default();
        for (kind, file, name) in
            [(LinuxNamespaceType::Network, "net", "extRootNetNS"), (LinuxNamespaceType::Pid, "pid", "extRootPidNS")]
        {
            if namespaces.iter().any(|n| n.typ() == kind && n.path().is_some()) {
                option("external", format!("{file}[{}]:{name}", inode(file)?));
            }
        }
        for mount in self.spec.mounts().iter().flatten() {
            let options = mount.options().iter().flatten();
            if mount.typ().as_deref() == Some("bind") || options.into_iter().any(|o| o == "bind" || o == "rbind") {
                let place = mount.destination().display();
                option("external", format!("mnt[{place}]:{place}"));
            }
        }
        // Files that must not be read have /dev/null over them.
        for masked in self.spec.linux().iter().filter_map(|l| l.masked_paths().as_ref()).flatten() {
            option("external", format!("mnt[{masked}]:/dev/null"));
        }
        arguments.extend(
            ["--leave-running", "--manage-cgroups=soft", "--tcp-established", "--ext-unix-sk", "--file-locks", "-v4"]
                .map(str::to_owned),
        );
        if self.spec.process().as_ref().and_then(|p| p.terminal()).unwrap_or(false) {
            arguments.push("--shell-job".to_owned());
        }
        Ok(arguments)
    }

    fn describe(&self) -> Result<()> {
        let stdio = [0, 1, 2].map(|fd| {
            let link = fs::read_link(format!("/proc/{}/fd/{fd}", self.pid));
            link.map_or_else(|_| String::new(), |target| target.to_string_lossy().into_owned())
        });
        let path = self.images.join(DESCRIPTORS);
        fs::write(&path, json!(stdio).to_string()).context(|| format!("write {}", path.display()))
    }
}

fn namespace(pid: u32, kind: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/ns/{kind}");
    fs::metadata(&path).map(|found| found.ino()).map_err(|e| Error::io("look at", path, e))
}

/// What CRIU's log calls errors, the last of them, fit for a message.
fn complaints(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .filter(|l| l.contains("Error"))
        .take(LINES)
        .map(|l| l.chars().filter(|c| !c.is_control()).take(LINE).collect())
        .collect();
    lines.reverse();
    if lines.is_empty() { "it said nothing".to_owned() } else { lines.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_pods_is_external() {
        let spec = json!({
            "ociVersion": "1.1.0", "root": { "path": "/r" }, "process": { "cwd": "/", "terminal": true, "user": { "uid": 0, "gid": 0 } },
            "mounts": [
                { "destination": "/proc", "type": "proc", "source": "proc" },
                { "destination": "/etc/hosts", "type": "bind", "source": "/x", "options": ["rbind", "ro"] },
            ],
            "linux": {
                "maskedPaths": ["/proc/kcore"],
                "namespaces": [{ "type": "network", "path": "/n" }, { "type": "pid" }, { "type": "mount" }],
            },
        });
        let spec = serde_json::from_value(spec).unwrap();
        let dump = Dump { pid: 7, spec, images: "/i".into(), work: "/w".into() };
        let said = dump.arguments(|kind| Ok(if kind == "net" { 42 } else { 0 })).unwrap().join(" ");
        assert!(
            said.starts_with("dump --tree 7 --images-dir /i --work-dir /w --log-file dump.log --root /r "),
            "{said}"
        );
        for part in [
            "--external net[42]:extRootNetNS",
            "--external mnt[/etc/hosts]:/etc/hosts",
            "--external mnt[/proc/kcore]:/dev/null",
            "--leave-running",
            "--shell-job",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("pid[") && !said.contains("mnt[/proc]"), "{said}");
    }

    #[test]
    fn its_last_errors_are_told() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let lines =
            (0..9).map(|n| format!("(00.{n}) Error (x.c:{n}): \u{1b}[31mno\n(00.{n}) fine\n")).collect::<String>();
        fs::write(log.path(), lines).unwrap();
        let said = complaints(log.path());
        assert!(
            said.starts_with("(00.6) Error (x.c:6): [31mno; ") && said.ends_with("(00.8) Error (x.c:8): [31mno"),
            "{said}"
        );
        assert_eq!(complaints(Path::new("/nonexistent")), "it said nothing");
    }
}
