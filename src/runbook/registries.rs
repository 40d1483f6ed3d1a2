//! Which hosts CRI-O asks for an image, in which order and with which trust: containers-registries.conf(5), its drop-ins, and
//! certificates in containers/certs.d. Reads files, asks nobody.

use std::path::Path;

use toml_edit::{DocumentMut, Item, TableLike};

use super::{
    ConfFacts, ConfFile, Reference,
    hosts::{Host, HostList},
    settings,
};
use crate::{
    client::redact,
    config::hosts,
    error::Result,
    node::{below, read_if_there},
};

const FILE: &str = "/etc/containers/registries.conf";
const CERTS: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// The main file and the drop-ins, of a CRI-O with this command line.
///
/// # Errors
/// If one is there and cannot be read.
pub fn files(root: &Path, command: &[String]) -> Result<Vec<ConfFile>> {
    let flag = |name: &str| {
        command.iter().enumerate().find_map(|(at, word)| match word.strip_prefix(name)?.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None if word == name => command.get(at + 1).cloned(),
            None => None,
        })
    };
    let main = flag("--registries-conf").unwrap_or_else(|| FILE.to_owned());
    let directory = flag("--registries-conf-dir").unwrap_or_else(|| format!("{FILE}.d"));
    let entries = std::fs::read_dir(below(root, &directory)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
    names.retain(|n| n.ends_with(".conf"));
    names.sort();
    let paths = std::iter::once(main).chain(names.into_iter().map(|n| format!("{directory}/{n}")));
    let mut found = Vec::new();
    for path in paths {
        found.extend(read_if_there(&below(root, &path))?.map(|text| ConfFile { path, text }));
    }
    Ok(found)
}

/// One `[[registry]]`.
#[derive(Debug, Clone, Default)]
struct Entry {
    prefix: String,
    location: String,
    insecure: bool,
    blocked: bool,
    source: String,
    /// Location, whether insecure, and for what: `all`, `digest-only`, `tag-only`.
    mirrors: Vec<(String, bool, String)>,
}

fn text(table: &dyn TableLike, key: &str) -> String {
    table.get(key).and_then(Item::as_str).unwrap_or_default().to_owned()
}

fn yes(table: &dyn TableLike, key: &str) -> bool {
    table.get(key).and_then(Item::as_bool).unwrap_or(false)
}

/// Tables of an array of tables, or of an array of inline ones.
fn tables<'a>(table: &'a dyn TableLike, key: &str) -> Vec<&'a dyn TableLike> {
    match table.get(key) {
        Some(Item::ArrayOfTables(all)) => all.iter().map(|t| t as &dyn TableLike).collect(),
        Some(Item::Value(toml_edit::Value::Array(all))) => {
            all.iter().filter_map(|v| v.as_inline_table().map(|t| t as &dyn TableLike)).collect()
        }
        _ => Vec::new(),
    }
}

/// What all files say together; a later one replaces what an earlier one says of the same prefix.
#[derive(Debug, Default)]
struct Said {
    entries: Vec<Entry>,
    search: Vec<String>,
    search_source: String,
    aliases: Vec<(String, String)>,
    problems: Vec<String>,
}

fn said(files: &[ConfFile]) -> Said {
    let mut all = Said { search_source: FILE.to_owned(), ..Said::default() };
    for file in files {
        let document: DocumentMut = match file.text.parse() {
            Ok(document) => document,
            Err(error) => {
                let error: toml_edit::TomlError = error;
                all.problems.push(format!("{} is not TOML: {}", file.path, redact::text(&error.to_string())));
                continue;
            }
        };
        if let Some(list) = document.get("unqualified-search-registries").and_then(Item::as_array) {
            all.search = list.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
            all.search_source.clone_from(&file.path);
        }
        let aliases = document.get("aliases").and_then(Item::as_table_like);
        all.aliases.extend(
            aliases
                .into_iter()
                .flat_map(|t| t.iter())
                .filter_map(|(k, v)| Some((k.to_owned(), v.as_str()?.to_owned()))),
        );
        for table in tables(document.as_table(), "registry") {
            let (location, prefix) = (text(table, "location"), text(table, "prefix"));
            let prefix = if prefix.is_empty() { location.clone() } else { prefix };
            let line = file.text.lines().position(|l| l.contains(&format!("\"{prefix}\""))).map_or(1, |at| at + 1);
            let mirrors = tables(table, "mirror").into_iter().map(|m| {
                let only = match text(m, "pull-from-mirror") {
                    _ if yes(table, "mirror-by-digest-only") => "digest-only".to_owned(),
                    only => only,
                };
                (text(m, "location"), yes(m, "insecure"), only)
            });
            let entry = Entry {
                insecure: yes(table, "insecure"),
                blocked: yes(table, "blocked"),
                source: format!("{} line {line}", file.path),
                mirrors: mirrors.filter(|(location, ..)| !location.is_empty()).collect(),
                prefix: prefix.trim_end_matches('/').to_owned(),
                location: location.trim_end_matches('/').to_owned(),
            };
            all.entries.retain(|e| e.prefix != entry.prefix);
            all.entries.push(entry);
        }
    }
    all
}

/// Registries that have mirrors.
pub fn mirrored(files: &[ConfFile]) -> Vec<String> {
    said(files).entries.into_iter().filter(|e| !e.mirrors.is_empty()).map(|e| e.prefix).collect()
}

/// The longest prefix of a name: at a `/`, or `*.example.com` of its host.
fn matching<'a>(entries: &'a [Entry], name: &str) -> Option<&'a Entry> {
    let host = name.split('/').next().unwrap_or_default();
    let fits = |entry: &&Entry| match entry.prefix.strip_prefix('*') {
        Some(end) => host.ends_with(end),
        None => name.strip_prefix(&entry.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    };
    entries.iter().filter(fits).max_by_key(|e| e.prefix.len())
}

/// A short name's own registry, as CRI-O finds it; or why it finds none.
fn full(said: &Said, conf: Option<&ConfFacts>, image: &str) -> Result<Option<String>, (String, String)> {
    let name = image.split('@').next().unwrap_or(image);
    let first = name.split_once('/').map(|(first, _)| first);
    if first.is_some_and(|f| f.contains(['.', ':']) || f == "localhost") {
        return Ok(None);
    }
    let bare = name.rsplit_once(':').map_or(name, |(bare, _)| bare);
    let version = &image[bare.len()..];
    if let Some((_, full)) = said.aliases.iter().rev().find(|(alias, _)| alias == bare) {
        return Ok(Some(format!("{full}{version}")));
    }
    let mode = conf.and_then(|c| settings::whole(c, &["crio", "image", "short_name_mode"]));
    let enforced = mode.is_none_or(|m| m.value != "disabled");
    let (list, source) = (said.search.join(", "), &said.search_source);
    match said.search.as_slice() {
        [] => Err((
            "short-name-unresolved".to_owned(),
            format!(
                "{image} names no registry, and {source} has neither an alias of it nor unqualified-search-registries"
            ),
        )),
        [_, _, ..] if enforced => Err((
            "short-name-ambiguous".to_owned(),
            format!("{image} names no registry, and {source} names several ({list}): CRI-O does not guess"),
        )),
        [only, ..] => Ok(Some(format!("{only}/{image}"))),
    }
}

/// For an image as a pod names it. Returns what the name stands for as well.
pub fn list(root: &Path, conf: Option<&ConfFacts>, image: &str, parsed: Reference) -> (HostList, Reference) {
    let said = said(conf.map(|c| c.registries.as_slice()).unwrap_or_default());
    let mut found = HostList { problems: said.problems.clone(), ..HostList::default() };
    let reference = match full(&said, conf, image) {
        Ok(None) => parsed,
        Ok(Some(full)) => Reference::parse(&full).unwrap_or(parsed),
        Err(forbidden) => {
            found.forbidden = Some(forbidden);
            return (found, parsed);
        }
    };
    let name = format!("{}/{}", reference.registry, reference.repository);
    let entry = matching(&said.entries, &name).cloned().unwrap_or_default();
    if entry.blocked {
        let what = format!("{} is blocked: blocked = true for {}", reference.registry, entry.prefix);
        found.forbidden = Some(("registry-blocked".to_owned(), format!("{what} ({})", entry.source)));
        return (found, reference);
    }
    // CRI-O's own list counts beside.
    let own = conf.and_then(|c| settings::whole(c, &["crio", "image", "insecure_registries"]));
    let own = own.and_then(|s| s.value.as_array().cloned()).unwrap_or_default();
    let insecure = |host: &str| own.iter().any(|v| v == host);
    let rest = match entry.prefix.starts_with('*') {
        true => &name,
        false => name.strip_prefix(&entry.prefix).unwrap_or(&name),
    };
    let mut add = |location: &str, loose: bool, upstream: bool, source: &str| {
        let whole = if location.is_empty() { name.clone() } else { format!("{location}{rest}") };
        let Some((host, repository)) = whole.split_once('/') else { return };
        let loose = loose || insecure(host);
        found.hosts.push(host_of(root, host, repository, loose, upstream, source));
    };
    for (location, loose, only) in &entry.mirrors {
        let skipped = matches!((only.as_str(), reference.digest), ("digest-only", false) | ("tag-only", true));
        if !skipped {
            add(location, *loose, false, &entry.source);
        }
    }
    let source = if entry.source.is_empty() { "the image's name" } else { &entry.source };
    // Of a pattern the location is not a place.
    let location = if entry.prefix.starts_with('*') { "" } else { entry.location.as_str() };
    add(location, entry.insecure, true, source);
    (found, reference)
}

fn host_of(root: &Path, host: &str, repository: &str, loose: bool, upstream: bool, source: &str) -> Host {
    let name = if host == "docker.io" { "registry-1.docker.io" } else { host };
    let roots: Vec<String> = CERTS.iter().map(|d| below(root, d).to_string_lossy().into_owned()).collect();
    let certificates = hosts::load(&roots.join(":"), host).ok().flatten();
    let trust = certificates.and_then(|h| h.all("https", host).into_iter().next_back());
    let here = |path: &Path| {
        let path = path.strip_prefix(root).map_or_else(|_| path.to_owned(), |p| Path::new("/").join(p));
        path.to_string_lossy().into_owned()
    };
    Host {
        url: format!("https://{name}/v2"),
        source: source.to_owned(),
        resolves: true,
        pulls: true,
        skip_verify: loose,
        ca: trust.iter().flat_map(|t| &t.ca).map(|p| here(p)).collect(),
        client: trust.iter().flat_map(|t| &t.client).next().map(|(c, k)| (here(c), here(k.as_ref().unwrap_or(c)))),
        upstream,
        repository: Some(repository.to_owned()),
        ..Host::default()
    }
}

/// The same by plain HTTP, which an insecure one is asked by if it does not speak TLS.
pub fn plain(host: &Host) -> Option<Host> {
    let rest = host.url.strip_prefix("https://").filter(|_| host.skip_verify && host.repository.is_some())?;
    Some(Host { url: format!("http://{rest}"), ..host.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"unqualified-search-registries = ["r.test:5000"]
[[registry]]
prefix = "docker.io/library"
location = "inner.test/hub"
[[registry.mirror]]
location = "m.test/hub"
insecure = true
[[registry.mirror]]
location = "digests.test"
pull-from-mirror = "digest-only"
[[registry]]
location = "bad.test"
blocked = true
[[registry]]
prefix = "*.corp.test"
insecure = true
[aliases]
"fedora" = "registry.fedoraproject.org/fedora"
"#;

    fn of(text: &str, crio: &str, image: &str) -> (HostList, Reference) {
        let conf = ConfFacts {
            files: vec![ConfFile { path: "/crio.conf".into(), text: crio.into() }],
            registries: vec![ConfFile { path: FILE.into(), text: text.into() }],
            ..ConfFacts::default()
        };
        list(Path::new("/no/such/root"), Some(&conf), image, Reference::parse(image).unwrap())
    }

    fn asked(image: &str) -> Vec<String> {
        let hosts = of(TEXT, "", image).0.hosts;
        hosts.iter().map(|h| format!("{} {} {}", h.url, h.repository.clone().unwrap(), h.skip_verify)).collect()
    }

    #[test]
    fn mirrors_come_first_and_names_are_mapped() {
        let expected = ["https://m.test/v2 hub/nginx true", "https://inner.test/v2 hub/nginx false"];
        assert_eq!(asked("docker.io/library/nginx:1"), expected);
        let digest = format!("docker.io/library/nginx@sha256:{}", "a".repeat(64));
        assert_eq!(asked(&digest)[1], "https://digests.test/v2 nginx false");
        assert_eq!(asked("docker.io/grafana/x:1"), ["https://registry-1.docker.io/v2 grafana/x false"]);
        assert_eq!(asked("a.corp.test/x:1"), ["https://a.corp.test/v2 x true"]);
        assert!(of(TEXT, "[crio.image]\ninsecure_registries = [\"q.test\"]\n", "q.test/x").0.hosts[0].skip_verify);
        assert_eq!(mirrored(&[ConfFile { path: FILE.into(), text: TEXT.into() }]), ["docker.io/library"]);
    }

    #[test]
    fn what_is_blocked_or_short_is_told() {
        let cause = |text: &str, crio: &str, image: &str| of(text, crio, image).0.forbidden.map(|(cause, _)| cause);
        assert_eq!(cause(TEXT, "", "bad.test/x:1").as_deref(), Some("registry-blocked"));
        assert_eq!(cause("", "", "busybox").as_deref(), Some("short-name-unresolved"));
        let several = "unqualified-search-registries = [\"a.test\", \"b.test\"]\n";
        assert_eq!(cause(several, "", "busybox").as_deref(), Some("short-name-ambiguous"));
        assert_eq!(cause(several, "[crio.image]\nshort_name_mode = \"disabled\"\n", "busybox"), None);
        assert_eq!(of(TEXT, "", "busybox:2").1.full(), "r.test:5000/busybox:2");
        assert_eq!(of(TEXT, "", "fedora:2").1.full(), "registry.fedoraproject.org/fedora:2");
        assert!(of("[[registry", "", "a.test/x").0.problems[0].contains("is not TOML"));
    }
}
