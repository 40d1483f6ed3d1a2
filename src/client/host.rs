//! Carries out changes of the node: files atomically and with a copy kept, restarts with a way back, signals to the process
//! that was meant. Each either is done or leaves things as they were, and says which.

use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use super::{
    change::{Change, Edit, Restart, Signal, Sysctl},
    cri::Cri,
    redact,
};
use crate::{
    bail,
    error::{Context, Error, Kind, Result},
    node::{command, journal, process, unit},
};

/// For the runtime to answer after a restart.
const BACK: Duration = Duration::from_secs(30);
const CHECK: Duration = Duration::from_secs(15);
/// Lines of the journal that explain why a service did not come back.
const WORDS: usize = 20;

/// # Errors
/// What kept it from being done; the node is then as before, or the error says what could not be taken back.
pub async fn apply(change: &Change) -> Result<()> {
    let what = change.what();
    let done = match change {
        Change::Edit(edit) => self::edit(edit).await.map(drop),
        Change::Restart(restart) => self::restart(restart).await,
        Change::Signal(signal) => self::signal(signal),
        Change::Sysctl(sysctl) => self::sysctl(sysctl).await,
    };
    done.map_err(|e| e.context(what))
}

/// Puts the new text in place; where the old one is kept, if there was one. Doing it twice changes nothing.
///
/// # Errors
/// `FailedPrecondition` if the file has another text than the one the edit was made from, if somebody else than root
/// may write it, or if the check refuses the new text. Nothing is written then.
pub async fn edit(edit: &Edit) -> Result<Option<PathBuf>> {
    // A link stays; what it names is edited.
    let path = match fs::canonicalize(&edit.path) {
        Ok(path) => path,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => PathBuf::from(&edit.path),
        Err(e) => return Err(Error::io("resolve", &edit.path, e)),
    };
    let now = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Error::io("read", &path, e)),
    };
    if now.as_deref() == Some(&edit.new) {
        return Ok(None);
    }
    if now != edit.old {
        bail!(FailedPrecondition, "{} was changed by somebody else meanwhile: look at it again", path.display());
    }
    let directory = path.parent().ok_or_else(|| Error::new(Kind::InvalidArgument, "a file has a directory"))?;
    if now.is_none() {
        fs::create_dir_all(directory).map_err(|e| Error::io("create directory", directory, e))?;
    }
    only_root_writes(&path, directory)?;
    let temporary = Temporary(directory.join(format!(".{}.wharf-{}", name(&path), std::process::id())));
    write(&temporary.0, &edit.new, now.as_ref().map(|_| path.as_path()))?;
    check(edit, &temporary.0).await?;
    let mut kept = None;
    if let Some(old) = &now {
        let backup = backup_name(&path);
        write(&backup, old, Some(&path)).map_err(|e| e.context("keep a copy of the old text"))?;
        kept = Some(backup);
    }
    fs::rename(&temporary.0, &path).map_err(|e| Error::io("rename to", &path, e))?;
    sync(directory)?;
    Ok(kept)
}

/// Removes the file on every way out; after the rename there is none.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.0);
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn backup_name(path: &Path) -> PathBuf {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    (0..u32::MAX)
        .map(|n| {
            path.with_file_name(format!(
                "{}.wharf-{seconds}{}",
                name(path),
                if n == 0 { String::new() } else { format!("-{n}") }
            ))
        })
        .find(|p| !p.exists())
        .unwrap_or_else(|| path.with_extension("wharf"))
}

/// A file that another user can write may be changed again between our look and our restart.
fn only_root_writes(path: &Path, directory: &Path) -> Result<()> {
    for at in std::iter::once(path).chain(directory.ancestors()) {
        let Ok(meta) = fs::metadata(at) else { continue };
        let mode = meta.permissions().mode();
        let sticky = meta.is_dir() && mode & 0o1000 != 0;
        let owner = meta.uid();
        if (mode & 0o002 != 0 && !sticky) || (owner != 0 && owner != rustix::process::geteuid().as_raw()) {
            bail!(
                FailedPrecondition,
                "{} can be written by others than root (owner {owner}, mode {:o}): not edited",
                at.display(),
                mode & 0o7777
            );
        }
    }
    Ok(())
}

/// A whole new file, on disk when this returns, with owner, mode and extended attributes (SELinux's label) of `like`.
fn write(path: &Path, text: &str, like: Option<&Path>) -> Result<()> {
    let io = |doing: &str, e| advised(doing, path, e);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(|e| io("create", e))?;
    file.write_all(text.as_bytes()).map_err(|e| io("write", e))?;
    match like {
        Some(like) => {
            let meta = fs::metadata(like).map_err(|e| Error::io("stat", like, e))?;
            std::os::unix::fs::fchown(&file, Some(meta.uid()), Some(meta.gid())).map_err(|e| io("chown", e))?;
            attributes(like, path)?;
            file.set_permissions(meta.permissions()).map_err(|e| io("chmod", e))?;
        }
        None => file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(|e| io("chmod", e))?,
    }
    // Without it, a rename can come to disk before the text does and leave an empty file.
    file.sync_all().map_err(|e| io("sync", e))
}

/// With what helps against it.
fn advised(doing: &str, path: &Path, error: std::io::Error) -> Error {
    let advice = match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::ROFS) => "the filesystem is read-only (mount -o remount,rw)",
        Some(rustix::io::Errno::NOSPC | rustix::io::Errno::DQUOT) => "there is no room (wharf prune; df -i)",
        Some(rustix::io::Errno::PERM) => "the directory may be immutable (lsattr -d, chattr -i)",
        Some(rustix::io::Errno::ACCESS) => "this user may not (sudo)",
        _ => return Error::io(doing, path, error),
    };
    Error::io(doing, path, error).context(format!("nothing was changed: {advice}"))
}

fn attributes(from: &Path, to: &Path) -> Result<()> {
    let mut names = vec![0; 64 << 10];
    let length = match rustix::fs::listxattr(from, &mut names[..]) {
        Ok(length) => length,
        Err(rustix::io::Errno::NOTSUP) => return Ok(()),
        Err(e) => return Err(Error::io("list attributes of", from, std::io::Error::from(e))),
    };
    for attribute in names[..length].split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let mut value = vec![0; 64 << 10];
        let length = rustix::fs::getxattr(from, attribute, &mut value[..])
            .context(|| format!("read an attribute of {}", from.display()))?;
        rustix::fs::setxattr(to, attribute, &value[..length], rustix::fs::XattrFlags::empty())
            .context(|| format!("set an attribute of {}", to.display()))?;
    }
    Ok(())
}

fn sync(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync", directory, e))
}

async fn check(edit: &Edit, file: &Path) -> Result<()> {
    let Some((program, arguments)) = edit.check.split_first() else { return Ok(()) };
    let file = file.to_string_lossy();
    let arguments: Vec<&str> = arguments.iter().map(|a| if a == "{}" { file.as_ref() } else { a.as_str() }).collect();
    let refused = |e: Error| e.context("the program that reads it refuses the new text; nothing was written");
    command::output(Path::new(program), &arguments, CHECK).await.map(drop).map_err(refused)
}

/// Restarts the service and waits for its socket to answer; takes the edit back if it does not.
async fn restart(restart: &Restart) -> Result<()> {
    let failed = match unit::restart(&restart.unit).await {
        Ok(()) => match answers(&restart.endpoint, BACK).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        },
        // Nothing has happened yet.
        Err(error) if error.is(Kind::FailedPrecondition) && unit::need_systemd(Path::new("/")).is_err() => {
            return Err(error);
        }
        Err(error) => error,
    };
    // Before anything else is said.
    let failed = failed.context(last_words(&restart.unit).await);
    let Some(undo) = &restart.undo else { return Err(failed) };
    let back = async {
        self::edit(undo).await?;
        unit::restart(&restart.unit).await?;
        answers(&restart.endpoint, BACK).await
    };
    match back.await {
        Ok(()) => {
            Err(failed
                .context("it did not come back with the new configuration; the old one is in place again and works"))
        }
        Err(error) => Err(failed.and_cleanup(Err(error.context("put the old configuration back")))),
    }
}

/// What the unit has told the journal, without secrets.
async fn last_words(unit: &str) -> String {
    match journal::collect(Path::new("/"), &[unit.to_owned()], &[]).await {
        Ok(facts) => {
            let last = &facts.lines[facts.lines.len().saturating_sub(WORDS)..];
            let line = |line: &journal::Line| {
                let text: String = line.text.chars().filter(|c| !c.is_control()).take(160).collect();
                redact::text(&text)
            };
            format!("{unit} said last: {}", last.iter().map(line).collect::<Vec<_>>().join(" / "))
        }
        Err(error) => format!("what {unit} said is not known ({error:#})"),
    }
}

/// Waits until a CRI runtime answers.
///
/// # Errors
/// What it said last, when the time is over.
pub async fn answers(endpoint: &str, limit: Duration) -> Result<()> {
    let end = Instant::now() + limit;
    loop {
        let asked = tokio::time::timeout(Duration::from_secs(5), Cri::attach(endpoint, true)).await;
        let error = match asked {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error,
            Err(_) => Error::new(Kind::DeadlineExceeded, format!("{endpoint} does not answer")),
        };
        if Instant::now() > end {
            return Err(error.context(format!("the runtime did not answer within {} s", limit.as_secs())));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn signal(signal: &Signal) -> Result<()> {
    let number = match signal.signal.as_str() {
        "CONT" => rustix::process::Signal::CONT,
        "USR1" => rustix::process::Signal::USR1,
        other => bail!(InvalidArgument, "SIG{other} is not sent from here"),
    };
    let is_it = || process::stat(Path::new("/"), signal.pid).is_some_and(|s| s.started == signal.started);
    let pid = i32::try_from(signal.pid).ok().and_then(rustix::process::Pid::from_raw);
    let gone = || Error::new(Kind::NotFound, format!("process {} has ended", signal.pid));
    let pid = pid.ok_or_else(gone)?;
    // With the descriptor in hand the pid cannot come to mean another process any more.
    let handle = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map_err(|_| gone())?;
    if !is_it() {
        return Err(gone());
    }
    rustix::process::pidfd_send_signal(&handle, number).context(|| format!("signal process {}", signal.pid))
}

async fn sysctl(sysctl: &Sysctl) -> Result<()> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
    if !sysctl.key.chars().all(plain) || sysctl.key.contains("..") {
        bail!(InvalidArgument, "{:?} is no kernel limit", sysctl.key);
    }
    let path = Path::new("/proc/sys").join(sysctl.key.replace('.', "/"));
    fs::write(&path, format!("{}\n", sysctl.value)).map_err(|e| Error::io("write", &path, e))?;
    let file = format!("/etc/sysctl.d/90-wharf-{}.conf", sysctl.key.replace('.', "-"));
    let old = match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Error::io("read", &file, e)),
    };
    let new = format!("# Raised by wharf doctor.\n{} = {}\n", sysctl.key, sysctl.value);
    self::edit(&Edit { path: file, old, new, check: Vec::new() }).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (directory, path)
    }

    fn edit_of(path: &Path, old: &str, new: &str) -> Edit {
        Edit { path: path.to_string_lossy().into_owned(), old: Some(old.into()), new: new.into(), check: Vec::new() }
    }

    #[tokio::test]
    async fn cfg_01_02_mode_link_and_backup_are_kept() {
        let (directory, path) = file("a = 1\n", 0o640);
        let link = directory.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        rustix::fs::setxattr(&path, "user.test", b"v", rustix::fs::XattrFlags::empty()).unwrap();
        let kept = edit(&edit_of(&link, "a = 1\n", "a = 2\n")).await.unwrap().unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        for (at, text) in [(&path, "a = 2\n"), (&kept, "a = 1\n")] {
            assert_eq!(fs::read_to_string(at).unwrap(), text);
            assert_eq!(fs::metadata(at).unwrap().permissions().mode() & 0o7777, 0o640);
            let mut value = [0; 8];
            assert_eq!(rustix::fs::getxattr(at, "user.test", &mut value[..]).unwrap(), 1);
        }
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3, "no temporary file is left");
    }

    #[tokio::test]
    async fn cfg_03_11_a_file_changed_meanwhile_is_left_and_twice_is_once() {
        let (directory, path) = file("theirs\n", 0o600);
        let error = edit(&edit_of(&path, "ours\n", "new\n")).await.unwrap_err();
        assert!(error.is(Kind::FailedPrecondition) && error.to_string().contains("somebody else"), "{error:#}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs\n");
        let change = edit_of(&path, "theirs\n", "new\n");
        assert!(edit(&change).await.unwrap().is_some());
        assert_eq!(edit(&change).await.unwrap(), None);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn cfg_02_05_others_can_write_or_the_check_refuses() {
        let (directory, path) = file("a\n", 0o666);
        let error = edit(&edit_of(&path, "a\n", "b\n")).await.unwrap_err();
        assert!(error.to_string().contains("others than root"), "{error:#}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let refuses = command::find("false").unwrap().to_string_lossy().into_owned();
        let change = Edit { check: vec![refuses, "{}".into()], ..edit_of(&path, "a\n", "b\n") };
        let error = edit(&change).await.unwrap_err();
        assert!(error.to_string().contains("refuses the new text"), "{error:#}");
        assert_eq!(
            (fs::read_to_string(&path).unwrap().as_str(), fs::read_dir(directory.path()).unwrap().count()),
            ("a\n", 1)
        );
    }

    /// On a disk of its own, which `full` or a change of its mount makes unwritable.
    #[tokio::test]
    async fn cfg_10_where_no_copy_can_be_kept_nothing_is_touched() {
        use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
        if !rustix::process::geteuid().is_root() {
            println!("skipped: mounts need root");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("config.toml");
        for (options, advice) in [(c"size=16k", "wharf prune"), (c"nr_inodes=2", "df -i"), (c"size=1m", "remount,rw")] {
            mount("tmpfs", directory.path(), "tmpfs", MountFlags::empty(), Some(options)).unwrap();
            fs::write(&path, "a = 1\n").unwrap();
            match options.to_bytes() {
                b"size=16k" => assert!(fs::write(directory.path().join("filler"), vec![0; 64 << 10]).is_err()),
                b"size=1m" => mount_remount(directory.path(), MountFlags::RDONLY, "").unwrap(),
                _ => {}
            }
            let error = edit(&edit_of(&path, "a = 1\n", &"b = 2\n".repeat(1000))).await.unwrap_err();
            let left = fs::read_dir(directory.path()).unwrap().filter(|e| e.as_ref().unwrap().file_name() != "filler");
            let found = (fs::read_to_string(&path).unwrap(), left.count());
            unmount(directory.path(), UnmountFlags::DETACH).unwrap();
            let text = format!("{error:#}");
            assert!(text.contains(advice) && text.contains("config.toml"), "{text}");
            assert_eq!(found, ("a = 1\n".to_owned(), 1), "{text}");
        }
    }

    #[test]
    fn a_pid_that_is_somebody_else_by_now_gets_no_signal() {
        let signal = Signal { pid: std::process::id(), started: 1, name: "x".into(), signal: "CONT".into() };
        assert!(super::signal(&signal).unwrap_err().is(Kind::NotFound));
        assert!(super::signal(&Signal { signal: "KILL".into(), ..signal }).unwrap_err().is(Kind::InvalidArgument));
    }
}
