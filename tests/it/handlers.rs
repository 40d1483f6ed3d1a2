//! Handlers of containerd's shims, by crictl: gVisor, whose pods have a kernel of their own, and runc as containerd runs it.

use std::{
    fs,
    io::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    confinement::users,
    support::{
        self,
        node::{IMAGE, Node},
    },
};

/// A configuration with a handler for each shim.
fn config(dir: &Path, handlers: &[(&str, &str, &Path, &str)]) -> Vec<String> {
    let mut text = "version = 3\n".to_owned();
    for (name, kind, program, options) in handlers {
        text += &format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.{name}]\nruntime_type = '{kind}'\n\
             runtime_path = '{}'\n{options}",
            program.display()
        );
    }
    fs::write(dir.join("config.toml"), text).unwrap();
    vec!["--config".to_owned(), dir.join("config.toml").display().to_string()]
}

/// A pod of the handler with one container that runs; their ids.
fn running(node: &Node, handler: &str, name: &str, script: &str) -> (String, String) {
    let pod_config = node.pod_config(name, |_| ());
    let pod = node.ok(&["runp", "--runtime", handler, &pod_config]);
    let container = node.ok(&["create", &pod, &node.container_config(name, script, |_| ()), &pod_config]);
    node.ok(&["start", &container]);
    (container, pod)
}

/// What a command says that counts its input, of 200,000 bytes.
fn counted(node: &Node, container: &str) -> String {
    let mut input = node.crictl_command(&["exec", "-i", container, "sh", "-c", "wc -c; echo end"]);
    let mut child = input.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&[b'x'; 200_000]).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// What every handler's pods can do, whatever is behind it; `kernel` is what a container says of its own.
fn works(node: &mut Node, handler: &str, kernel: &str) {
    node.ok(&["pull", IMAGE]);
    let script = "echo out; echo err >&2; i=0; while [ $i -lt 1000 ]; do i=$((i+1)); echo tick $i; sleep 0.2; done";
    let (container, pod) = running(node, handler, "main", script);
    let version = node.ok(&["exec", "-s", &container, "cat", "/proc/version"]);
    assert!(version.contains(kernel), "{handler}: {version}");
    let failed = node.fails(&["exec", "-s", &container, "sh", "-c", "echo words >&2; exit 7"]);
    assert!(failed.contains('7') && failed.contains("words"), "{handler}: {failed}");
    assert_eq!(node.ok(&["exec", &container, "hostname"]), "main");
    // A sandbox's own process is not the container's.
    let copied = node.wharf(&["cp", &format!("{container}:/etc"), "-"]).output().unwrap();
    let said = String::from_utf8_lossy(&copied.stderr);
    assert_eq!(copied.status.success(), handler != "gvisor", "{handler}: {said}");
    assert!(copied.status.success() || said.contains("a kernel of its own"), "{said}");
    assert_eq!(counted(node, &container), "200000\nend\n", "{handler}");
    node.until("a third tick", || node.ok(&["logs", &container]).contains("tick 3"));
    let log = node.ok(&["logs", &container]);
    assert!(log.contains("out") && node.ok(&["logs", &container]).contains("tick 1"), "{handler}: {log}");

    let used = || node.json(&["stats", "-o", "json", &container])["stats"][0].take();
    let number =
        |of: &Value, at: &str| of.pointer(at).and_then(|v| v["value"].as_str()?.parse::<u64>().ok()).unwrap_or(0);
    node.until("its use", || {
        number(&used(), "/memory/workingSetBytes") > 0 && number(&used(), "/cpu/usageCoreNanoSeconds") > 0
    });

    // The containers and their shims outlive the engine.
    let pid = node.json(&["inspect", &container])["info"]["pid"].clone();
    node.kill_engine();
    node.serve();
    let again = node.json(&["inspect", &container]);
    assert_eq!((&again["info"]["pid"], &again["status"]["state"]), (&pid, &"CONTAINER_RUNNING".into()), "{again:#}");
    assert!(node.ok(&["exec", "-s", &container, "cat", "/proc/version"]).contains(kernel));

    // A second container of the pod: in the same sandbox, with its own end.
    let second = node.container_config("second", "hostname; sleep 0.3; exit 5", |_| ());
    let second = node.ok(&["create", &pod, &second, &node.pod_config("main", |_| ())]);
    node.ok(&["start", &second]);
    assert_eq!(node.exit_code(&second), 5, "{handler}");
    assert_eq!(node.ok(&["logs", &second]), "main", "{handler}");
    node.ok(&["rm", &second]);

    node.ok(&["stop", "-t", "1", &container]);
    // By SIGTERM, unless it is the first process of its pid namespace.
    let code = node.exit_code(&container);
    assert!([137, 143].contains(&code), "{handler}: {code}");
    let ticks: Vec<String> = node.ok(&["logs", &container]).lines().map(str::to_owned).collect();
    let numbers: Vec<u32> = ticks.iter().filter_map(|l| l.strip_prefix("tick ")?.parse().ok()).collect();
    let expected: Vec<u32> = (1..=u32::try_from(numbers.len()).unwrap()).collect();
    assert_eq!(numbers, expected, "{handler}: a line was missed");
    node.ok(&["stopp", &pod]);
    node.ok(&["rmp", &pod]);
}

/// A pod of the handler with users of its own: what its container says of itself, and whose process it is here.
fn own_users(node: &Node, handler: &str) -> (String, u32) {
    let pod_config = node.pod_config("users", |p| p["linux"]["security_context"] = users());
    let script = "touch /made && busybox stat -c '%u %n' /made /bin/busybox /etc/hosts; echo end; sleep 1000";
    let config = node.container_config("users", script, |c| c["linux"]["security_context"] = users());
    let pod = node.ok(&["runp", "--runtime", handler, &pod_config]);
    let container = node.ok(&["create", &pod, &config, &pod_config]);
    node.ok(&["start", &container]);
    node.until("its end", || node.ok(&["logs", &container]).contains("end"));
    let pid = node.json(&["inspect", &container])["info"]["pid"].to_string();
    let owner = fs::metadata(format!("/proc/{pid}")).unwrap().uid();
    let said = node.ok(&["logs", &container]);
    node.ok(&["stopp", &pod]);
    node.ok(&["rmp", &pod]);
    (said, owner)
}

fn no_own_users(node: &Node, handler: &str, because: &str) {
    let pod = node.pod_config("users", |p| p["linux"]["security_context"] = users());
    let said = node.fails(&["runp", "--runtime", handler, &pod]);
    assert!(said.contains(&format!("handler {handler} has no user namespaces: {because}")), "{said}");
}

#[test]
fn pods_of_gvisor_have_its_kernel() {
    let test = "gvisor";
    let Some(shim) = support::program(test, "gvisor/containerd-shim-runsc-v1") else { return };
    let runsc = shim.with_file_name("runsc");
    let Some(mut node) = Node::with_registry(test) else { return };
    node.flags = {
        // The machine's cgroups have a version each, which runsc does not expect.
        let own = "[runsc_config]\nignore-cgroups = \"true\"\nplatform = \"systrap\"\n";
        let text = format!("binary_name = \"{}\"\n{own}", runsc.display());
        fs::write(node.dir.join("runsc.toml"), text).unwrap();
        let options = format!(
            "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.gvisor.options]\n\
             TypeUrl = 'io.containerd.runsc.v1.options'\nConfigPath = '{}'\n",
            node.dir.join("runsc.toml").display()
        );
        config(&node.dir, &[("gvisor", "io.containerd.runsc.v1", &shim, &options)])
    };
    node.kill_engine();
    node.serve();
    works(&mut node, "gvisor", "-gvisor ");
    no_own_users(&node, "gvisor", "its pods have a kernel of their own");
    node.end();
}

#[test]
fn pods_of_runc_under_containerds_shim() {
    let test = "shim-runc";
    let Some(directory) = support::containerd_2(test) else { return };
    let Some(newer) = support::program(test, "runc-1.4.3") else { return };
    let Some(mut node) = Node::with_registry(test) else { return };
    let (shim, today) =
        (directory.join("containerd-shim-runc-v2"), format!("options = {{ BinaryName = '{}' }}\n", newer.display()));
    node.flags = config(
        &node.dir,
        &[
            ("shim", "io.containerd.runc.v2", &shim, "options = { BinaryName = 'runc' }\n"),
            ("today", "io.containerd.runc.v2", &shim, &today),
        ],
    );
    node.kill_engine();
    node.serve();
    let own = fs::read_to_string("/proc/version").unwrap();
    works(&mut node, "shim", own.trim());
    assert_eq!(own_users(&node, "today"), ("0 /made\n0 /bin/busybox\n0 /etc/hosts\nend".to_owned(), 200_000));
    // Of before 1.2.
    no_own_users(&node, "shim", "it has no idmapped mounts");
    node.end();
}

/// Shims open a command's input after they have said that it runs: here by half a second, for which strace holds that up.
#[test]
fn the_input_of_a_command_waits_for_a_slow_shim() {
    let test = "shim-slow";
    if support::program(test, "strace").is_none() {
        return;
    }
    let Some(directory) = support::containerd_2(test) else { return };
    let Some(mut node) = Node::with_registry(test) else { return };
    let program = directory.join("containerd-shim-runc-v2");
    let options = "options = { BinaryName = 'runc' }\n";
    node.flags = config(&node.dir, &[("shim", "io.containerd.runc.v2", &program, options)]);
    node.kill_engine();
    node.serve();
    node.ok(&["pull", IMAGE]);
    let (container, pod) = running(&node, "shim", "slow", "sleep 1000");
    let arguments = |p: &Path| fs::read_to_string(p.join("cmdline")).unwrap_or_default();
    let is_shim = |p: &PathBuf| arguments(p).starts_with(&*program.to_string_lossy()) && arguments(p).contains(&pod);
    let shim = fs::read_dir("/proc").unwrap().flatten().map(|e| e.path()).find(is_shim).unwrap();
    let said = node.dir.join("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-o", "/dev/null", "-e", "trace=openat", "-e", "inject=openat:delay_enter=500000", "-p"]);
    strace.arg(shim.file_name().unwrap()).stderr(fs::File::create(&said).unwrap());
    // It opens what it was given by the number it found that under.
    strace.args((3..100).flat_map(|number| ["-P".to_owned(), format!("/proc/self/fd/{number}")]));
    let mut strace = strace.spawn().unwrap();
    node.until("strace", || fs::read_to_string(&said).unwrap().contains("attached"));
    let counted = counted(&node, &container);
    rustix::process::kill_process(rustix::process::Pid::from_child(&strace), rustix::process::Signal::INT).unwrap();
    strace.wait().unwrap();
    assert_eq!(counted, "200000\nend\n");
    node.ok(&["rmp", "-f", &pod]);
    node.end();
}

#[test]
fn a_shim_that_is_missing_or_broken_is_said_and_leaves_nothing() {
    let Some(mut node) = Node::with_registry("shim-broken") else { return };
    node.flags = config(
        &node.dir,
        &[
            ("absent", "io.containerd.absent.v1", Path::new("/no/such/shim"), ""),
            ("liar", "io.containerd.liar.v1", Path::new("/bin/echo"), ""),
            ("mute", "io.containerd.mute.v1", Path::new("/bin/false"), ""),
        ],
    );
    node.kill_engine();
    node.serve();
    let pod = node.pod_config("p", |_| ());
    for (handler, words) in [
        ("absent", "/no/such/shim"),
        ("liar", "did not say where it listens"),
        ("mute", "/bin/false failed (exit status: 1)"),
    ] {
        let said = node.fails(&["runp", "--runtime", handler, &pod]);
        assert!(said.contains(words), "{handler}: {said}");
    }
    assert_eq!(node.ok(&["pods", "-q"]), "");
    node.end();
}
