//! Records of pods and containers, what is on tmpfs for them, and what nothing refers to.
//!
//! Records are read as JSON here: only `cri` knows their types.

use std::{collections::HashMap, fs};

use serde_json::Value;

use super::Check;
use crate::{
    engine::{metadata::Table, snapshot::SnapshotKind},
    error::{Context, Result},
};

impl Check<'_> {
    pub(super) fn records(&mut self) -> Result<()> {
        let pods = self.table(Table::Sandboxes, "pod")?;
        let containers = self.table(Table::Containers, "container")?;
        self.report.records = pods.len() + containers.len();
        for (id, pod) in &pods {
            if let "Creating" | "Removing" = text(pod, "state") {
                self.pending("I11", format!("pod {id}"), format!("it was {}", text(pod, "state").to_lowercase()));
            }
        }
        for (id, container) in &containers {
            self.container(id, container, &pods)?;
        }
        Ok(())
    }

    fn table(&mut self, table: Table, what: &str) -> Result<HashMap<String, Value>> {
        let mut records = HashMap::new();
        for (id, record) in self.db.list::<Value>(table)? {
            match record {
                Ok(record) if text(&record, "id") == id => drop(records.insert(id, record)),
                Ok(_) => self.damage("I7", format!("{what} {id}"), "its record is that of another one"),
                Err(error) => self.damage("I7", format!("{what} {id}"), format!("{error:#}")),
            }
        }
        Ok(records)
    }

    fn container(&mut self, id: &str, record: &Value, pods: &HashMap<String, Value>) -> Result<()> {
        let object = || format!("container {id}");
        if !pods.contains_key(text(record, "pod")) {
            self.damage("I7", object(), format!("its pod {} is not here", text(record, "pod")));
        }
        let number = |key: &str| record[key].as_i64().unwrap_or(0);
        match text(record, "state") {
            state @ ("Creating" | "Removing") => {
                self.pending("I11", object(), format!("it was {}", state.to_lowercase()));
                return Ok(());
            }
            "Exited" if number("finished_at") == 0 => self.damage("I6", object(), "it has exited, but never ended"),
            "Exited" if number("finished_at") < number("started_at") => {
                self.damage("I6", object(), "it ended before it started");
            }
            "Created" | "Running" | "Unknown" if number("finished_at") != 0 => {
                self.damage("I6", object(), "it has ended, but not exited");
            }
            _ => {}
        }
        match self.db.snapshot(text(record, "snapshotter"), id) {
            Ok(row) if row.info.kind == SnapshotKind::Active => {}
            Ok(_) => self.damage("I7", object(), "its snapshot is not a writable one"),
            Err(error) => self.damage("I7", object(), format!("{error:#}")),
        }
        Ok(())
    }

    /// What is on tmpfs for pods, and what is still mounted in the root.
    pub(super) fn state(&mut self) -> Result<()> {
        let known = self.db.ids(Table::Sandboxes)?;
        for (directory, what) in [("pods", "pod directory"), ("netns", "network namespace")] {
            let directory = self.config.state.join(directory);
            for entry in fs::read_dir(&directory).into_iter().flatten() {
                let name = entry.context(|| format!("list {}", directory.display()))?.file_name();
                if !known.iter().any(|id| name == id.as_str()) {
                    let place = directory.join(&name);
                    self.pending("I5", format!("{what} {}", place.display()), "its pod has no record");
                }
            }
        }
        let scratch = self.config.root.join("scratch");
        let table = fs::read_to_string("/proc/self/mountinfo").context(|| "read /proc/self/mountinfo".to_owned())?;
        for point in table.lines().filter_map(|line| line.split(' ').nth(4)) {
            if std::path::Path::new(point).starts_with(&scratch) {
                self.pending("I5", format!("mount {point}"), "a layer was being unpacked there");
            }
        }
        Ok(())
    }

    /// What the next collection would take.
    pub(super) fn garbage(&mut self) -> Result<()> {
        let garbage = self.db.unreachable(std::time::SystemTime::now())?;
        for digest in garbage.blobs.iter().chain(&garbage.ingests) {
            self.pending("I5", format!("blob {digest}"), "nothing needs it");
        }
        if garbage.snapshots > 0 {
            self.pending("I5", format!("{} snapshots", garbage.snapshots), "nothing needs them");
        }
        Ok(())
    }
}

fn text<'a>(record: &'a Value, key: &str) -> &'a str {
    record[key].as_str().unwrap_or_default()
}
