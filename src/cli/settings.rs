//! `config`: containerd's configuration checked and migrated, the engine's shown, crictl's settings read and changed.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    backend::{Globals, inside},
    output::{Format, Out, Table},
};
use crate::{
    bail,
    config::{
        Finding, Severity,
        containerd::{self, PLACE},
        crictl, reader,
    },
    error::{Context, Error, Kind, Result},
};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_precedence_over_arg = true)]
pub struct Config {
    #[command(subcommand)]
    what: Option<What>,
    /// Show a setting of crictl
    #[arg(long, value_name = "KEY", conflicts_with_all = ["set", "list", "pair"])]
    get: Option<String>,
    /// Change settings of crictl
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',', conflicts_with_all = ["list", "pair"])]
    set: Vec<String>,
    /// Show all settings of crictl
    #[arg(long, conflicts_with = "pair")]
    list: bool,
    /// Change one setting of crictl
    #[arg(value_names = ["KEY", "VALUE"], num_args = 2)]
    pair: Vec<String>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write what the runtime inside this program starts from
    Default,
    /// Write a configuration of containerd as it takes effect, imports included, secrets masked
    Dump {
        #[arg(default_value = PLACE)]
        file: PathBuf,
    },
    /// Say what is wrong with a configuration of containerd, line by line; exit code 1 if anything is
    Check {
        #[arg(default_value = PLACE)]
        file: PathBuf,
        #[arg(short, long, default_value = "table")]
        output: Format,
        /// Also say what `wharf serve --config FILE` would not use of it
        #[arg(long)]
        serve: bool,
    },
    /// Write a file of containerd's configuration in the newest version, with what it set and no more
    Migrate {
        #[arg(default_value = PLACE)]
        file: PathBuf,
    },
}

pub fn config(globals: &Globals, out: &mut Out, args: Config) -> Result<u8> {
    match args.what {
        Some(What::Default) => out.bytes(inside::default_config()?.as_bytes()).map(|()| 0),
        Some(What::Dump { file }) => {
            let mut whole = containerd::load(Path::new("/"), &file)?;
            whole.tree = whole.tree.masked();
            out.bytes(whole.to_toml().as_bytes()).map(|()| 0)
        }
        Some(What::Check { file, output, serve }) => check(out, &file, output, serve),
        Some(What::Migrate { file }) => {
            let migrated = containerd::load_file(&file)?;
            out.bytes(migrated.to_toml().as_bytes())?;
            remarks(out, &migrated.findings)?;
            Ok(0)
        }
        None => of_crictl(globals, out, &args),
    }
}

fn remarks(out: &mut Out, findings: &[Finding]) -> Result<()> {
    findings.iter().filter(|f| f.severity > Severity::Note).try_for_each(|f| out.remark(&f.to_string()))
}

fn check(out: &mut Out, file: &Path, output: Format, serve: bool) -> Result<u8> {
    let findings = if serve { inside::check(file)? } else { containerd::load(Path::new("/"), file)?.findings };
    if output == Format::Table {
        for finding in &findings {
            out.line(&finding.to_string())?;
        }
        if findings.is_empty() {
            out.line(&format!("{}: nothing is wrong with it", file.display()))?;
        }
    } else {
        let list: Vec<_> = findings
            .iter()
            .map(|f| {
                json!({
                    "severity": f.severity,
                    "fault": f.fault,
                    "key": f.key,
                    "file": f.at.as_ref().map(|at| at.file.display().to_string()),
                    "line": f.at.as_ref().map(|at| at.line),
                    "text": f.text,
                })
            })
            .collect();
        out.value(&json!({ "findings": list }), output)?;
    }
    Ok(u8::from(findings.iter().any(|f| f.severity > Severity::Note)))
}

/// crictl's own verb of this name.
fn of_crictl(globals: &Globals, out: &mut Out, args: &Config) -> Result<u8> {
    let variable = std::env::var_os("CRI_CONFIG_FILE").filter(|v| !v.is_empty()).map(PathBuf::from);
    let path = globals.config.clone().or(variable).unwrap_or_else(|| PathBuf::from(crictl::PLACE));
    let text = reader::text_if_there(&path)?.unwrap_or_default();
    let settings = crictl::parse(&path, &text)?;
    if let Some(key) = &args.get {
        let Some((_, value)) = settings.list().into_iter().find(|(known, _)| known == key) else {
            bail!(InvalidArgument, "crictl has no setting {:?}", key.escape_debug().to_string());
        };
        return out.line(&value).map(|()| 0);
    }
    if args.list {
        let mut table = Table::new(&["KEY", "VALUE"]);
        settings.list().into_iter().for_each(|(key, value)| table.row([key.to_owned(), value]));
        return out.table(&table).map(|()| 0);
    }
    let pairs: Vec<(&str, &str)> = match &args.pair[..] {
        [key, value] => vec![(key, value)],
        _ => args.set.iter().map(|pair| pair.split_once('=').unwrap_or((pair, ""))).collect(),
    };
    if pairs.is_empty() {
        bail!(
            InvalidArgument,
            "say what to do: default, dump, check, migrate, or --get, --set, --list for crictl's settings"
        );
    }
    if globals.read_only {
        bail!(PermissionDenied, "change {}: --read-only allows no change", path.display());
    }
    let mut changed = text;
    for (key, value) in pairs {
        changed = crictl::set(&changed, key, value)?;
    }
    crictl::parse(&path, &changed)?;
    write(&path, &changed).context(|| format!("change {}", path.display()))?;
    Ok(0)
}

/// The old text or the new one, whenever the power goes: beside it, synced, moved into place.
fn write(path: &Path, text: &str) -> Result<()> {
    use std::{
        fs::{self, File},
        io::Write,
        os::unix::fs::PermissionsExt,
    };
    // A link is followed: its target is what somebody meant to change.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let Some(directory) = target.parent() else { bail!(InvalidArgument, "{} has no directory", target.display()) };
    let fresh = directory.join(format!(".wharf-new-{}", std::process::id()));
    let mode = fs::metadata(&target).map_or(0o644, |m| m.permissions().mode() & 0o7777);
    let put = || -> std::io::Result<()> {
        let mut file = File::options().write(true).create_new(true).open(&fresh)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &target)?;
        File::open(directory)?.sync_all()
    };
    put().map_err(|error| {
        let cleanup = match fs::remove_file(&fresh) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &fresh, e)),
            _ => Ok(()),
        };
        Error::new(Kind::Internal, format!("write {}", target.display())).with_source(error).and_cleanup(cleanup)
    })
}
