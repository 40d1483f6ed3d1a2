//! The proxy of whoever logs in: what this process was started with, or what the node's login files set, which sudo may have
//! dropped. It is not the runtime's, and that explains why curl works where a pull does not, or the reverse.

use std::{collections::BTreeMap, path::Path};

use crate::node::{below, net::proxy, read};

/// In the order in which a login reads them.
const FILES: &[&str] = &["/etc/environment", "/etc/profile", "/etc/bash.bashrc", "/root/.bashrc", "/root/.profile"];
const SNIPPETS: &str = "/etc/profile.d";
const NAMES: &[&str] = &["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"];

/// Variables about proxies, and who sets them.
#[derive(Debug, Default)]
pub struct Shell {
    pub of: BTreeMap<String, String>,
    pub source: String,
}

/// `own` is the environment of this process, if it is one of the node.
pub fn find(root: &Path, own: &BTreeMap<String, String>) -> Shell {
    let mut shell = Shell { of: proxies(own.iter().map(|(k, v)| (k.as_str(), v.as_str()))), ..Shell::default() };
    if named(&shell.of) {
        shell.source = "this shell's environment".to_owned();
        return shell;
    }
    let snippets = std::fs::read_dir(below(root, SNIPPETS)).into_iter().flatten().flatten();
    let mut files: Vec<String> = snippets
        .map(|e| format!("{SNIPPETS}/{}", e.file_name().to_string_lossy()))
        .filter(|n| n.ends_with(".sh"))
        .collect();
    files.sort();
    for file in FILES.iter().map(|f| (*f).to_owned()).chain(files) {
        let text = read(&below(root, &file)).unwrap_or_default();
        let said = proxies(text.lines().filter_map(assignment));
        if named(&said) {
            shell.source.clone_from(&file);
        }
        shell.of.extend(said);
    }
    shell
}

fn named(of: &BTreeMap<String, String>) -> bool {
    [true, false].into_iter().any(|tls| proxy::variable(of, tls).is_some())
}

fn proxies<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    pairs.filter(|(name, _)| NAMES.contains(name)).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// `export https_proxy="http://proxy:3128"`; what a shell would have to work out first is left out.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, value) = line.strip_prefix("export ").unwrap_or(line).trim_start().split_once('=')?;
    let value = value.split([' ', ';', '#']).next().unwrap_or_default().trim_matches(['"', '\'']);
    (!value.contains(['$', '`'])).then_some((name.trim(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_has_the_proxy_that_its_files_set() {
        let root = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = below(root.path(), path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let none = BTreeMap::new();
        assert!(find(root.path(), &none).of.is_empty());
        put("/etc/environment", "PATH=/bin\nno_proxy=.corp\n");
        put(
            "/etc/profile.d/proxy.sh",
            "# export http_proxy=http://old:1\nexport https_proxy=\"http://p.corp:3128\" # ours\n",
        );
        let shell = find(root.path(), &none);
        assert_eq!((shell.of["https_proxy"].as_str(), shell.of["no_proxy"].as_str()), ("http://p.corp:3128", ".corp"));
        assert_eq!((shell.source.as_str(), shell.of.len()), ("/etc/profile.d/proxy.sh", 2));
        let own = [("HTTPS_PROXY".to_owned(), "http://q:1".to_owned())].into();
        assert_eq!(find(root.path(), &own).of["HTTPS_PROXY"], "http://q:1");
    }
}
