//! Rules of the repository that no compiler checks: who may import whom, file sizes, headers, the top level.
//! The import table is docs/architecture.md's; this is where it is enforced.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Top-level module -> the modules it may import. `main.rs` and `lib.rs` are outside the table.
const IMPORTS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("proto", &["error"]),
    ("tar", &["error"]),
    ("streams", &["error"]),
    ("config", &["error"]),
    ("node", &["error"]),
    ("engine", &["error", "proto", "tar", "streams", "config", "node"]),
    ("client", &["error", "proto", "tar", "streams", "config", "node", "engine"]),
    ("runbook", &["error", "config", "node", "client"]),
    ("tui", &["error", "config", "node", "client", "runbook"]),
    ("cli", &["error", "proto", "streams", "config", "node", "engine", "client", "runbook", "tui", "demo"]),
    ("demo", &["error", "proto", "config", "node", "engine", "client"]),
];

/// Files that decide and draw: they take time as a value and do no I/O.
const PURE: &[&str] = &[
    "src/tui/update",
    "src/tui/view",
    "src/tui/panes",
    "src/client/action",
    "src/client/prune",
    "src/runbook/checks",
    "src/streams/frame",
];
const IMPURE: &[&str] = &["std::fs", "std::net", "tokio::", "SystemTime::now", "Instant::now", "std::process"];

/// Lists and generated code may be long.
const LONG: &[&str] = &["src/proto/generated/"];
const LINES: usize = 600;

const TOP: &[&str] = &["Cargo.toml", "Cargo.lock", "README.md", "LICENSE", "src", "proto", "assets", "tests", "docs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(under: &str) -> Vec<(String, String)> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(under), &mut found);
    found.sort();
    found
        .into_iter()
        .map(|p| (p.strip_prefix(root()).unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&p).unwrap()))
        .collect()
}

/// The code of a file without its inline test module and without comments.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Top-level modules named after `crate::`, also in `use crate::{a, b::c}` groups.
fn imports(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let code = code(text);
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut word, mut fresh) = (0_usize, String::new(), true);
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => fresh = true,
                    c if depth == 0 && fresh && (c.is_alphanumeric() || c == '_') => word.push(c),
                    c if depth == 0 && !c.is_whitespace() => fresh = false,
                    _ => {}
                }
                if (!fresh || c == ',') && !word.is_empty() {
                    names.insert(std::mem::take(&mut word));
                }
            }
            names.extend((!word.is_empty()).then_some(word));
        } else {
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

fn module_of(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap();
    rest.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn imports_follow_the_table() {
    let table: BTreeMap<_, _> = IMPORTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let module = module_of(&path).to_owned();
        if matches!(module.as_str(), "main" | "lib") {
            continue;
        }
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("{path}: module {module} is not in the table"));
            continue;
        };
        for import in imports(&text) {
            let known = table.contains_key(import.as_str());
            let engine_by_client = module == "client" && import == "engine" && path != "src/client/embedded.rs";
            if known && import != module && (!allowed.contains(&import.as_str()) || engine_by_client) {
                wrong.push(format!("{path} imports {import}"));
            }
        }
        if module == "engine" && !path.starts_with("src/engine/cri") && code(&text).contains("proto::cri") {
            wrong.push(format!("{path}: only engine/cri knows CRI's messages"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_cycle() {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for (module, imports) in IMPORTS {
        let later: Vec<_> = imports.iter().filter(|i| !done.contains(**i) && *module != "cli").collect();
        assert!(later.is_empty(), "{module} imports {later:?}, which stand below it");
        done.insert(module);
    }
}

#[test]
fn deciding_and_drawing_are_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        if PURE.iter().any(|p| path.starts_with(p)) {
            wrong.extend(IMPURE.iter().filter(|w| code(&text).contains(**w)).map(|w| format!("{path} uses {w}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_lives_in_them() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        if LONG.iter().any(|l| path.starts_with(l)) {
            continue;
        }
        let lines = text.lines().count();
        if lines > LINES {
            wrong.push(format!("{path}: {lines} lines, at most {LINES}"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{path}: does not open with //!"));
        }
        if text.lines().any(|l| l.ends_with(' ')) {
            wrong.push(format!("{path}: trailing space"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_top_level_is_the_agreed_one() {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.starts_with('.') && name != "target" && !TOP.contains(&name.as_str()) {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "not in the agreed top level: {wrong:?}");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.lines().count() <= 150, "README.md is a front page of at most 150 lines");
}

/// Crates that are never to come back, with a reason each. Which of the others have advisories is cargo-audit's to say, where its
/// database can be fetched.
const DENIED: &[(&str, &str)] = &[
    ("tar", "extracts through links (CVE-2026-33056): engine::image::unpack reads archives"),
    ("tokio-tar", "abandoned; archives in archives (CVE-2025-62518)"),
    ("astral-tokio-tar", "RUSTSEC-2026-0112, RUSTSEC-2026-0113"),
    ("openssl-sys", "C beside rustls, and a library of the node's"),
    ("openssl", "as openssl-sys"),
    ("serde_yaml", "unmaintained"),
];

#[test]
fn sec_08_no_crate_is_used_that_is_denied_and_all_come_from_the_registry() {
    let lock: toml::Table = fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = package["name"].as_str().unwrap();
        if let Some((_, why)) = DENIED.iter().find(|(denied, _)| *denied == name) {
            panic!("{name} is denied: {why}");
        }
        if name != "wharf" {
            assert!(package.get("checksum").is_some(), "{name} is of no registry: nobody vouches for it");
        }
    }
}
