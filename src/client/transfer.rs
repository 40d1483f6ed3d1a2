//! Image archives in and out of a runtime, by containerd's transfer service: containerd 1.7 and later has it, and so has
//! wharf. CRI has no call for either.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use prost_types::Any;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};
use tonic::Streaming;

use super::{
    Runtime,
    containerd::in_namespace,
    cri::{Cri, QUESTION, within},
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::{
        Packed,
        containerd::{
            services::{
                streaming::v1::{StreamInit, streaming_client::StreamingClient},
                transfer::v1::{TransferOptions, TransferRequest, transfer_client::TransferClient},
            },
            types::{
                Platform,
                transfer::{
                    Data, ImageExportStream, ImageImportStream, ImageReference, ImageStore, Progress, WindowUpdate,
                },
            },
        },
        cri,
    },
};

const NAMESPACE: &str = "k8s.io";
/// Bytes of one message; what containerd itself sends.
const PIECE: usize = 32 << 10;
/// What a runtime may send before it is told to go on.
const WINDOW: i64 = 256 << 10;
/// The end of a tar archive: two blocks of zeros.
const END: usize = 1024;
/// containerd does not say where an export's stream ends. After its answer the rest is on its way already.
const QUIET: Duration = Duration::from_millis(300);
/// Until a runtime has told the names after its answer.
const NAMES: Duration = Duration::from_secs(2);
/// Where containerd would put images without a name. They are taken away again.
const NOWHERE: &str = "wharf.invalid/unnamed";

/// How an archive is imported.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The repository of images that have only a tag, or no name at all.
    pub base: Option<String>,
    /// Keep what is there for other platforms.
    pub all_platforms: bool,
}

/// Which platforms of an image are exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Platforms {
    /// The runtime's own.
    #[default]
    Own,
    One {
        os: String,
        architecture: String,
        variant: String,
    },
    All,
}

impl std::str::FromStr for Platforms {
    type Err = Error;

    /// `OS/ARCHITECTURE[/VARIANT]`
    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let plain = |p: &&str| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] if parts.iter().all(plain) => (os, architecture, ""),
            [os, architecture, variant] if parts.iter().all(plain) => (os, architecture, variant),
            _ => bail!(InvalidArgument, "{text:?} is no platform: write linux/amd64 or linux/arm/v7"),
        };
        Ok(Self::One { os: os.to_owned(), architecture: go_word(architecture).to_owned(), variant: variant.to_owned() })
    }
}

/// Our end of a stream.
struct Ends {
    outgoing: mpsc::Sender<Any>,
    incoming: Streaming<Any>,
}

impl Cri {
    /// Sends it an archive; the names of the images that came of it.
    ///
    /// # Errors
    /// `Unimplemented` by a runtime that cannot, with what to do instead.
    pub async fn import(&self, from: impl AsyncRead + Unpin, how: &Import) -> Result<Vec<String>> {
        self.changes("import images")?;
        let ours = self.info().name == "wharf";
        let (id, ends) = self.open("import").await?;
        let (progress, mut told) = self.open("progress").await?;
        let base = how.base.clone().or_else(|| (!ours).then(|| NOWHERE.to_owned()));
        let extra_references = base.into_iter().map(|name| ImageReference {
            name,
            is_prefix: true,
            allow_overwrite: true,
            ..ImageReference::default()
        });
        let host = Platform {
            os: "linux".to_owned(),
            architecture: go_word(std::env::consts::ARCH).to_owned(),
            ..Platform::default()
        };
        let store = ImageStore {
            extra_references: extra_references.collect(),
            platforms: if how.all_platforms { Vec::new() } else { vec![host] },
            ..ImageStore::default()
        };
        let source = ImageImportStream { stream: id, ..ImageImportStream::default() };
        let request = TransferRequest {
            source: Some(source.pack()),
            destination: Some(store.pack()),
            options: Some(TransferOptions { progress_stream: progress }),
        };
        let mut client = TransferClient::new(self.transport());
        let mut transfer = std::pin::pin!(client.transfer(in_namespace(NAMESPACE, request)?));
        let mut sending = std::pin::pin!(ends.send(from));
        let (mut sent, mut names, mut listening) = (None, Vec::new(), true);
        loop {
            tokio::select! {
                biased;
                done = &mut transfer => break done.map(drop).map_err(|s| Error::from(s).context("import the archive"))?,
                // The ends are kept: dropping them would call the stream off.
                done = &mut sending, if sent.is_none() => sent = Some(done?),
                next = told.incoming.message(), if listening => listening = saved(next.ok().flatten(), &mut names),
            }
        }
        while listening {
            let next = timeout(NAMES, told.incoming.message()).await;
            listening = saved(next.ok().and_then(Result::ok).flatten(), &mut names);
        }
        self.without_nameless(names).await
    }

    /// Takes away what has no name of its own.
    async fn without_nameless(&self, names: Vec<String>) -> Result<Vec<String>> {
        let (nameless, named): (Vec<String>, Vec<String>) = names.into_iter().partition(|n| n.starts_with(NOWHERE));
        for name in nameless {
            let image = Some(cri::ImageSpec { image: name, ..Default::default() });
            let mut images = self.image_service();
            let removed =
                within(QUESTION * 12, "remove an image", images.remove_image(cri::RemoveImageRequest { image }));
            removed.await.map_err(|e| e.context("remove an image of the archive that has no whole name"))?;
        }
        if named.is_empty() {
            bail!(
                InvalidArgument,
                "no image of the archive has a whole name: give the repository it is to have as the base name"
            );
        }
        Ok(named)
    }

    /// Has the images written to `to` as one archive; its size.
    ///
    /// # Errors
    /// What has been written is worth nothing then.
    pub async fn export(
        &self,
        images: &[String],
        platforms: &Platforms,
        to: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64> {
        let mut names = Vec::new();
        for image in images {
            for name in self.names_of(image).await? {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let references = names.into_iter().map(|name| ImageReference { name, ..ImageReference::default() });
        let source = ImageStore { extra_references: references.collect(), ..ImageStore::default() };
        let (stream, mut ends) = self.open("export").await?;
        let mut wanted = ImageExportStream { stream, ..ImageExportStream::default() };
        match platforms.clone() {
            Platforms::Own => {}
            Platforms::All => wanted.all_platforms = true,
            Platforms::One { os, architecture, variant } => {
                wanted.platforms = vec![Platform { os, architecture, variant, ..Platform::default() }];
            }
        }
        let request = TransferRequest { source: Some(source.pack()), destination: Some(wanted.pack()), options: None };
        let mut client = TransferClient::new(self.transport());
        let mut transfer = std::pin::pin!(client.transfer(in_namespace(NAMESPACE, request)?));
        let (mut done, mut window, mut archive) = (false, 0, Archive::default());
        loop {
            if window < WINDOW {
                let _ended = ends.outgoing.send(WindowUpdate { update: WINDOW as i32 }.pack()).await;
                window += WINDOW;
            }
            let quiet = async {
                match done && archive.complete() {
                    true => tokio::time::sleep(QUIET).await,
                    false => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                next = ends.incoming.message() => match next {
                    Ok(Some(any)) => {
                        let Some(piece) = Data::unpack(&any) else { continue };
                        let piece = piece?.data;
                        window -= piece.len() as i64;
                        archive.take(&piece);
                        to.write_all(&piece).await.map_err(|e| Error::io("write", "the archive", e))?;
                    }
                    ended => {
                        // Why it ended is the transfer's to say.
                        if !done {
                            (&mut transfer).await.map_err(exported)?;
                        }
                        ended.map_err(|s| Error::from(s).context("receive the archive"))?;
                        break;
                    }
                },
                answer = &mut transfer, if !done => {
                    answer.map_err(exported)?;
                    done = true;
                }
                () = quiet => break,
            }
        }
        if !archive.complete() {
            bail!(DataLoss, "the archive was cut short after {} bytes: try again", archive.bytes);
        }
        to.flush().await.map_err(|e| Error::io("write", "the archive", e))?;
        Ok(archive.bytes)
    }

    /// The names of an image for an archive: the one it is asked for by, or all it has if that was its id.
    async fn names_of(&self, asked: &str) -> Result<Vec<String>> {
        let image = Some(cri::ImageSpec { image: asked.to_owned(), ..Default::default() });
        let request = cri::ImageStatusRequest { image, verbose: false };
        let what = format!("ask for image {asked}");
        let found = within(QUESTION, &what, self.image_service().image_status(request)).await?.image;
        let Some(found) = found else { bail!(NotFound, "there is no image {asked}: pull or import it first") };
        let (tags, digests) = (found.repo_tags, found.repo_digests);
        let names = pick(asked, tags, digests);
        if names.is_empty() {
            bail!(FailedPrecondition, "image {asked} has no name to export it by");
        }
        Ok(names)
    }

    /// Opens a stream and waits until the runtime knows it.
    async fn open(&self, what: &str) -> Result<(String, Ends)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("wharf-{what}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let (outgoing, queued) = mpsc::channel(4);
        let init = StreamInit { id: id.clone() };
        // The queue is empty: this cannot wait.
        let _queued = outgoing.send(init.pack()).await;
        let messages = futures::stream::unfold(queued, |mut queued| async { queued.recv().await.map(|m| (m, queued)) });
        let mut client = StreamingClient::new(self.transport());
        let call = async {
            let mut incoming = client.stream(in_namespace(NAMESPACE, messages)?).await?.into_inner();
            incoming.message().await?;
            Ok::<_, Error>(incoming)
        };
        let opened = timeout(QUESTION, call).await.unwrap_or_else(|_| {
            Err(Error::new(Kind::DeadlineExceeded, format!("no answer in {} s", QUESTION.as_secs())))
        });
        match opened {
            Ok(incoming) => Ok((id, Ends { outgoing, incoming })),
            Err(error) if error.is(Kind::Unimplemented) => Err(self.cannot(what)),
            Err(error) => Err(error.context(format!("open a stream to {what} images"))),
        }
    }

    /// A runtime without the service, and what does the same on it.
    fn cannot(&self, what: &str) -> Error {
        let info = self.info();
        let next = match (info.name.as_str(), what) {
            ("containerd", "export") => "use: ctr -n k8s.io images export FILE IMAGE",
            ("containerd", _) => "use: ctr -n k8s.io images import FILE",
            ("cri-o", "export") => "use: skopeo copy containers-storage:IMAGE oci-archive:FILE",
            ("cri-o", _) => "use: skopeo copy oci-archive:FILE containers-storage:IMAGE",
            (_, "export") => "export the image elsewhere, with docker save or skopeo copy",
            _ => "push the image to a registry that this node reaches, and pull it",
        };
        let text = format!(
            "{} {} has no transfer service (containerd has it from 1.7 on, and wharf): {next}",
            info.name, info.version
        );
        Error::new(Kind::Unimplemented, text)
    }
}

fn exported(status: tonic::Status) -> Error {
    Error::from(status).context("export the archive")
}

impl Ends {
    /// Sends all there is, as the runtime's window lets it. The ends come back: what has been sent is not read yet.
    async fn send(mut self, mut from: impl AsyncRead + Unpin) -> Result<Self> {
        let (mut window, mut buffer) = (0, vec![0; PIECE]);
        loop {
            while window == 0 {
                let Ok(Some(any)) = self.incoming.message().await else { return Ok(self) };
                if let Some(update) = WindowUpdate::unpack(&any) {
                    window += usize::try_from(update?.update).unwrap_or(0);
                }
            }
            let most = window.min(PIECE);
            let n = from.read(&mut buffer[..most]).await.map_err(|e| Error::io("read", "the archive", e))?;
            if n == 0 {
                // A closed queue ends our side.
                self.outgoing = mpsc::channel(1).0;
                return Ok(self);
            }
            window -= n;
            if self.outgoing.send(Data { data: buffer[..n].to_vec() }.pack()).await.is_err() {
                return Ok(self);
            }
        }
    }
}

/// Whether there may be more to hear; a name that was saved is kept.
fn saved(next: Option<Any>, names: &mut Vec<String>) -> bool {
    let Some(any) = next else { return false };
    if let Some(Ok(progress)) = Progress::unpack(&any)
        && progress.event == "saved"
        && !names.contains(&progress.name)
    {
        names.push(progress.name);
    }
    true
}

/// What has come of an archive.
#[derive(Debug, Default)]
struct Archive {
    bytes: u64,
    zeros: usize,
}

impl Archive {
    fn take(&mut self, piece: &[u8]) {
        self.bytes += piece.len() as u64;
        match piece.iter().rposition(|b| *b != 0) {
            Some(last) => self.zeros = piece.len() - last - 1,
            None => self.zeros += piece.len(),
        }
    }

    /// Whether it may end here.
    fn complete(&self) -> bool {
        self.bytes.is_multiple_of(512) && self.zeros >= END
    }
}

/// A tag or digest that `asked` stands for, or else everything.
fn pick(asked: &str, tags: Vec<String>, digests: Vec<String>) -> Vec<String> {
    let ends = |name: &str| {
        let tagged = format!("{asked}:latest");
        [asked, tagged.as_str()]
            .iter()
            .any(|a| name == *a || name.strip_suffix(a).is_some_and(|rest| rest.ends_with('/')))
    };
    let found = tags.iter().chain(&digests).find(|name| ends(name)).cloned();
    match found {
        Some(name) => vec![name],
        None if tags.is_empty() => digests,
        None => tags,
    }
}

/// What Go, and so every image, calls a machine.
fn go_word(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_written_as_everywhere() {
        let one = |os: &str, architecture: &str, variant: &str| Platforms::One {
            os: os.into(),
            architecture: architecture.into(),
            variant: variant.into(),
        };
        assert_eq!("linux/arm/v7".parse::<Platforms>().unwrap(), one("linux", "arm", "v7"));
        assert_eq!("linux/x86_64".parse::<Platforms>().unwrap(), one("linux", "amd64", ""));
        for bad in ["", "linux", "linux/", "a/b/c/d", "linux/amd 64", "linux/\x1b"] {
            assert!(bad.parse::<Platforms>().unwrap_err().to_string().contains("linux/amd64"), "{bad:?}");
        }
    }

    #[test]
    fn an_image_is_exported_under_the_name_it_is_asked_for_by() {
        let tags = || vec!["docker.io/library/a:latest".to_owned(), "h.example/team/a:1".to_owned()];
        let digests = || vec!["h.example/team/a@sha256:1".to_owned()];
        assert_eq!(pick("a", tags(), digests()), ["docker.io/library/a:latest"]);
        assert_eq!(pick("h.example/team/a:1", tags(), digests()), ["h.example/team/a:1"]);
        assert_eq!(pick("h.example/team/a@sha256:1", tags(), digests()), digests());
        assert_eq!(pick("sha256:abc", tags(), digests()), tags());
        assert_eq!(pick("abc", vec![], digests()), digests());
    }

    #[test]
    fn an_archive_ends_with_two_blocks_of_zeros() {
        let mut archive = Archive::default();
        archive.take(&[1; 512]);
        archive.take(&[0; 512]);
        assert!(!archive.complete());
        archive.take(&[0; 512]);
        assert!(archive.complete());
        archive.take(&[0; 100]);
        assert!(!archive.complete());
        archive.take(&[1, 0]);
        assert_eq!((archive.zeros, archive.bytes), (1, 1638));
    }
}
