//! `images`, `inspecti`, `rmi`, `imagefsinfo`, and the pull that `create` and `run` do first.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{
    archive,
    backend::Backend,
    figures::size,
    filter, names,
    output::{Format, Out, Table, short_id, to_value},
    prune,
    pull::{self, Login},
    report, status,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
    proto::cri,
};

const NONE: &str = "<none>";

#[derive(Debug, Subcommand)]
enum Verb {
    #[command(flatten)]
    Archive(archive::Archive),
    #[command(flatten)]
    Names(names::Names),
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Images {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[arg(value_name = "REPOSITORY[:TAG]", default_value = "", hide_default_value = true)]
    reference: String,
    /// Digests too
    #[arg(long)]
    digests: bool,
    /// dangling=true|false, reference=REGEX, before=IMAGE or since=IMAGE
    #[arg(short, long)]
    filter: Vec<String>,
    /// Whole ids
    #[arg(long)]
    no_trunc: bool,
    #[arg(short, long, default_value = "table")]
    output: Format,
    /// Whether the runtime keeps it from being removed
    #[arg(long)]
    pinned: bool,
    /// Only ids
    #[arg(short, long)]
    quiet: bool,
    /// Tags and digests on lines of their own
    #[arg(short, long)]
    verbose: bool,
}

/// All images, in crictl's order.
async fn list(backend: &Backend, reference: &str) -> Result<Vec<cri::Image>> {
    let image = Some(cri::ImageSpec { image: reference.to_owned(), ..Default::default() });
    let request = cri::ListImagesRequest { filter: Some(cri::ImageFilter { image }) };
    let mut images = backend.ask("list images", backend.images().list_images(request)).await?.images;
    images.sort_by(|a, b| {
        let name = |i: &cri::Image| i.repo_tags.first().or(i.repo_digests.first()).cloned();
        (a.repo_tags.is_empty(), name(a), &a.id).cmp(&(b.repo_tags.is_empty(), name(b), &b.id))
    });
    Ok(images)
}

pub async fn images(backend: &Backend, out: &mut Out, args: Images) -> Result<u8> {
    match args.verb {
        Some(Verb::Archive(verb)) => return archive::run(backend, out, verb).await,
        Some(Verb::Names(verb)) => return names::run(backend, out, verb).await,
        None => {}
    }
    let mut images = list(backend, &args.reference).await?;
    for filter in &args.filter {
        images = keep(images, filter)?;
    }
    if args.output != Format::Table {
        out.message(&cri::ListImagesResponse { images }, args.output)?;
        return Ok(0);
    }
    let mut header = vec!["IMAGE", "TAG"];
    header.extend(args.digests.then_some("DIGEST"));
    header.extend(["IMAGE ID", "SIZE"]);
    header.extend(args.pinned.then_some("PINNED"));
    let mut table = Table::new(&header);
    for image in &images {
        if args.quiet {
            out.line(&image.id)?;
        } else if args.verbose {
            describe(out, image)?;
        } else {
            let (name, digest) = digest_of(image);
            let short = |id: &str| if args.no_trunc { id.to_owned() } else { short_id(id).to_owned() };
            for (name, tag) in tags_of(image, &name) {
                let mut row = vec![name, tag];
                row.extend(args.digests.then(|| short(&digest)));
                row.extend([short(&image.id), size(image.size, 3)]);
                row.extend(args.pinned.then(|| image.pinned.to_string()));
                table.row(row);
            }
        }
    }
    if !args.quiet && !args.verbose {
        out.table(&table)?;
    }
    Ok(0)
}

fn describe(out: &mut Out, image: &cri::Image) -> Result<()> {
    out.line(&format!("ID: {}", image.id))?;
    for tag in &image.repo_tags {
        out.line(&format!("RepoTags: {tag}"))?;
    }
    for digest in &image.repo_digests {
        out.line(&format!("RepoDigests: {digest}"))?;
    }
    out.line(&format!("Size: {}", image.size))?;
    if let Some(uid) = &image.uid {
        out.line(&format!("Uid: {}", uid.value))?;
    }
    if !image.username.is_empty() {
        out.line(&format!("Username: {}", image.username))?;
    }
    if image.pinned {
        out.line("Pinned: true")?;
    }
    out.line("")
}

/// The repository and the digest of the first `repository@digest`.
fn digest_of(image: &cri::Image) -> (String, String) {
    let pair = image.repo_digests.first().and_then(|d| d.split_once('@')).unwrap_or((NONE, NONE));
    (pair.0.to_owned(), pair.1.to_owned())
}

/// Repository and tag, once for each tag; an image without one is shown by its digest's repository.
fn tags_of(image: &cri::Image, name: &str) -> Vec<(String, String)> {
    if image.repo_tags.is_empty() {
        return vec![(name.to_owned(), NONE.to_owned())];
    }
    let pair = |tag: &String| match tag.rsplit_once(':') {
        Some((NONE, tag)) => (name.to_owned(), tag.to_owned()),
        Some((repository, tag)) => (repository.to_owned(), tag.to_owned()),
        None => (tag.clone(), NONE.to_owned()),
    };
    image.repo_tags.iter().map(pair).collect()
}

fn keep(mut images: Vec<cri::Image>, filter: &str) -> Result<Vec<cri::Image>> {
    match filter.split_once('=') {
        Some(("dangling", wanted @ ("true" | "false"))) => {
            images.retain(|i| {
                let dangling = i.repo_tags.iter().all(|t| t.rsplit_once(':').is_some_and(|(name, _)| name == NONE));
                dangling == (wanted == "true")
            });
        }
        Some(("reference", pattern)) => {
            let pattern = regex::Regex::new(pattern)
                .map_err(|e| Error::new(Kind::InvalidArgument, format!("--filter {filter:?}")).with_source(e))?;
            images.retain(|i| i.repo_tags.iter().chain(&i.repo_digests).any(|n| pattern.is_match(n)));
        }
        Some((side @ ("before" | "since"), name)) => {
            let is = |i: &cri::Image| {
                i.repo_tags.iter().chain(&i.repo_digests).any(|n| n == name)
                    || i.id.trim_start_matches("sha256:").starts_with(name.trim_start_matches("sha256:"))
            };
            if let Some(at) = images.iter().position(is) {
                let after = images.split_off(at);
                if side == "before" {
                    images = after.into_iter().skip(1).collect();
                }
            }
        }
        _ => bail!(InvalidArgument, "--filter {filter:?}: dangling=, reference=, before= and since= are known"),
    }
    Ok(images)
}

#[derive(Debug, Args)]
pub struct Inspecti {
    #[arg(value_name = "IMAGE-ID", required = true)]
    ids: Vec<String>,
    #[arg(short, long, default_value = "json")]
    output: Format,
    /// Without what the runtime adds to the status
    #[arg(short, long)]
    quiet: bool,
}

pub async fn inspecti(backend: &Backend, out: &mut Out, args: Inspecti) -> Result<u8> {
    let mut shapes = Vec::new();
    for id in &args.ids {
        let answer = filter::image(backend, id, !args.quiet).await?;
        let Some(image) = answer.image else { bail!(NotFound, "there is no image {id}") };
        if args.output != Format::Table {
            shapes.push(status::shape(to_value(&image)?, &answer.info));
            continue;
        }
        out.line(&format!("ID: {}", image.id))?;
        for tag in &image.repo_tags {
            out.line(&format!("Tag: {tag}"))?;
        }
        for digest in &image.repo_digests {
            out.line(&format!("Digest: {digest}"))?;
        }
        out.line(&format!("Size: {}", size(image.size, 3)))?;
    }
    status::write(out, shapes, args.output)?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Rmi {
    #[arg(value_name = "IMAGE-ID", required_unless_present_any = ["all", "prune"])]
    ids: Vec<String>,
    /// All images
    #[arg(short, long, conflicts_with_all = ["ids", "prune"])]
    all: bool,
    /// What no container uses, is not pinned and is not the pods' own image
    #[arg(short = 'q', long, conflicts_with = "ids")]
    prune: bool,
}

pub async fn rmi(backend: &Backend, out: &mut Out, args: Rmi) -> Result<u8> {
    if args.prune {
        return prune::images(backend, out).await;
    }
    let ids = if args.all { list(backend, "").await?.into_iter().map(|i| i.id).collect() } else { args.ids };
    report::each(out, &ids, async |given| {
        let Some(image) = filter::image(backend, given, false).await?.image else {
            bail!(NotFound, "there is no image {given}");
        };
        let spec = Some(cri::ImageSpec { image: given.to_owned(), ..Default::default() });
        let request = cri::RemoveImageRequest { image: spec };
        backend
            .change(Duration::ZERO, &format!("remove image {given}"), backend.images().remove_image(request))
            .await?;
        let names = if image.repo_tags.is_empty() { image.repo_digests } else { image.repo_tags };
        let names = if names.is_empty() { vec![image.id] } else { names };
        Ok(names.iter().map(|n| format!("Deleted: {n}")).collect::<Vec<_>>().join("\n"))
    })
    .await
}

#[derive(Debug, Args)]
pub struct Imagefsinfo {
    #[arg(short, long, default_value = "json")]
    output: Format,
}

pub async fn imagefsinfo(backend: &Backend, out: &mut Out, args: Imagefsinfo) -> Result<u8> {
    let mut images = backend.images();
    let call = images.image_fs_info(cri::ImageFsInfoRequest {});
    let answer = backend.ask("ask for the image filesystems", call).await?;
    if args.output != Format::Table {
        out.value(&serde_json::json!({ "status": to_value(&answer)? }), args.output)?;
        return Ok(0);
    }
    for (what, list) in [("Container", &answer.container_filesystems), ("Image", &answer.image_filesystems)] {
        out.line(&format!("{what} Filesystem"))?;
        for (i, used) in list.iter().enumerate() {
            let number = |v: Option<cri::UInt64Value>| v.map_or(0, |v| v.value);
            out.line(&format!("TimeStamp[{i}]: {}", used.timestamp))?;
            out.line(&format!("Disk[{i}]: {}", size(number(used.used_bytes), 4)))?;
            out.line(&format!("Inodes[{i}]: {}", number(used.inodes_used)))?;
            out.line(&format!("Mountpoint[{i}]: {}", used.fs_id.as_ref().map_or("", |f| &f.mountpoint)))?;
        }
    }
    Ok(0)
}

/// Flags of the verbs that may pull before they make a container.
#[derive(Debug, Clone, Default, Args)]
pub struct PullFlags {
    /// Pull the image first
    #[arg(long, conflicts_with = "no_pull")]
    pub with_pull: bool,
    /// Do not pull the image
    #[arg(long)]
    pub no_pull: bool,
    #[command(flatten)]
    pub login: Login,
    /// How long the pull may take
    #[arg(long, alias = "pt", value_parser = super::figures::parse_span, value_name = "SPAN")]
    pub pull_timeout: Option<Duration>,
}

/// Pulls what a container's configuration names, for its pod.
pub async fn pull_for(
    backend: &Backend,
    container: &cri::ContainerConfig,
    pod: &cri::PodSandboxConfig,
    flags: &PullFlags,
) -> Result<String> {
    let spec = container.image.clone().unwrap_or_default();
    pull::request(backend, spec, flags.login.read()?, Some(pod.clone()), flags.pull_timeout).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: &str, tags: &[&str]) -> cri::Image {
        let repo_tags = tags.iter().map(|&t| t.to_owned()).collect();
        cri::Image {
            id: id.into(),
            repo_tags,
            repo_digests: vec![format!("r.test/{id}@sha256:1")],
            ..Default::default()
        }
    }

    #[test]
    fn filters_are_crictls() {
        let all = || vec![image("a", &["r.test/a:1"]), image("b", &[]), image("c", &["r.test/c:1"])];
        let ids = |filter: &str| keep(all(), filter).unwrap().into_iter().map(|i| i.id).collect::<Vec<_>>();
        assert_eq!(ids("dangling=true"), ["b"]);
        assert_eq!(ids("dangling=false"), ["a", "c"]);
        assert_eq!(ids("reference=/[ab]"), ["a", "b"]);
        assert_eq!(ids("before=r.test/a:1"), ["b", "c"]);
        assert_eq!(ids("since=r.test/c:1"), ["a", "b"]);
        assert!(
            keep(all(), "size=1").is_err() && keep(all(), "reference=[").is_err() && keep(all(), "dangling=x").is_err()
        );
    }

    #[test]
    fn names_without_tags() {
        let plain = image("a", &[]);
        let (name, digest) = digest_of(&plain);
        assert_eq!((name.as_str(), digest.as_str()), ("r.test/a", "sha256:1"));
        assert_eq!(tags_of(&plain, &name), [("r.test/a".to_owned(), NONE.to_owned())]);
        let tagged = image("a", &["localhost:5000/x:1", "<none>:<none>"]);
        let pairs = tags_of(&tagged, &name);
        assert_eq!(pairs[0], ("localhost:5000/x".to_owned(), "1".to_owned()));
        assert_eq!(pairs[1], ("r.test/a".to_owned(), NONE.to_owned()));
    }
}
