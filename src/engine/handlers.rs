//! Runtime handlers, the names a RuntimeClass selects: those of the machine, and those of containerd's configuration.

use std::path::{Path, PathBuf};

use toml::{Table as Keys, Value as V};

use super::{
    settings::RUNTIME,
    shim::{ForeignShim, Runtime, ShimOptions},
};
use crate::{
    config::{
        Fault, Finding, Severity,
        containerd::{self, Setting},
        tree::{Table, Value},
    },
    node::cgroup::Driver,
    proto::{Packed, containerd::runc::v1 as runc, runtimeoptions::v1 as other},
};

const RUNC: &str = "io.containerd.runc.v2";
/// The runtime inside wharf, in a file of its own.
const BUILT_IN: &str = "io.wharf.builtin.v1";
/// Where programs are looked for by name.
pub(super) const PLACES: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handler {
    pub name: String,
    pub runtime: Runtime,
    /// Who makes its pods' cgroups.
    pub cgroups: Driver,
}

/// The built-in one, and runc and crun if the machine has them.
pub fn found() -> Vec<Handler> {
    let own = Handler { name: "wharf".to_owned(), runtime: Runtime::BuiltIn, cgroups: Driver::Cgroupfs };
    let others = ["runc", "crun"].into_iter().filter_map(|name| {
        Some(Handler { name: name.to_owned(), runtime: Runtime::Command(find(name)?), cgroups: Driver::Cgroupfs })
    });
    std::iter::once(own).chain(others).collect()
}

/// The default one first, the built-in one under its own name at the end, with the default one's cgroup driver: a kubelet has one.
pub fn configured(s: &containerd::Settings, findings: &mut Vec<Finding>) -> Vec<Handler> {
    let default = &s.runtime.default_handler.value;
    let mut named: Vec<_> = s.runtime.handlers.iter().collect();
    named.sort_by_key(|(name, _)| *name != default);
    let mut handlers: Vec<Handler> = named
        .into_iter()
        .map(|(name, handler)| Handler {
            name: name.clone(),
            runtime: runtime(name, handler, findings),
            cgroups: if handler.systemd_cgroup.value { Driver::Systemd } else { Driver::Cgroupfs },
        })
        .collect();
    if !handlers.iter().any(|handler| handler.name == "wharf") {
        let cgroups = handlers.first().map_or(Driver::Cgroupfs, |default| default.cgroups);
        handlers.push(Handler { name: "wharf".to_owned(), runtime: Runtime::BuiltIn, cgroups });
    }
    handlers
}

fn runtime(name: &str, handler: &containerd::Handler, findings: &mut Vec<Finding>) -> Runtime {
    let base = ["plugins", RUNTIME, "containerd", "runtimes", name];
    let mut say = |severity, key: &[&str], setting: &Setting<String>, text: String| {
        let at = setting.at.as_ref().or(handler.at.as_ref());
        findings.push(Finding::new(severity, Fault::Unsupported, &[&base[..], key].concat(), at, text));
    };
    let kind = handler.runtime_type.value.as_str();
    if kind == BUILT_IN {
        return Runtime::BuiltIn;
    }
    // With a path of its own it is a shim's, whatever its type.
    if kind == RUNC && handler.runtime_path.value.is_empty() {
        let binary = &handler.binary;
        let wanted = if binary.value.is_empty() { "runc" } else { &binary.value };
        if let Some(found) = find(wanted) {
            return Runtime::Command(found);
        }
        if binary.value.is_empty() {
            let text = "this machine has no runc: the runtime inside wharf takes its place".to_owned();
            say(Severity::Note, &["options", "BinaryName"], binary, text);
            return Runtime::BuiltIn;
        }
        let text = format!("there is no {wanted}: its pods will not start");
        say(Severity::Error, &["options", "BinaryName"], binary, text);
        return Runtime::Command(PathBuf::from(wanted));
    }
    let wanted = handler.shim();
    let named = wanted.to_str().filter(|name| !name.is_empty());
    let found = named.and_then(find);
    if found.is_none() {
        let text = match named {
            Some(name) => format!("there is no {name}: its pods will not start"),
            None => format!("{kind:?} names no shim (io.containerd.NAME.VERSION or a path): its pods will not start"),
        };
        let at = if handler.runtime_path.value.is_empty() { &handler.runtime_type } else { &handler.runtime_path };
        say(Severity::Error, &["runtime_type"], at, text);
    }
    let options = options(kind, &handler.options);
    Runtime::Shim(ForeignShim { kind: kind.to_owned(), program: found.unwrap_or(wanted), options })
}

fn find(name: &str) -> Option<PathBuf> {
    if Path::new(name).is_absolute() {
        return Some(PathBuf::from(name)).filter(|path| path.exists());
    }
    PLACES.iter().map(|place| Path::new(place).join(name)).find(|path| path.exists())
}

/// As containerd gives a handler's options to its shim: runc's in a message of their own, all others as a path or as TOML.
fn options(kind: &str, table: &Table) -> Option<ShimOptions> {
    if table.is_empty() {
        return None;
    }
    let text = |key| match table.get(key).map(|item| &item.value) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    };
    let packed = if kind == RUNC {
        let systemd_cgroup = matches!(table.get("SystemdCgroup").map(|item| &item.value), Some(Value::Bool(true)));
        runc::Options { binary_name: text("BinaryName"), systemd_cgroup, ..Default::default() }.pack()
    } else {
        let config_path = text("ConfigPath");
        let body = if config_path.is_empty() { keys(table).to_string().into_bytes() } else { Vec::new() };
        other::Options { type_url: text("TypeUrl"), config_path, config_body: body }.pack()
    };
    Some(ShimOptions { type_url: packed.type_url, value: packed.value })
}

fn keys(table: &Table) -> Keys {
    table.iter().filter_map(|(key, item)| Some((key.to_owned(), value(&item.value)?))).collect()
}

fn value(from: &Value) -> Option<V> {
    Some(match from {
        Value::Text(text) => V::String(text.clone()),
        Value::Integer(number) => V::Integer(*number),
        Value::Float(number) => V::Float(*number),
        Value::Bool(yes) => V::Boolean(*yes),
        Value::Date(text) => V::Datetime(text.parse().ok()?),
        Value::List(items) => V::Array(items.iter().filter_map(|item| value(&item.value)).collect()),
        Value::Table(table) => V::Table(keys(table)),
    })
}

impl Handler {
    /// What a configuration file says to have this handler.
    pub fn keys(&self) -> Vec<(&'static str, V)> {
        let text = |path: &Path| V::String(path.display().to_string());
        let mut options = Keys::new();
        let mut keys = match &self.runtime {
            Runtime::BuiltIn => vec![("runtime_type", V::String(BUILT_IN.to_owned()))],
            Runtime::Command(program) => {
                options.insert("BinaryName".to_owned(), text(program));
                vec![("runtime_type", V::String(RUNC.to_owned()))]
            }
            Runtime::Shim(shim) => {
                options = shim.options.as_ref().map(unpacked).unwrap_or_default();
                vec![("runtime_type", V::String(shim.kind.clone())), ("runtime_path", text(&shim.program))]
            }
        };
        if self.cgroups == Driver::Systemd {
            options.insert("SystemdCgroup".to_owned(), V::Boolean(true));
        }
        if !options.is_empty() {
            keys.push(("options", V::Table(options)));
        }
        keys
    }
}

/// The opposite of [`options`].
fn unpacked(options: &ShimOptions) -> Keys {
    let any = prost_types::Any { type_url: options.type_url.clone(), value: options.value.clone() };
    if let Some(Ok(runc)) = runc::Options::unpack(&any) {
        return [("BinaryName".to_owned(), V::String(runc.binary_name))].into_iter().collect();
    }
    let Some(Ok(other)) = other::Options::unpack(&any) else { return Keys::new() };
    if other.config_path.is_empty() {
        return String::from_utf8(other.config_body).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    }
    let pairs = [("TypeUrl", other.type_url), ("ConfigPath", other.config_path)];
    pairs.into_iter().map(|(key, text)| (key.to_owned(), V::String(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured_by(text: &str) -> (Vec<Handler>, Vec<Finding>) {
        let from = containerd::from_text(Path::new("/c.toml"), text).unwrap();
        let mut findings = Vec::new();
        (configured(&from.settings, &mut findings), findings)
    }

    #[test]
    fn shims_have_their_program_and_their_options_and_come_back_as_they_were() {
        let table = "plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes";
        let text = format!(
            "version = 3\n[{table}.gvisor]\nruntime_type = 'io.containerd.runsc.v1'\nruntime_path = '/bin/true'\n\
             [{table}.gvisor.options]\nTypeUrl = 'io.containerd.runsc.v1.options'\nConfigPath = '/etc/runsc.toml'\n\
             [{table}.kata]\nruntime_type = '/bin/false'\n[{table}.kata.options]\nDebug = true\n\
             [{table}.old]\nruntime_type = 'io.containerd.runc.v2'\nruntime_path = '/bin/true'\n\
             [{table}.old.options]\nBinaryName = 'crun'\nSystemdCgroup = true\n\
             [{table}.none]\nruntime_type = 'io.containerd.absent.v1'\n\
             [{table}.untold.options]\nBinaryName = 'crun'\n"
        );
        let (handlers, findings) = configured_by(&text);
        let of = |name: &str| match &handlers.iter().find(|h| h.name == name).unwrap().runtime {
            Runtime::Shim(shim) => shim.clone(),
            other => panic!("{other:?}"),
        };
        let unpack = |shim: ForeignShim| {
            let options = shim.options.unwrap();
            prost_types::Any { type_url: options.type_url, value: options.value }
        };
        let gvisor = other::Options::unpack(&unpack(of("gvisor"))).unwrap().unwrap();
        assert_eq!((gvisor.config_path.as_str(), gvisor.config_body.len()), ("/etc/runsc.toml", 0));
        let kata = other::Options::unpack(&unpack(of("kata"))).unwrap().unwrap();
        assert_eq!(String::from_utf8(kata.config_body).unwrap().trim(), "Debug = true");
        let old = runc::Options::unpack(&unpack(of("old"))).unwrap().unwrap();
        assert_eq!((old.binary_name.as_str(), old.systemd_cgroup), ("crun", true));
        assert_eq!(of("none").program, Path::new("containerd-shim-absent-v1"));
        assert_eq!(of("untold").program, Path::new(""));
        let [missing, untold] = findings.as_slice() else { panic!("{findings:#?}") };
        assert!(missing.text.contains("containerd-shim-absent-v1"), "{missing:?}");
        assert!(untold.text.contains("\"\" names no shim"), "{untold:?}");
        for handler in handlers.iter().filter(|h| !matches!(h.name.as_str(), "none" | "untold" | "runc" | "wharf")) {
            let keys: Keys = handler.keys().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let mut file = Keys::new();
            file.insert(handler.name.clone(), V::Table(keys));
            let text = file.to_string().replace('[', &format!("[{table}."));
            let (again, _) = configured_by(&format!("version = 3\n{text}"));
            assert!(again.contains(handler), "{handler:?}\n{text}\n{again:?}");
        }
    }
}
