//! What was asked of CNI for which pod, written before the first plugin runs and removed after the last one undid it.
//!
//! So a pod is detached by the configuration that attached it, also after a crash, and also when that has changed.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cni, conf::List};
use crate::{
    engine::network::PodNetwork,
    error::{Context, Error, Kind, Result},
};

#[derive(Serialize, Deserialize)]
struct Record {
    list: List,
    netns: PathBuf,
    pod: PodNetwork,
}

impl Cni {
    fn directory(&self) -> PathBuf {
        self.config.state.join(super::NAME)
    }

    /// Ids were validated: none has a `/`, or a dot in front.
    fn path(&self, id: &str) -> PathBuf {
        self.directory().join(format!("{id}.json"))
    }

    pub(in crate::engine::network) fn has_record(&self, id: &str) -> bool {
        self.path(id).exists()
    }

    /// Ids of all pods that have one.
    pub(in crate::engine::network) fn recorded(&self) -> Result<Vec<String>> {
        let directory = self.directory();
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("list", &directory, error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(|e| Error::io("list", &directory, e))?.file_name();
            ids.extend(
                name.to_str().and_then(|n| n.strip_suffix(".json")).filter(|n| !n.starts_with('.')).map(str::to_owned),
            );
        }
        Ok(ids)
    }

    /// Durable when it returns. It may hold a plugin's secrets, so it is root's only.
    pub(super) fn record(&self, list: &List, netns: &Path, pod: &PodNetwork) -> Result<()> {
        let record = Record { list: list.clone(), netns: netns.to_owned(), pod: pod.clone() };
        let text = serde_json::to_vec(&record)
            .map_err(|e| Error::new(Kind::Internal, "encode a CNI record").with_source(e))?;
        let (directory, path) = (self.directory(), self.path(&pod.id));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)
            .map_err(|e| Error::io("create directory", &directory, e))?;
        let draft = directory.join(format!(".{}.draft", pod.id));
        let written =
            File::options().create(true).truncate(true).write(true).mode(0o600).open(&draft).and_then(|mut file| {
                file.write_all(&text)?;
                file.sync_all()
            });
        written.map_err(|e| Error::io("write", &draft, e))?;
        fs::rename(&draft, &path).map_err(|e| Error::io("rename to", &path, e))?;
        sync(&directory)
    }

    pub(super) fn forget(&self, id: &str) -> Result<()> {
        match fs::remove_file(self.path(id)) {
            Ok(()) => sync(&self.directory()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io("remove", self.path(id), error)),
        }
    }

    fn read(&self, id: &str) -> Result<Option<Record>> {
        let path = self.path(id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        let record: Record = serde_json::from_slice(&text)
            .map_err(|e| Error::new(Kind::DataLoss, format!("read CNI record {}", path.display())).with_source(e))?;
        super::validate(&record.pod)?;
        Ok(Some(record))
    }

    pub(in crate::engine::network) fn recorded_list(&self, id: &str) -> Result<Option<std::sync::Arc<List>>> {
        Ok(self.read(id)?.map(|record| record.list.into()))
    }

    /// The networks that pods are attached to, by name, and the pods' ids. A record that cannot be read is an error: its pod
    /// would be taken for gone.
    pub(in crate::engine::network) fn attached(&self) -> Result<BTreeMap<String, (List, Vec<String>)>> {
        let mut networks = BTreeMap::new();
        for id in self.recorded()? {
            if let Some(Record { list, .. }) = self.read(&id)? {
                networks.entry(list.name.clone()).or_insert_with(|| (list, Vec::new())).1.push(id);
            }
        }
        Ok(networks)
    }

    /// DEL by what was recorded; fine if nothing is. `at`: where the namespace is, empty if only the record knows.
    pub(in crate::engine::network) async fn detach_recorded(
        &self,
        id: &str,
        at: &Path,
        result: Option<&Value>,
    ) -> Result<()> {
        let Some(Record { list, netns, pod }) = self.read(id)? else { return Ok(()) };
        let netns = if at.as_os_str().is_empty() { &*netns } else { at };
        self.detach(&list, netns, &pod, result).await.context(|| format!("detach from CNI network {}", list.name))
    }
}

fn sync(directory: &Path) -> Result<()> {
    File::open(directory).and_then(|d| d.sync_all()).map_err(|e| Error::io("sync directory", directory, e))
}
