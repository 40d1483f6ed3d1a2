//! `capture`: everything doctor and the panes read, in one file without secrets; and the way back, `--replay`. The file is
//! gzipped JSON: `zcat node.wharf | jq` reads it.

use std::{
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{backend::Globals, doctor, output::Out};
use crate::{
    bail,
    client::{recording::Recording, redact},
    error::{Error, Kind, Result},
    runbook::{Evidence, Params, RUNBOOKS, examine},
};

const FORMAT: &str = "wharf-capture";
const VERSION: u32 = 1;
/// Bytes a file may have when it is unpacked: it may be from a stranger.
const MOST: u64 = 512 << 20;

/// Flags of `capture`.
#[derive(Debug, Args)]
pub struct Capture {
    /// Where to write it; - for stdout. A file that is there is not written over
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// About a case to examine with it: image=REF, pod=NAME, handler=NAME, …
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = doctor::pair)]
    set: Vec<(String, String)>,
}

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    format: String,
    version: u32,
    /// Of the program that made it.
    wharf: String,
    pub runtime: Recording,
    pub evidence: Evidence,
    /// The machine's figures, as the app's header and Node pane show them.
    #[serde(default)]
    pub host: Value,
}

pub async fn capture(globals: &Globals, out: &mut Out, args: Capture) -> Result<u8> {
    let params: Params = args.set.into_iter().collect();
    let patient = doctor::Patient::find(globals).await?;
    let books: Vec<_> = RUNBOOKS.iter().collect();
    let recorded = async {
        match patient.runtime() {
            Ok(runtime) => Recording::of(runtime.as_ref()).await,
            Err(error) => Recording::unreachable(patient.endpoint(), &error),
        }
    };
    let mut nobody = |_| ();
    let (runtime, (_, evidence)) = futures::join!(recorded, examine(&books, patient.probe(), &params, &mut nobody));
    let wharf = env!("CARGO_PKG_VERSION").to_owned();
    let saved = Saved { format: FORMAT.to_owned(), version: VERSION, wharf, runtime, evidence, host: host() };
    let written = pack(&saved).and_then(|bytes| write(out, &args.file, &bytes));
    patient.close(written.map(|()| 0)).await
}

#[cfg(feature = "tui")]
fn host() -> Value {
    serde_json::to_value(crate::tui::host_now()).unwrap_or_default()
}

#[cfg(not(feature = "tui"))]
fn host() -> Value {
    Value::Null
}

/// Secrets are taken out of all of it here, at the only door it leaves by.
fn pack(saved: &Saved) -> Result<Vec<u8>> {
    let failed = |e| Error::new(Kind::Internal, "write the capture as JSON").with_source(e);
    let mut value = serde_json::to_value(saved).map_err(failed)?;
    redact::value(&mut value);
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut packed, &value).map_err(failed)?;
    packed.finish().map_err(|e| Error::new(Kind::Internal, "compress the capture").with_source(e))
}

/// Only its owner may read it.
fn write(out: &mut Out, path: &Path, bytes: &[u8]) -> Result<()> {
    if path == Path::new("-") {
        return out.bytes(bytes);
    }
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|e| Error::io("create", path, e))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| Error::io("write", path, e))?;
    out.remark(&format!(
        "{}: {} KiB, secrets taken out; wharf --replay {0} opens it",
        path.display(),
        bytes.len().div_ceil(1024)
    ))
}

/// # Errors
/// If it is no capture, is damaged, or was written by a newer wharf.
pub fn open(path: &Path) -> Result<Saved> {
    let what = || format!("open the recording {}", path.display());
    let file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut text = Vec::new();
    GzDecoder::new(file).take(MOST + 1).read_to_end(&mut text).map_err(|e| {
        Error::new(Kind::DataLoss, format!("{}: it is not gzip, or it is damaged", what())).with_source(e)
    })?;
    if text.len() as u64 > MOST {
        bail!(ResourceExhausted, "{}: more than {} MiB unpacked", what(), MOST >> 20);
    }
    let broken = |e| Error::new(Kind::DataLoss, format!("{}: it is no capture of wharf", what())).with_source(e);
    let value: Value = serde_json::from_slice(&text).map_err(broken)?;
    match (value["format"].as_str(), value["version"].as_u64()) {
        (Some(FORMAT), Some(version)) if version <= u64::from(VERSION) => {}
        (Some(FORMAT), version) => bail!(
            FailedPrecondition,
            "{}: its format is {}, made by wharf {}; this one reads up to {VERSION}: use a newer wharf",
            what(),
            version.map_or("unknown".to_owned(), |v| v.to_string()),
            value["wharf"].as_str().unwrap_or("unknown")
        ),
        _ => bail!(InvalidArgument, "{}: it is no capture of wharf", what()),
    }
    serde_json::from_value(value).map_err(broken)
}

#[cfg(feature = "tui")]
pub mod screen {
    //! `screen`: what the app would show of a recording after some keys.

    use std::sync::Arc;

    use super::{Args, Globals, Kind, Out, Path, Result, bail, open};
    use crate::{
        client::recording::Replay,
        error::Error,
        tui::{self, picture, theme::Theme},
    };

    /// Flags of `screen`.
    #[derive(Debug, Args)]
    pub struct Screen {
        /// Keys to press first: characters, and names such as <Enter> <Esc> <C-d>
        #[arg(long, default_value = "", value_name = "KEYS")]
        keys: String,
        /// Columns and rows
        #[arg(long, default_value = "120x36", value_name = "COLUMNSxROWS", value_parser = size)]
        size: (u16, u16),
        /// The screen before the first key too, and after each; only as text
        #[arg(long, conflicts_with = "svg")]
        each: bool,
        /// As a picture (SVG) instead of text
        #[arg(long)]
        svg: bool,
    }

    fn size(text: &str) -> Result<(u16, u16), String> {
        let (columns, rows) = text.split_once('x').ok_or("it must be COLUMNSxROWS")?;
        let number = |t: &str| t.parse::<u16>().ok().filter(|n| (1..=500).contains(n));
        number(columns).zip(number(rows)).ok_or_else(|| "columns and rows are 1 to 500".to_owned())
    }

    pub async fn screen(globals: &Globals, out: &mut Out, args: Screen) -> Result<u8> {
        let Some(path) = &globals.replay else {
            bail!(InvalidArgument, "screen shows a recording: wharf --replay FILE screen");
        };
        let keys = picture::keys(&args.keys)?;
        let (runtime, replay) = opened(path)?;
        let screens = picture::screens(runtime, replay, args.size, Theme::default(), &keys).await?;
        let shown = if args.each { &screens[..] } else { &screens[screens.len().saturating_sub(1)..] };
        for screen in shown {
            let text = if args.svg { picture::svg(screen) } else { picture::text(screen) };
            out.bytes(text.as_bytes())?;
        }
        Ok(0)
    }

    /// A recording for the app.
    pub fn opened(path: &Path) -> Result<(Arc<Replay>, tui::Replay)> {
        let saved = open(path)?;
        let host = serde_json::from_value(saved.host.clone()).or_else(|e| {
            if saved.host.is_null() {
                return Ok(tui::event::Host::default());
            }
            Err(Error::new(Kind::DataLoss, "the figures of the machine are damaged").with_source(e))
        })?;
        let replay = tui::Replay { at: saved.runtime.at, host, evidence: saved.evidence };
        Ok((Arc::new(Replay::new(saved.runtime)), replay))
    }
}
