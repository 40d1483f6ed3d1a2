//! runc and crun with holes that are known: by version, and by what their distribution's package says it mends.

use super::practices::numbers;
use crate::{
    node::programs::Program,
    runbook::{Check, Cite, Evidence, Fact, Finding, Missing},
};

/// A hole, and the first release of each line without it. Older lines have it for good.
struct Hole {
    program: &'static str,
    id: &'static str,
    fixed: &'static [(u64, u64, u64)],
    /// The first release that has it.
    since: (u64, u64, u64),
}

const fn hole(program: &'static str, id: &'static str, fixed: &'static [(u64, u64, u64)]) -> Hole {
    Hole { program, id, fixed, since: (0, 0, 0) }
}

/// By their advisories (GHSA of runc and crun).
const HOLES: &[Hole] = &[
    hole("runc", "CVE-2024-21626", &[(1, 1, 12)]),
    hole("runc", "CVE-2025-31133", &[(1, 2, 8), (1, 3, 3), (1, 4, 0)]),
    hole("runc", "CVE-2025-52565", &[(1, 2, 8), (1, 3, 3), (1, 4, 0)]),
    hole("runc", "CVE-2025-52881", &[(1, 2, 8), (1, 3, 3), (1, 4, 0)]),
    hole("runc", "CVE-2026-41579", &[(1, 3, 6), (1, 4, 3), (1, 5, 0)]),
    hole("crun", "CVE-2022-27650", &[(1, 4, 4)]),
    hole("crun", "CVE-2025-24965", &[(1, 20, 0)]),
    Hole { since: (1, 19, 0), ..hole("crun", "CVE-2026-30892", &[(1, 27, 0)]) },
];

pub static HOLES_OF_RUNTIMES: Check = Check {
    id: "practice-holes",
    title: "Are runc and crun free of known holes?",
    needs: &[Fact::Programs],
    command: |_| {
        "runc --version; crun --version; zcat /usr/share/doc/{runc,crun}/changelog.Debian.gz | grep CVE-".to_owned()
    },
    judge: holes,
};

/// The name of a program that there is a table for.
pub fn known(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next()?;
    HOLES.iter().map(|h| h.program).find(|p| *p == name)
}

/// A version has what was mended in its line, or before the first of the lines that are listed ended.
fn has(hole: &Hole, version: (u64, u64, u64)) -> bool {
    if version < hole.since {
        return false;
    }
    let line = (version.0, version.1);
    match hole.fixed.iter().find(|f| (f.0, f.1) == line) {
        Some(first) => version < *first,
        None => hole.fixed.last().is_some_and(|last| line < (last.0, last.1)),
    }
}

fn holes(seen: &Evidence) -> Result<Finding, Missing> {
    let found = &seen.programs()?.found;
    let mut programs: Vec<(&'static str, &Program)> =
        found.values().filter(|p| p.executable).filter_map(|p| Some((known(&p.path)?, p))).collect();
    programs.sort_by(|a, b| a.1.path.cmp(&b.1.path));
    programs.dedup_by(|a, b| a.1.path == b.1.path);
    let (mut cites, mut wrong) = (Vec::new(), Vec::new());
    for (name, program) in &programs {
        let missing =
            || Missing { fact: Fact::Programs, because: format!("{} does not tell its version", program.path) };
        let version = program.version.as_deref().ok_or_else(missing)?;
        let have = numbers(version).ok_or_else(missing)?;
        let mends = program.package.as_ref().map(|p| p.mends.as_slice()).unwrap_or_default();
        // Distributions mend without changing the number, and say so.
        let open = |h: &&Hole| h.program == *name && has(h, have) && !mends.iter().any(|m| m == h.id);
        let left: Vec<&str> = HOLES.iter().filter(open).map(|h| h.id).collect();
        let package = program.package.as_ref().map(|p| format!(", package {}", p.version)).unwrap_or_default();
        cites.push(Cite { text: format!("{name} {version}{package}"), source: program.path.clone() });
        if !left.is_empty() {
            wrong.push(format!("{name} {version} has {}", left.join(", ")));
        }
    }
    Ok(match (programs.is_empty(), wrong.is_empty()) {
        (true, _) => Finding::not_applicable("neither runc nor crun is here"),
        (false, true) => Finding::pass("yes"),
        (false, false) => Finding::warn(wrong.join("; "))
            .advise("upgrade the package, if it has a newer one, or to a release of a line that is mended; running containers stay"),
    }
    .cites(cites))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        node::{
            Seen,
            programs::{Package, ProgramFacts},
        },
        runbook::Verdict,
    };

    fn judged(programs: &[(&str, &str, &[&str])]) -> Finding {
        let program = |(path, version, mends): &(&str, &str, &[&str])| {
            let mends: Vec<String> = mends.iter().map(|m| (*m).to_owned()).collect();
            let package = (!mends.is_empty()).then(|| Package { version: "1-1+deb12u2".into(), mends });
            let program = Program {
                path: (*path).to_owned(),
                executable: true,
                version: Some((*version).to_owned()),
                package,
                problem: None,
            };
            ((*path).to_owned(), program)
        };
        let facts = ProgramFacts { found: programs.iter().map(program).collect(), ..ProgramFacts::default() };
        let programs = Seen::At { value: facts, at: std::time::UNIX_EPOCH, source: "test".into() };
        holes(&Evidence { programs, ..Evidence::default() }).unwrap()
    }

    #[test]
    fn run_05_old_runtimes_are_warned_of_unless_their_package_is_mended() {
        let bookworm = judged(&[("/usr/sbin/runc", "1.1.5+ds1", &["CVE-2024-21626"]), ("/usr/bin/crun", "1.8.1", &[])]);
        let text = format!("{bookworm:?}");
        assert_eq!(bookworm.verdict, Verdict::Warn, "{text}");
        for (id, there) in [("CVE-2025-31133", true), ("CVE-2025-24965", true), ("CVE-2024-21626", false)] {
            assert_eq!(text.contains(id), there, "{id}: {text}");
        }
        let trio: &[&str] = &["CVE-2024-21626", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881", "CVE-2026-41579"];
        for (path, version, mends, verdict) in [
            ("/usr/sbin/runc", "1.1.5+ds1", trio, Verdict::Pass),
            ("/usr/sbin/runc", "1.2.8", &[][..], Verdict::Warn),
            ("/usr/sbin/runc", "1.3.6", &[], Verdict::Pass),
            ("/usr/sbin/runc", "1.4.2", &[], Verdict::Warn),
            ("/usr/sbin/runc", "1.4.3", &[], Verdict::Pass),
            ("/usr/sbin/runc", "1.6.0", &[], Verdict::Pass),
            ("/usr/bin/crun", "1.19.1", &[], Verdict::Warn),
            ("/usr/bin/crun", "1.21", &[], Verdict::Warn),
            ("/usr/bin/crun", "1.27", &[], Verdict::Pass),
            ("/usr/bin/crun", "1.18.2", &["CVE-2025-24965"], Verdict::Pass),
            ("/usr/bin/other", "0.1", &[], Verdict::NotApplicable),
        ] {
            let found = judged(&[(path, version, mends)]);
            assert_eq!(found.verdict, verdict, "{path} {version}: {found:?}");
        }
    }
}
