//! The demo's images: this program with the libraries it is running with, under several names.

use std::{collections::BTreeMap, collections::BTreeSet, fs, path::PathBuf};

use crate::{
    engine::image::{
        build::{Content, Entry, Layer, Recipe},
        pull::Puller,
    },
    error::{Error, Kind, Result},
};

pub const HOST: &str = "demo.wharf.local";
/// Bytes of the image that nobody uses.
const UNUSED: usize = 96 << 20;

pub fn reference(name: &str) -> String {
    format!("{HOST}/{name}")
}

/// Makes images that share their lowest layer.
#[derive(Debug)]
pub struct Maker<'a> {
    puller: &'a Puller,
    base: Layer,
}

impl<'a> Maker<'a> {
    pub async fn new(puller: &'a Puller) -> Result<Self> {
        Ok(Self { puller, base: made(|| Layer::new(&base()?)).await? })
    }

    /// An image that runs one role of the demo's program.
    pub async fn app(&self, name: &str, role: &str) -> Result<()> {
        let recipe = Recipe {
            layers: vec![self.base.clone(), Layer::new(&[note(name)])?],
            entrypoint: vec!["/bin/wharf".into(), "demo-app".into(), role.into()],
            env: BTreeMap::from([("PATH".into(), "/bin".into()), ("DB_PASSWORD".into(), "not-a-real-one".into())]),
            labels: BTreeMap::from([("org.opencontainers.image.title".into(), name.into())]),
        };
        self.puller.put(recipe.build(&reference(name))?).await.map(drop)
    }

    /// A large one that nothing runs: something to prune.
    pub async fn unused(&self, name: &str) -> Result<()> {
        let layer = made(|| {
            let entry = Entry { path: "/data/model.bin".into(), mode: 0o644, content: Content::Bytes(noise(UNUSED)) };
            Layer::new(&[entry])
        });
        let recipe = Recipe { layers: vec![layer.await?], ..Recipe::default() };
        self.puller.put(recipe.build(&reference(name))?).await.map(drop)
    }
}

async fn made(work: impl FnOnce() -> Result<Layer> + Send + 'static) -> Result<Layer> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| Err(Error::new(Kind::Internal, "making a layer died").with_source(e)))
}

/// Not compressible, like the models and dumps that fill real disks.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut data = Vec::with_capacity(length);
    while data.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data.extend_from_slice(&state.to_le_bytes());
    }
    data
}

fn note(name: &str) -> Entry {
    let text = format!("{name}, made by wharf for its demo\n");
    Entry { path: "/etc/image".into(), mode: 0o644, content: Content::Bytes(text.into_bytes()) }
}

/// The program at /bin/wharf and, by another name, the shell; its loader and libraries where it finds them.
fn base() -> Result<Vec<Entry>> {
    let executable = |path: &str, content| Entry { path: path.to_owned(), mode: 0o755, content };
    let mut entries = vec![
        executable("/bin/wharf", Content::File(PathBuf::from("/proc/self/exe"))),
        executable("/bin/sh", Content::Link("wharf".into())),
        Entry {
            path: "/etc/passwd".into(),
            mode: 0o644,
            content: Content::Bytes(b"root:x:0:0:root:/root:/bin/sh\n".to_vec()),
        },
        Entry { path: "/tmp".into(), mode: 0o1777, content: Content::Directory },
    ];
    let path = "/proc/self/maps";
    let maps = fs::read_to_string(path).map_err(|e| Error::io("read", path, e))?;
    let mapped: BTreeSet<&str> = maps
        .lines()
        .filter_map(|l| l.split_whitespace().nth(5))
        .filter(|p| p.starts_with('/') && p.contains(".so"))
        .collect();
    for library in mapped {
        entries.push(executable(library, Content::File(library.into())));
        let name = library.rsplit('/').next().unwrap_or_default();
        // The kernel looks for the loader at the path the linker wrote, which usually is a link.
        if name.starts_with("ld-") {
            for directory in ["/lib64", "/lib"] {
                let usual = format!("{directory}/{name}");
                if usual != library && fs::exists(&usual).unwrap_or(false) {
                    entries.push(executable(&usual, Content::File(library.into())));
                }
            }
        }
    }
    Ok(entries)
}
