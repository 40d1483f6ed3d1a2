//! A very small shell for the demo's containers, which hold nothing else: words, no quoting, a dozen commands.

use std::{
    env, fs,
    io::{BufRead, IsTerminal, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    process::ExitCode,
};

const HELP: &str = "cat cd echo env exit help hostname id kill ls mounts ps pwd uname";

pub fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "-c") {
        let mut code = 0;
        for line in arguments.get(at + 1).map(String::as_str).unwrap_or_default().split([';', '\n']) {
            // Whatever shell the app looks for, this is the only one here.
            if line.trim_start().starts_with("exec ") {
                return interactive();
            }
            match run(line) {
                Outcome::Code(c) => code = c,
                Outcome::Exit(c) => return ExitCode::from(c),
            }
        }
        return ExitCode::from(code);
    }
    interactive()
}

fn interactive() -> ExitCode {
    let (input, interactive) = (std::io::stdin(), std::io::stdin().is_terminal());
    let mut code = 0;
    if interactive {
        println!("wharf demo shell; commands: {HELP}");
    }
    loop {
        if interactive {
            let here = env::current_dir().unwrap_or_default();
            print!("{} # ", here.display());
            if std::io::stdout().flush().is_err() {
                return ExitCode::from(code);
            }
        }
        let mut line = String::new();
        match input.lock().read_line(&mut line) {
            Ok(0) | Err(_) => return ExitCode::from(code),
            Ok(_) => match run(&line) {
                Outcome::Code(c) => code = c,
                Outcome::Exit(c) => return ExitCode::from(c),
            },
        }
    }
}

enum Outcome {
    Code(u8),
    Exit(u8),
}

fn run(line: &str) -> Outcome {
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some((command, rest)) = words.split_first() else { return Outcome::Code(0) };
    let first = rest.first().copied();
    let done = match *command {
        "exit" => return Outcome::Exit(first.and_then(|c| c.parse().ok()).unwrap_or(0)),
        "help" => say(HELP),
        // Of the environment it needs nothing.
        "export" => Ok(()),
        word if word.contains('=') => Ok(()),
        "echo" => say(&rest.join(" ")),
        "pwd" => env::current_dir().and_then(|d| say(&d.display().to_string())),
        "cd" => env::set_current_dir(first.unwrap_or("/")),
        "env" => env::vars().try_for_each(|(k, v)| say(&format!("{k}={v}"))),
        "hostname" => fs::read_to_string("/proc/sys/kernel/hostname").and_then(|h| say(h.trim())),
        "uname" => fs::read_to_string("/proc/version").and_then(|v| say(v.trim())),
        "id" => say(&format!("uid={} gid={}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw())),
        "mounts" => fs::read_to_string("/proc/self/mounts").and_then(|m| say(m.trim_end())),
        "cat" => rest.iter().try_for_each(|f| {
            let mut file = fs::File::open(f)?;
            std::io::copy(&mut file, &mut std::io::stdout()).map(drop)
        }),
        "ls" => list(Path::new(rest.iter().find(|w| !w.starts_with('-')).copied().unwrap_or("."))),
        "ps" => processes(),
        "kill" => kill(rest),
        other => {
            eprintln!("{other}: not found (commands: {HELP})");
            return Outcome::Code(127);
        }
    };
    match done {
        Ok(()) => Outcome::Code(0),
        Err(error) => {
            eprintln!("{command}: {error}");
            Outcome::Code(1)
        }
    }
}

fn say(text: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{text}")
}

fn list(directory: &Path) -> std::io::Result<()> {
    let mut names: Vec<_> = fs::read_dir(directory)?.collect::<Result<_, _>>()?;
    names.sort_by_key(fs::DirEntry::file_name);
    for entry in names {
        let meta = entry.path().symlink_metadata()?;
        let kind = if meta.is_dir() { '/' } else { ' ' };
        say(&format!("{:o} {:>10} {}{kind}", meta.mode() & 0o7777, meta.len(), entry.file_name().to_string_lossy()))?;
    }
    Ok(())
}

fn processes() -> std::io::Result<()> {
    say("  PID COMMAND")?;
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.bytes().all(|b| b.is_ascii_digit()) {
            let command = fs::read(format!("/proc/{name}/cmdline")).unwrap_or_default();
            say(&format!("{name:>5} {}", String::from_utf8_lossy(&command).replace('\0', " ")))?;
        }
    }
    Ok(())
}

fn kill(words: &[&str]) -> std::io::Result<()> {
    let invalid = || std::io::Error::new(std::io::ErrorKind::InvalidInput, "usage: kill [-9] PID");
    let (signal, pid) = match words {
        ["-9", pid] => (rustix::process::Signal::KILL, pid),
        [pid] => (rustix::process::Signal::TERM, pid),
        _ => return Err(invalid()),
    };
    let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw).ok_or_else(invalid)?;
    Ok(rustix::process::kill_process(pid, signal)?)
}
