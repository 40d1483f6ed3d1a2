//! Why an image does not come: the name, the way to the registry, its certificate, the credentials, the limit, the tag. Each
//! stage is judged by itself; one that was not reached is not applicable.

use super::bytes;
use crate::{
    error::Kind,
    node::net::{Exchange, Fault, Stage},
    runbook::{
        Check, Cite, Evidence, Fact, Finding, Fix, ImageFacts, Missing, Reference,
        registry::{Outcome, Trial},
        settings,
    },
};

pub static REQUEST: Check = Check {
    id: "pull-request",
    title: "Which image fails?",
    needs: &[Fact::Image],
    command: |_| {
        "kubectl describe pod POD | grep -A10 Events; journalctl -u kubelet | grep 'Failed to pull image'".to_owned()
    },
    judge: request,
};

pub static NAME: Check = Check {
    id: "pull-name",
    title: "Is the name well formed?",
    needs: &[Fact::Image],
    command: |seen| format!("{} pull {}", seen.crictl(), image(seen)),
    judge: name,
};

pub static HOSTS: Check = Check {
    id: "pull-hosts",
    title: "Which hosts would the runtime ask, and is every mirror used?",
    needs: &[Fact::Image, Fact::Conf, Fact::Status, Fact::Units, Fact::Processes],
    command: |seen| {
        format!("grep -nE 'config_path|mirrors|endpoint' {}; ls /etc/containerd/certs.d", seen.config_path())
    },
    judge: hosts,
};

pub static CONNECT: Check = Check {
    id: "pull-connect",
    title: "Can it be reached?",
    needs: &[Fact::Image],
    command: |seen| format!("curl -v {}/", url(seen)),
    judge: connect,
};

pub static LIMIT: Check = Check {
    id: "pull-limit",
    title: "Does the registry limit this node's pulls?",
    needs: &[Fact::Image],
    command: |seen| format!("curl -sI {} | grep -iE 'HTTP|ratelimit|retry-after'", url(seen)),
    judge: limit,
};

pub static AUTH: Check = Check {
    id: "pull-auth",
    title: "Are the credentials accepted?",
    needs: &[Fact::Image],
    command: |_| {
        "kubectl get secret regcred -o jsonpath='{.data.\\.dockerconfigjson}' | base64 -d | jq '.auths | keys'"
            .to_owned()
    },
    judge: auth,
};

pub static MANIFEST: Check = Check {
    id: "pull-manifest",
    title: "Does the image exist?",
    needs: &[Fact::Image],
    command: |seen| match reference(seen) {
        Some(r) => format!("curl -s {}/{}/tags/list", url(seen), r.repository),
        None => "crictl pull IMAGE".to_owned(),
    },
    judge: manifest,
};

pub static PLATFORM: Check = Check {
    id: "pull-platform",
    title: "Is it built for this machine?",
    needs: &[Fact::Image],
    command: |seen| format!("crane manifest {} | jq -r '.manifests[].platform'", image(seen)),
    judge: platform,
};

pub static ROOM: Check = Check {
    id: "pull-room",
    title: "Is there room to unpack it?",
    needs: &[Fact::Image, Fact::Disk, Fact::Inventory],
    command: |seen| format!("df -h {}", seen.target.value().map_or("/var/lib/containerd", |t| t.root.as_str())),
    judge: room,
};

fn image(seen: &Evidence) -> String {
    seen.image.value().and_then(|i| i.asked.clone()).unwrap_or("IMAGE".into())
}

pub(super) fn reference(seen: &Evidence) -> Option<&Reference> {
    seen.image.value()?.reference.as_ref()
}

pub(super) fn url(seen: &Evidence) -> String {
    deciding(seen).map_or("https://REGISTRY/v2".into(), |t| t.host.url.clone())
}

pub(super) fn host(seen: &Evidence) -> String {
    deciding(seen).and_then(|t| t.exchanges.first()).map_or("REGISTRY".into(), |e| e.host.clone())
}

pub(super) fn address(seen: &Evidence) -> String {
    deciding(seen).and_then(|t| t.exchanges.first()).map_or("REGISTRY:443".into(), |e| format!("{}:{}", e.host, e.port))
}

fn deciding(seen: &Evidence) -> Option<&Trial> {
    seen.image.value().and_then(trial)
}

/// The host whose answer is the pull's: the one that has the image, with its layers if any has; or else the last that was asked, after
/// which there is nobody left. containerd reports the first that failed; with that mended alone, the pull may fail all the same.
fn trial(image: &ImageFacts) -> Option<&Trial> {
    let tried = || image.trials.iter().filter(|t| t.outcome != Outcome::NotTried);
    tried()
        .find(|t| t.whole())
        .or_else(|| tried().find(|t| t.outcome == Outcome::Found))
        .or_else(|| tried().next_back())
}

/// Why a host does not give it, in some words.
fn refusal(trial: &Trial) -> String {
    let status = trial.last().and_then(|e| e.status).map(|s| format!(" ({s})")).unwrap_or_default();
    match (fault(trial), trial.outcome) {
        (Some((exchange, fault)), _) if fault.stage == Stage::Connect => unreached(exchange, fault).1,
        (Some((_, fault)), _) => fault.error.clone(),
        (None, Outcome::Unauthorized) => format!("it asks for credentials that it accepts{status}"),
        (None, Outcome::Denied) => format!("it does not allow it{status}"),
        (None, Outcome::RateLimited) => format!("it allows no more pulls now{status}"),
        (None, Outcome::NoTag | Outcome::NoRepository) => format!("it does not have it{status}"),
        (None, Outcome::Foreign | Outcome::Schema1) => format!("it answers with what is no manifest of today{status}"),
        (None, Outcome::Found) => "it has the manifest, and not the layers".to_owned(),
        (None, _) => format!("it answers with an error{status}"),
    }
}

/// What was asked about, or why this check has nothing to say.
pub(super) fn case(seen: &Evidence) -> Result<Result<(&ImageFacts, &Trial), Finding>, Missing> {
    let image = seen.image()?;
    if image.asked.is_none() {
        log_was_read(image)?;
        return Ok(Err(Finding::not_applicable("no pull failed lately, and nobody names an image")));
    }
    if image.invalid.is_some() {
        return Ok(Err(Finding::not_applicable("the name is not well formed")));
    }
    Ok(match trial(image) {
        Some(trial) => Ok((image, trial)),
        None => Err(Finding::not_applicable("no host was asked")),
    })
}

macro_rules! asked {
    ($seen:expr) => {
        match $crate::runbook::checks::image::case($seen)? {
            Ok(case) => case,
            Err(finding) => return Ok(finding),
        }
    };
}
pub(super) use asked;

fn request(seen: &Evidence) -> Result<Finding, Missing> {
    let image = seen.image()?;
    if let (None, Some(pod)) = (&image.asked, &image.pod) {
        let api = pod.unknown.as_deref().unwrap_or("it has no container");
        let because = format!("neither the API server nor the node tells an image of {}: {api}", pod.name);
        return Err(Missing { fact: Fact::Image, because });
    }
    Ok(match &image.asked {
        Some(name) => Finding::pass(name.clone()).cite(name.clone(), image.because.clone()),
        None => {
            log_was_read(image)?;
            Finding::not_applicable("no pull failed lately in the logs; name one with --set image=REF")
        }
    })
}

/// That no pull failed lately is known from a log that was read.
fn log_was_read(image: &ImageFacts) -> Result<(), Missing> {
    match &image.unread {
        None => Ok(()),
        Some(why) => {
            let because = format!(
                "whether a pull failed lately is not known, the log could not be read: {why}; name one with --set image=REF"
            );
            Err(Missing { fact: Fact::Image, because })
        }
    }
}

fn name(seen: &Evidence) -> Result<Finding, Missing> {
    let image = seen.image()?;
    let Some(asked) = &image.asked else { return Ok(Finding::not_applicable("no image is asked about")) };
    Ok(match (&image.invalid, &image.reference) {
        (Some(why), _) => Finding::cause("name-invalid", format!("{asked} cannot be an image's name: {why}")),
        (None, Some(r)) => Finding::pass(format!("{} of {} at {}", r.version, r.repository, r.registry)),
        (None, None) => Finding::pass(asked.clone()),
    })
}

fn hosts(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some((cause, what)) = seen.image.value().and_then(|i| i.list.forbidden.as_ref()) {
        return Ok(Finding::cause(cause, what.clone())
            .advise("correct it there; CRI-O reads it again on SIGHUP (systemctl reload crio)"));
    }
    let (image, decided) = asked!(seen);
    let list = &image.list;
    // What is wrong here explains a pull that failed on the way, and not that an image is not there.
    let explains =
        matches!(decided.outcome, Outcome::Unreachable | Outcome::RateLimited | Outcome::Refused | Outcome::Foreign);
    let weighed = |cause: &str, what: String| match decided.outcome {
        Outcome::Found => Finding::warn(what),
        _ if explains => Finding::cause(cause, what),
        _ => Finding::fail(what),
    };
    let cites: Vec<Cite> = list
        .hosts
        .iter()
        .map(|h| Cite {
            text: format!("{}{}", h.url, if h.upstream { "" } else { " (mirror)" }),
            source: h.source.clone(),
        })
        .collect();
    let problem = list.problems.first();
    Ok(if let Some(problem) = problem.filter(|p| p.contains("refuses to load")) {
        Finding::cause("mirrors-conflict", problem.clone())
            .advise("move the mirrors into certs.d/HOST/hosts.toml and remove registry.mirrors and registry.configs")
    } else if let Some(problem) = problem {
        let cause = if problem.contains("is not used") { "mirror-unused" } else { "hosts-file-broken" };
        weighed(cause, problem.clone()).advise("correct it; hosts.toml is read at every pull, without a restart")
    } else if let Some(unused) = list.unused.first() {
        let what = format!("{unused} is there and never used: registry.config_path is empty");
        weighed("mirror-unused", what)
            .fix(use_certs(seen))
            .advise("set config_path = \"/etc/containerd/certs.d\" in the registry table and restart the runtime")
    } else if let Some(broken) = before(image, decided).next() {
        let then = match decided.whole() {
            true => format!("{} is asked instead, and has it", decided.host.url),
            false => format!("nor does {}, which is asked after it and decides", decided.host.url),
        };
        let what = format!("the mirror {} does not give it: {}; {then}", broken.host.url, refusal(broken));
        let told = before(image, decided).filter_map(|t| fault(t).map(|(e, _)| e).or(t.last())).map(cite);
        // One without the image is no fault of anybody's.
        let absent = before(image, decided).all(|t| matches!(t.outcome, Outcome::NoTag | Outcome::NoRepository));
        match decided.whole() || absent {
            true => Finding::warn(what).cites(told),
            false => Finding::fail(what).cites(told),
        }
    } else {
        Finding::pass(list.hosts.iter().map(|h| h.url.as_str()).collect::<Vec<_>>().join(", then "))
    }
    .cites(cites))
}

/// Hosts that were asked for nothing before the one that decides.
fn before<'a>(image: &'a ImageFacts, decided: &'a Trial) -> impl Iterator<Item = &'a Trial> {
    image.trials.iter().take_while(move |t| !std::ptr::eq(*t, decided)).filter(|t| t.outcome != Outcome::NotTried)
}

/// registry.config_path, in the file where the registry's settings stand.
fn use_certs(seen: &Evidence) -> Option<Fix> {
    use crate::runbook::checks::cgroup;
    let (conf, status) = (seen.conf.value()?, seen.status.value()?);
    let value = "/etc/containerd/certs.d".into();
    let path = ["registry", "config_path"];
    let set = settings::set(conf, seen.config_path(), &status.info.version, settings::Area::Images, &path, value);
    let (file, old, new) = set.ok()?;
    cgroup::edit_and_restart(seen, "let the runtime read certs.d".to_owned(), cgroup::checked(seen, file, old, new))
}

fn fault(trial: &Trial) -> Option<(&Exchange, &Fault)> {
    trial.exchanges.iter().find_map(|e| Some((e, e.fault.as_ref()?)))
}

pub(super) fn cite(exchange: &Exchange) -> Cite {
    let text = match (&exchange.fault, exchange.status) {
        (Some(fault), _) => fault.error.clone(),
        (None, Some(status)) => {
            format!("{status}{}{}", if exchange.body.is_empty() { "" } else { ": " }, one_line(&exchange.body))
        }
        (None, None) => "no answer".to_owned(),
    };
    Cite { text, source: exchange.request.clone() }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

/// Whether a stage was passed, failed (with its exchange) or not reached.
pub(super) enum Reached<'a> {
    Passed,
    Failed(&'a Exchange, &'a Fault),
    Not,
}

pub(super) fn reached(trial: &Trial, stage: Stage) -> Reached<'_> {
    let order = [Stage::Name, Stage::Connect, Stage::Proxy, Stage::Tls, Stage::Client, Stage::Answer];
    let rank = |s: Stage| order.iter().position(|o| *o == s);
    match fault(trial) {
        None => Reached::Passed,
        Some((exchange, fault)) if fault.stage == stage => Reached::Failed(exchange, fault),
        // Through a proxy, the name and the connection are its business.
        Some((_, fault)) if rank(fault.stage) > rank(stage) && fault.stage != Stage::Proxy => Reached::Passed,
        Some(_) => Reached::Not,
    }
}

/// The way out is a proxy, which is another check's.
pub(super) fn behind_proxy() -> Finding {
    Finding::not_applicable("not without a proxy, and through one that is known here it answers")
}

pub(super) fn not_reached() -> Finding {
    Finding::not_applicable("not reached: an earlier stage failed")
}

/// Why a connection failed: a word for the cause, a sentence, what to do.
pub(super) fn unreached(exchange: &Exchange, fault: &Fault) -> (&'static str, String, &'static str) {
    let to = match &exchange.proxy {
        Some(proxy) => proxy.clone(),
        None => format!("{}:{}", exchange.host, exchange.port),
    };
    match fault.kind {
        Kind::DeadlineExceeded => (
            "blackholed",
            format!("{to} does not answer at all: packets are dropped on the way"),
            "a firewall or security group drops them, or the route is wrong: ip route get ADDRESS, nft list ruleset, tcpdump",
        ),
        _ if fault.error.contains("refused") => (
            "refused",
            format!("{to} refuses the connection: nothing listens on that port"),
            "the server is down, or its port is wrong; a firewall may refuse in its name: nft list ruleset",
        ),
        // EHOSTUNREACH: there is a route, and ICMP (or the neighbour's silence) says that it leads nowhere.
        _ if fault.error.contains("No route to host") => (
            "host-unreachable",
            format!("{to} is said to be unreachable: a firewall rejects the connection, or the host is down"),
            "nft list ruleset, here and on the way (firewalls reject with icmp-admin-prohibited); ip neigh",
        ),
        _ if fault.error.contains("unreachable") => (
            "no-route",
            format!("there is no way to {to} from this node"),
            "ip route get ADDRESS; is the address of IPv6 without a route?",
        ),
        Kind::PermissionDenied => (
            "blocked",
            format!("a rule of this node forbids the connection to {to}"),
            "nft list ruleset; iptables -S OUTPUT",
        ),
        _ => ("unreachable", format!("{to} cannot be reached"), "curl -v it from this node"),
    }
}

fn connect(seen: &Evidence) -> Result<Finding, Missing> {
    let (_, trial) = asked!(seen);
    Ok(match reached(trial, Stage::Connect) {
        Reached::Failed(..) if trial.lacks_proxy() => behind_proxy(),
        Reached::Failed(exchange, fault) => {
            let (cause, what, advice) = unreached(exchange, fault);
            Finding::cause(&format!("registry-{cause}"), what).cites([cite(exchange)]).advise(advice)
        }
        Reached::Passed => match trial.exchanges.first().and_then(|e| e.peer.clone()) {
            Some(peer) => Finding::pass(format!("yes, {peer}")),
            None => Finding::pass("yes"),
        },
        Reached::Not => not_reached(),
    })
}

pub(super) fn answered(trial: &Trial) -> bool {
    fault(trial).is_none()
}

fn limit(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = asked!(seen);
    if !answered(trial) {
        return Ok(not_reached());
    }
    let header = |name: &str| trial.exchanges.iter().rev().find_map(|e| e.headers.get(name).cloned());
    let figures: Vec<Cite> =
        ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after", "docker-ratelimit-source"]
            .into_iter()
            .filter_map(|n| Some(Cite { text: format!("{n}: {}", header(n)?), source: trial.host.url.clone() }))
            .collect();
    let remaining: Option<u64> = header("ratelimit-remaining").and_then(|r| r.split(';').next()?.trim().parse().ok());
    let hub = image.reference.as_ref().is_some_and(|r| r.registry == "docker.io");
    Ok(if trial.outcome == Outcome::RateLimited {
        let wait = header("retry-after").or(header("ratelimit-reset")).map(|s| format!("; again in {s} s")).unwrap_or_default();
        let finding = Finding::cause("rate-limited", format!("toomanyrequests: {} allows no more pulls now{wait}", trial.host.url));
        let finding = if trial.credentials.is_empty() { finding.advise("authenticate: the limit of an account is higher than that of an address many nodes share") } else { finding };
        finding
            .advise(if hub { "let a mirror answer for docker.io: certs.d/docker.io/hosts.toml with [host.\"https://mirror.gcr.io\"] or your own" } else { "let a pull-through mirror answer for it (hosts.toml)" })
            .cites(trial.last().map(cite))
    } else if remaining.is_some_and(|r| r <= 10) {
        Finding::warn(format!("{} pulls are left", remaining.unwrap_or(0)))
    } else {
        Finding::pass("no")
    }
    .cites(figures))
}

fn auth(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = asked!(seen);
    if !answered(trial) {
        return Ok(not_reached());
    }
    let registry = image.reference.as_ref().map(|r| r.registry.clone()).unwrap_or_default();
    let tried = if trial.credentials.is_empty() {
        "none were sent".to_owned()
    } else {
        format!("tried: {}", trial.credentials.join("; "))
    };
    let notes = trial.notes.iter().map(|n| Cite { text: n.clone(), source: "the node's credentials".to_owned() });
    let last = trial.exchanges.iter().rev().find(|e| matches!(e.status, Some(401 | 403))).map(cite);
    let token = trial.realm.last();
    if token.is_some_and(|e| e.status != Some(200) || e.fault.is_some()) {
        return Ok(Finding::not_applicable("there is no token to show the registry"));
    }
    Ok(match (trial.outcome, token) {
        (Outcome::Unauthorized, _) if trial.credentials.is_empty() => {
            Finding::cause("credentials-missing", format!("{registry} asks for credentials (401) and this node has none for it"))
                .advise("give the pod an imagePullSecret of type kubernetes.io/dockerconfigjson, made for this registry")
        }
        (Outcome::Unauthorized, Some(token)) => {
            Finding::cause("access-denied", format!("{} gives a token for these credentials, and {registry} does not let it pull {} (401)", token.host, image.reference.as_ref().map(|r| r.repository.as_str()).unwrap_or_default()))
                .cites([cite(token)])
                .advise("the user lacks the right to pull this repository, or it does not exist; a registry whose clock or key is not its token server's refuses every token")
        }
        (Outcome::Unauthorized, None) => Finding::cause("credentials-refused", format!("{registry} refuses the credentials (401): {}", trial.credentials.join("; ")))
            .advise("make the secret anew: kubectl create secret docker-registry regcred --docker-server=… --docker-username=… --docker-password=…"),
        (Outcome::Denied, _) => Finding::cause("access-denied", format!("{registry} knows who asks, and does not allow it (403)"))
            .advise("the user lacks the right to pull this repository; or the repository does not exist and the registry does not say so"),
        (Outcome::RateLimited, _) => return Ok(Finding::not_applicable("limited before credentials mattered")),
        _ if trial.exchanges.iter().any(|e| e.status == Some(401)) => return Ok(Finding::pass(format!("yes; {tried}"))),
        _ => return Ok(Finding::pass("none are needed")),
    }
    .cites(last)
    .cite(tried, trial.host.url.clone())
    .cites(notes))
}

fn manifest(seen: &Evidence) -> Result<Finding, Missing> {
    let (image, trial) = asked!(seen);
    let reference = image.reference.clone().unwrap_or_default();
    let cites = trial.last().map(cite);
    Ok(match trial.outcome {
        Outcome::Found => Finding::pass(format!("yes, at {}", trial.host.url)).cites(cites),
        Outcome::NoTag => {
            let what = if reference.digest { "digest" } else { "tag" };
            let near = if trial.nearest.is_empty() {
                "it has no tags".to_owned()
            } else {
                format!("nearest of its {} tags: {}", trial.tags, trial.nearest.join(", "))
            };
            Finding::cause(
                "tag-missing",
                format!("{}/{} has no {what} {}; {near}", reference.registry, reference.repository, reference.version),
            )
            .cites(cites)
            .advise("correct the image in the pod's spec, or push it")
        }
        Outcome::NoRepository => Finding::cause(
            "repository-missing",
            format!("{} has no repository {}", reference.registry, reference.repository),
        )
        .cites(cites)
        .advise("check the spelling of every part of the name"),
        Outcome::Refused if trial.last().is_some_and(|e| e.status == Some(400) && PLAIN.iter().any(|w| e.body.contains(w))) => {
            Finding::cause("wants-tls", format!("{} is spoken to in plain HTTP, and speaks TLS", trial.host.url))
                .cites(cites)
                .advise(format!("https:// in place of http:// where it is configured: {}", trial.host.source))
        }
        Outcome::Foreign => Finding::cause(
            "not-a-registry",
            format!("{} answers, and not with a manifest ({}): somebody else answers in the registry's place", trial.host.url, kind(trial)),
        )
        .cites(cites)
        .advise("a login page of the network, a web server at that name, or a path before /v2 that is missing: curl it and look"),
        Outcome::Schema1 => Finding::cause("schema-too-old", "the image is of manifest schema 1, which no runtime of today pulls")
            .cites(cites)
            .advise("push it anew with a tool of today: skopeo copy --format v2s2 docker://OLD docker://NEW"),
        Outcome::Refused => {
            let status = trial.last().and_then(|e| e.status).unwrap_or_default();
            Finding::cause("registry-error", format!("{} answers {status}: it is broken or overloaded", trial.host.url))
                .cites(cites)
        }
        // All before it was passed, and no answer came.
        Outcome::Unreachable => match reached(trial, Stage::Answer) {
            Reached::Failed(exchange, fault)
                if trial.host.url.starts_with("http://") && fault.error.contains("invalid HTTP version") =>
            {
                Finding::cause("wants-tls", format!("{} is spoken to in plain HTTP, and answers with what is none, as TLS does", trial.host.url))
                    .cites([cite(exchange)])
                    .advise(format!("https:// in place of http:// where it is configured: {}", trial.host.source))
            }
            Reached::Failed(exchange, fault) => Finding::cause(
                "registry-silent",
                format!("{} takes the connection and gives no answer: {}", exchange.host, fault.error),
            )
            .cites([cite(exchange)])
            .advise("the registry is overloaded, or something before it is; curl -v it from this node"),
            _ => not_reached(),
        },
        Outcome::NotTried => not_reached(),
        Outcome::Unauthorized | Outcome::Denied | Outcome::RateLimited => {
            Finding::not_applicable("the registry did not come to that")
        }
    })
}

/// Words of Go's and nginx's servers.
const PLAIN: &[&str] = &["HTTP request to an HTTPS server", "plain HTTP request was sent to HTTPS port"];

fn kind(trial: &Trial) -> String {
    let kind = trial.last().and_then(|e| e.headers.get("content-type")).cloned();
    kind.unwrap_or_else(|| "no type is told".to_owned())
}

pub(super) fn found(trial: &Trial) -> Option<Finding> {
    (trial.outcome != Outcome::Found).then(|| Finding::not_applicable("the image was not found"))
}

fn platform(seen: &Evidence) -> Result<Finding, Missing> {
    let (_, trial) = asked!(seen);
    if let Some(finding) = found(trial) {
        return Ok(finding);
    }
    let has = trial.platforms.join(", ");
    Ok(if !trial.artifact.is_empty() {
        Finding::cause(
            "not-an-image",
            format!("what is there is no image but {}: no runtime can start it", trial.artifact),
        )
        .advise("the name is of a chart, a signature or another artifact: correct the image in the pod's spec")
    } else if trial.platforms.is_empty() {
        return Err(Missing {
            fact: Fact::Image,
            because: "the registry did not tell the image's platform".to_owned(),
        });
    } else if trial.platforms.contains(&trial.wanted) {
        Finding::pass(format!("{}, of {has}", trial.wanted))
    } else {
        let then = match trial.index {
            true => "the pull fails with no match for platform in manifest",
            false => "it is pulled, and fails with exec format error when it starts",
        };
        Finding::cause("wrong-platform", format!("the image is for {has}, this machine is {}: {then}", trial.wanted))
            .advise("build and push it for this platform as well (docker buildx build --platform …)")
    }
    .cites(trial.last().map(cite)))
}

fn room(seen: &Evidence) -> Result<Finding, Missing> {
    let (_, trial) = asked!(seen);
    let disk = seen.disk()?;
    if let Some(finding) = found(trial) {
        return Ok(finding);
    }
    // Layers come to the one, and are unpacked on the other.
    let takes = |f: &&crate::node::disk::Filesystem| f.uses.iter().any(|u| u == "runtime root" || u == "snapshots");
    let Some(fs) = disk.filesystems.iter().filter(takes).min_by_key(|f| f.available) else {
        return Err(Missing { fact: Fact::Disk, because: "the runtime's root directory is not there".to_owned() });
    };
    // Layers are compressed: unpacked they take two to three times as much.
    let needs = trial.size * 3;
    let text = format!("{} free, about {} needed", bytes(fs.available), bytes(needs));
    Ok(if fs.available < needs || fs.inodes_percent() >= 99 {
        Finding::cause("no-room", format!("there is no room to unpack it: {text}")).fix(super::disk::prune(seen))
    } else {
        Finding::pass(text.clone())
    }
    .cite(text, format!("statvfs {}", fs.path)))
}
