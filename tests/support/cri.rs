//! One CRI socket as tests see it: crictl and wharf against it, and the files crictl wants. Who serves it is not here.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Cri {
    pub crictl: PathBuf,
    /// `unix:///path`.
    pub socket: String,
    pub netns: PathBuf,
    /// Where config files and pods' logs go.
    pub dir: PathBuf,
    /// The parent of the pods' cgroups.
    pub cgroup: String,
    /// What containers run.
    pub image: String,
}

impl Cri {
    /// In the runtime's network, for what streams over loopback.
    pub fn crictl(&self, arguments: &[&str]) -> Command {
        let mut command = super::in_netns(&self.netns, &self.crictl);
        // Its own file, so that it does not complain that the machine has none.
        let config = self.dir.join("crictl.yaml");
        fs::write(&config, "timeout: 60\n").unwrap();
        command
            .env("CRI_CONFIG_FILE", config)
            .args(["-r", &self.socket, "-i", &self.socket, "-t", "60s"])
            .args(arguments);
        command
    }

    pub fn wharf(&self, arguments: &[&str]) -> Command {
        let mut command = super::in_netns(&self.netns, Path::new(super::WHARF));
        command.args(["-r", &self.socket, "-t", "60s"]).args(arguments);
        command
    }

    /// What crictl printed; it must succeed.
    pub fn ok(&self, arguments: &[&str]) -> String {
        succeeded(&format!("crictl {arguments:?}"), &self.crictl(arguments).output().unwrap())
    }

    /// What wharf printed; it must succeed.
    pub fn wharf_ok(&self, arguments: &[&str]) -> String {
        succeeded(&format!("wharf {arguments:?}"), &self.wharf(arguments).output().unwrap())
    }

    /// What wharf complained of; it must fail.
    pub fn wharf_fails(&self, arguments: &[&str]) -> String {
        let output = self.wharf(arguments).output().unwrap();
        let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!output.status.success(), "wharf {arguments:?} succeeded: {text}{error}");
        error.into_owned()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments)).unwrap()
    }

    /// Runs a pod with a container; both ids.
    pub fn run(&self, pod: &str, container: &str, script: &str) -> (String, String) {
        self.run_with(pod, container, script, json!([]))
    }

    /// With these mounts.
    pub fn run_with(&self, pod: &str, container: &str, script: &str, mounts: Value) -> (String, String) {
        let config = self.pod_config(pod);
        let sandbox = self.ok(&["runp", &config]);
        let file = self.container_config(container, pod, 0, script);
        let mut wanted: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        wanted["mounts"] = mounts;
        std::fs::write(&file, wanted.to_string()).unwrap();
        let id = self.ok(&["create", &sandbox, &file, &config]);
        self.ok(&["start", &id]);
        (sandbox, id)
    }

    /// Removes every pod; what runs in them need not end by itself.
    pub fn empty(&self) {
        for container in self.ok(&["ps", "-q"]).lines() {
            self.ok(&["stop", "-t", "0", container]);
        }
        for pod in self.ok(&["pods", "-q"]).lines() {
            self.ok(&["rmp", "-f", pod]);
        }
    }

    /// A pod's config file.
    pub fn pod_config(&self, name: &str) -> String {
        let config = json!({
            "metadata": { "name": name, "namespace": "default", "uid": format!("uid-{name}"), "attempt": 0 },
            "hostname": name,
            "log_directory": self.dir.join("logs").join(name),
            "labels": { "app": name, "io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default",
                        "io.kubernetes.pod.uid": format!("uid-{name}") },
            // As the kubelet asks for unless a pod says otherwise.
            "linux": { "cgroup_parent": self.cgroup, "security_context": { "namespace_options": { "pid": 1 } } },
        });
        self.write(&format!("pod-{name}.json"), &config)
    }

    /// The config file of a container that runs a shell script.
    pub fn container_config(&self, name: &str, pod: &str, attempt: u32, script: &str) -> String {
        // The kubelet's layout, in which crictl finds previous logs.
        fs::create_dir_all(self.dir.join("logs").join(pod).join(name)).unwrap();
        let config = json!({
            "metadata": { "name": name, "attempt": attempt },
            "image": { "image": self.image },
            "command": ["/bin/sh", "-c", script],
            "log_path": format!("{name}/{attempt}.log"),
            "labels": { "io.kubernetes.container.name": name, "io.kubernetes.pod.name": pod,
                        "io.kubernetes.pod.namespace": "default", "io.kubernetes.pod.uid": format!("uid-{pod}") },
            "annotations": { "io.kubernetes.container.restartCount": attempt.to_string() },
            "linux": { "resources": { "memory_limit_in_bytes": 128 << 20 },
                       "security_context": { "namespace_options": { "pid": 1 } } },
        });
        self.write(&format!("container-{pod}-{name}-{attempt}.json"), &config)
    }

    fn write(&self, name: &str, value: &Value) -> String {
        let path = self.dir.join(name);
        fs::write(&path, value.to_string()).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

pub fn succeeded(what: &str, output: &Output) -> String {
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{what}: {}: {text}{error}", output.status);
    text.trim_end().to_owned()
}
