//! The checker: is what the root holds what its rows say? And the repair of what is not.
//!
//! Offline: it takes the root's lock. The rules it holds, by the names a report gives them:
//!
//! | rule | |
//! |---|---|
//! | I1 | every blob's row has its file, of the same size; deep: with the same digest |
//! | I2 | every file is explained by a row |
//! | I3 | images are complete, layers stand on layers; deep: every layer holds what it held when it was unpacked |
//! | I5 | nothing is left that no image, container or pod needs |
//! | I6 | what has exited ended once, and not before it started |
//! | I7 | records parse, and name things that are there |
//! | I8 | the database is sound |
//! | I11 | nothing is left for the next start to finish |
//!
//! The checks are in `stores` (I1 to I3, I5) and `records` (I5 to I8, I11).

mod records;
mod repair;
mod stores;

use std::path::Path;

use serde::Serialize;

use super::{
    Config,
    content::Digest,
    metadata::Db,
    snapshot::{Driver, SERVED, SnapshotId},
    stores::lock,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

pub use repair::repair;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something is lost or wrong.
    Damage,
    /// Something was interrupted: the next start, or a collection, puts it right.
    Pending,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub rule: &'static str,
    pub level: Level,
    /// "blob sha256:…", "layer 12 (sha256:…)", "file /…", "container …".
    pub object: String,
    pub problem: String,
    /// Ids of images that have to be pulled again for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Ids of containers that stand on it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    #[serde(skip)]
    remedy: Remedy,
}

/// What a repair does about a finding.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Remedy {
    /// Nothing, or what every start does.
    #[default]
    Start,
    Blob(Digest),
    Layer(SnapshotId),
}

impl Finding {
    fn new(rule: &'static str, level: Level, object: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            rule,
            level,
            object: object.into(),
            problem: problem.into(),
            images: Vec::new(),
            containers: Vec::new(),
            remedy: Remedy::Start,
        }
    }
}

/// What was looked at and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub deep: bool,
    pub blobs: usize,
    pub layers: usize,
    /// Of the layers, those with no digest of their tree: unpacked by an older version, or by a driver without files.
    pub unmeasured: usize,
    pub images: usize,
    pub records: usize,
    pub findings: Vec<Finding>,
}

impl Report {
    pub fn damaged(&self) -> bool {
        self.findings.iter().any(|f| f.level == Level::Damage)
    }
}

/// A driver's directory and what its rows are kept under.
struct Shelf {
    space: String,
    driver: Box<dyn Driver>,
}

/// What a check goes through.
struct Check<'a> {
    config: &'a Config,
    db: Db,
    shelves: Vec<Shelf>,
    report: Report,
}

/// Looks, and changes nothing. Deep reads every blob and every file of every layer. Blocking.
///
/// # Errors
/// `NotFound` where there is no root, `FailedPrecondition` while an engine uses it, and what cannot be read at all.
pub fn check(config: &Config, deep: bool) -> Result<Report> {
    let path = config.root.join("meta.db");
    if !path.exists() {
        bail!(NotFound, "{}: no wharf has kept anything here", config.root.display());
    }
    let _lock = lock(&config.root)?;
    let mut report = Report { deep, ..Report::default() };
    let (db, problems) = match Db::examine(&path, deep) {
        Err(error) if error.is(Kind::DataLoss) => return Ok(unreadable(report, &path, &error)),
        other => other?,
    };
    for problem in &problems {
        report.findings.push(Finding::new("I8", Level::Damage, format!("database {}", path.display()), problem));
    }
    if !problems.is_empty() {
        // What it says of everything else is worth nothing.
        return Ok(report);
    }
    let root = config.root.join("snapshots");
    let all = super::snapshot::DRIVERS;
    let mut shelves: Vec<Shelf> = all
        .iter()
        .map(|make| make(&root, config.thin_pool.as_ref()))
        .map(|driver| Shelf { space: driver.name().to_owned(), driver })
        .collect();
    for name in stores::names(&config.root.join("served"))? {
        let root = config.root.join("served").join(&name);
        let drivers = all.iter().map(|make| make(&root, None)).filter(|driver| root.join(driver.name()).is_dir());
        shelves.extend(drivers.map(|driver| Shelf { space: format!("{SERVED}{name}"), driver }));
    }
    let mut check = Check { config, db, shelves, report };
    match check.all() {
        Err(error) if error.is(Kind::DataLoss) => Ok(unreadable(check.report, &path, &error)),
        other => other.map(|()| check.report),
    }
}

fn unreadable(mut report: Report, path: &Path, error: &Error) -> Report {
    let object = format!("database {}", path.display());
    report.findings.push(Finding::new("I8", Level::Damage, object, format!("{error:#}")));
    report
}

impl Check<'_> {
    fn all(&mut self) -> Result<()> {
        self.blobs()?;
        self.files()?;
        self.layers()?;
        self.images()?;
        self.records()?;
        self.state()?;
        self.garbage()
    }

    fn found(&mut self, finding: Finding) {
        self.report.findings.push(finding);
    }

    fn damage(&mut self, rule: &'static str, object: impl Into<String>, problem: impl Into<String>) {
        self.found(Finding::new(rule, Level::Damage, object, problem));
    }

    fn pending(&mut self, rule: &'static str, object: impl Into<String>, problem: impl Into<String>) {
        self.found(Finding::new(rule, Level::Pending, object, problem));
    }
}
