//! Verbs from their arguments to what they write, over a CRI server in this process and over real ones.

use std::{
    io,
    sync::{Arc, Mutex},
};

use super::output::Out;

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Streams that are kept, and what has been written to them.
pub fn capture(width: Option<usize>) -> (Out, impl Fn() -> String, impl Fn() -> String) {
    let (sink, errors) = (Sink::default(), Sink::default());
    let read = |sink: &Sink| {
        let sink = sink.clone();
        move || String::from_utf8_lossy(&sink.0.lock().unwrap()).into_owned()
    };
    let (text, said) = (read(&sink), read(&errors));
    (Out::new(Box::new(sink), Box::new(errors), width), text, said)
}

#[cfg(feature = "engine")]
mod crictl;
#[cfg(feature = "engine")]
mod fake;
#[cfg(feature = "engine")]
mod flows;
#[cfg(feature = "engine")]
mod lists;

use clap::{CommandFactory, Parser};

use super::{Cli, perform, report};

/// What a verb did: its exit code, its two streams.
#[derive(Debug)]
pub struct Ran {
    pub code: u8,
    pub out: String,
    pub err: String,
}

/// Runs the words after `wharf -r ENDPOINT`.
pub async fn wharf(endpoint: &str, words: &[&str]) -> Ran {
    let cli = Cli::try_parse_from(["wharf", "-r", endpoint].iter().chain(words)).unwrap();
    let (mut out, text, said) = capture(None);
    let code = match Box::pin(perform(cli, &mut out)).await {
        Ok(code) => code,
        Err(error) => {
            report::failure(&mut out, &error).unwrap();
            report::FAILED
        }
    };
    Ran { code, out: text(), err: said() }
}

#[test]
fn the_arguments_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn hands_of_crictl_find_their_flags() {
    for line in [
        "",
        "--read-only",
        "-r unix:///a.sock -i /b.sock -t 20s -D --config /x ps",
        "ps -a -q --state exited",
        "ps -aql -n 3 --label a=b --label c=d --name ^a --namespace b -p c --image d --id e -s running -o yaml -r -v --no-trunc",
        "pods -qlv -n 1 --id a --label a=b --name x --namespace y -s ready -o json --no-trunc",
        "images --digests --pinned -f dangling=true -f reference=x -q -v --no-trunc -o table busybox:1",
        "img",
        "image -q",
        "inspect -q -o yaml abc def",
        "inspect -l --name x -a",
        "inspectp -o json abc",
        "inspectp --name x -s notready",
        "inspecti -q -o table a b",
        "pull --creds a:b --pull-timeout 5s busybox",
        "pull --auth YTpi -a k=v --pod-config p.json busybox@sha256:0",
        "run -r crun -T 5s --no-pull --creds a c.json p.yaml",
        "run --name web -e A=b -it --rm --host-network -m 64m --cpus 0.5 -v /a:/b:ro busybox -- sh -c 'x'",
        "run -d -p 8080:80 -p 127.0.0.1:53:53/udp --pull always nginx nginx -g 'daemon off;'",
        "runp -r crun -T 1m pod.json",
        "create --with-pull --auth YTpi -T 5 p c.json p.json",
        "start a b",
        "stop -t 5 a b",
        "stop -a",
        "stopp a b",
        "rm -f -k a",
        "rm -fa",
        "rmp -f a b",
        "rmp -a",
        "rmi a b",
        "rmi --prune",
        "rmi -q",
        "rmi -a",
        "logs -f --tail 20 --since 5m -t -p abc",
        "logs --tail -1 --limit-bytes -1 -r -s stderr abc",
        "exec -it abc sh -c 'ls -l'",
        "exec -s --timeout 5 abc -- ls -a",
        "exec -i -r websocket abc sh",
        "attach -it --transport spdy abc",
        "port-forward abc 8080:80 :443 9090",
        "stats -a -p x -s 2 -w -o json --label a=b abc",
        "statsp --id x -o yaml",
        "metricsp -o yaml",
        "metricdescs",
        "events -o yaml",
        "event",
        "info -q -o yaml",
        "version",
        "imagefsinfo -o table",
        "runtime-config",
        "update-runtime-config -p 10.0.0.0/24",
        "update --memory 64m --cpu-quota -1 --cpu-period 1 --cpu-share 2 --cpuset-cpus 0-1 --cpuset-mems 0 --oom-score-adj -5 a",
        "checkpoint -e /x.tar a",
        "prune",
        "prune images --dry-run -o json",
        "prune containers --yes --older-than 1h",
        "serve --listen unix:///a.sock --root /a --state /b --stream-address [::1]:10010 --stream-idle-timeout 5m",
        "completion bash",
    ] {
        let words = line.split_whitespace().filter(|w| !w.is_empty());
        if let Err(error) = Cli::try_parse_from(std::iter::once("wharf").chain(words)) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "frob",
        "ps --frob",
        "ps -o toml",
        "ps --label a",
        "ps --name [",
        "stop",
        "rm",
        "rm -a x",
        "rmi",
        "rmi -a -q",
        "exec abc",
        "exec -s -t abc ls",
        "exec -r carrier-pigeon abc ls",
        "port-forward abc",
        "port-forward abc 0",
        "port-forward abc 1:2:3",
        "pull --creds a --auth b x",
        "run --no-pull --with-pull x",
        "run --rm -d x",
        "-t x ps",
        "--embedded -r x ps",
        "update --memory 1x a",
        "prune everything",
        "completion tcsh9",
    ] {
        let error = Cli::try_parse_from(std::iter::once("wharf").chain(line.split_whitespace()));
        assert_eq!(error.map(|c| format!("{c:?}")).unwrap_err().exit_code(), 2, "{line}");
    }
}

#[tokio::test]
async fn completion_names_the_verbs() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = wharf("/none", &["completion", shell]).await;
        assert!(
            ran.code == 0 && ["inspectp", "runtime-config", "prune"].iter().all(|v| ran.out.contains(v)),
            "{shell}"
        );
    }
}

#[tokio::test]
async fn a_dead_endpoint_is_one_line() {
    let ran = wharf("unix:///nowhere/wharf-test.sock", &["ps"]).await;
    assert_eq!((ran.code, ran.err.lines().count(), ran.out.as_str()), (1, 1, ""));
    assert!(ran.err.starts_with("wharf: ps: ") && ran.err.contains("/nowhere/wharf-test.sock"), "{}", ran.err);
    assert!(ran.err.contains("-r"), "{}", ran.err);
}
