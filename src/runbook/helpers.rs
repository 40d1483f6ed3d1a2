//! docker's credential helpers (`docker-credential-NAME get`), run as a runtime runs them that does; how each one answered. A login
//! they give is used and never shown.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::credentials::Credential;
use crate::{
    client::redact,
    error::Kind,
    node::{below, command},
};

/// A helper that asks somebody else hangs when that one is down.
const ANSWER: Duration = Duration::from_secs(4);
/// Of what it complains.
const SHOWN: usize = 200;
/// Where wharf looks for them.
const PLACES: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/bin"];

/// What a file of docker's names for a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helper {
    /// `docker-credential-NAME`.
    pub program: String,
    /// The file that names it.
    pub file: String,
    /// The registry it is asked for.
    pub server: String,
    pub state: HelperState,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HelperState {
    /// Neither this runtime nor the kubelet runs any.
    #[default]
    Unused,
    /// Directories it is not in.
    Missing(String),
    Failed(String),
    /// It knows of no login.
    Nothing,
    /// The user.
    Gave(String),
}

/// Directories in which a runtime looks for helpers; none if it runs none. CRI-O does (containers/image), and wharf.
pub fn places(runtime: &str, path: Option<&str>) -> Option<Vec<String>> {
    let of = |path: &str| path.split(':').filter(|d| d.starts_with('/')).map(str::to_owned).collect();
    match runtime {
        "crio" | "cri-o" => Some(of(path.unwrap_or("/usr/local/bin:/usr/bin:/bin"))),
        "wharf" => Some(PLACES.iter().map(|p| (*p).to_owned()).collect()),
        _ => None,
    }
}

impl Helper {
    /// Asks it, and keeps how that went.
    pub async fn ask(&mut self, root: &Path, places: &[String]) -> Option<Credential> {
        let beside = Path::new(&self.file).parent().unwrap_or(Path::new("/")).to_owned();
        let mut all: Vec<PathBuf> = places.iter().map(PathBuf::from).collect();
        all.extend([beside.join("bin"), beside.clone()]);
        let found = all.iter().map(|d| below(root, d.join(&self.program))).find(|p| p.is_file());
        let Some(program) = found else {
            self.state = HelperState::Missing(places.join(", "));
            return None;
        };
        let env = [
            ("PATH", places.join(":")),
            ("HOME", "/root".to_owned()),
            ("DOCKER_CONFIG", beside.to_string_lossy().into_owned()),
        ];
        let answer = match command::asked(&program, &["get"], &env, self.server.as_bytes(), ANSWER).await {
            Ok(answer) => answer,
            Err(error) => {
                self.state = HelperState::Failed(if error.is(Kind::DeadlineExceeded) {
                    format!("it hangs; no answer in {} s", ANSWER.as_secs())
                } else {
                    format!("{error:#}")
                });
                return None;
            }
        };
        let output = String::from_utf8_lossy(&answer.output).into_owned();
        // The protocol says both on stdout.
        if !answer.success && output.trim_start().starts_with("credentials not found") {
            self.state = HelperState::Nothing;
            return None;
        }
        if !answer.success {
            let complaint = format!("{output} {}", answer.complaint);
            let words = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
            let words: String = words.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
            self.state = HelperState::Failed(format!("it ends with an error: {}", redact::text(&words)));
            return None;
        }
        let Ok(login) = serde_json::from_str::<Value>(&output) else {
            self.state = HelperState::Failed("its answer is no JSON".to_owned());
            return None;
        };
        let text = |key: &str| login[key].as_str().unwrap_or_default();
        let (user, secret) = (text("Username"), text("Secret"));
        if secret.is_empty() {
            self.state = HelperState::Nothing;
            return None;
        }
        self.state = HelperState::Gave(user.chars().filter(|c| !c.is_control()).take(SHOWN).collect());
        Some(Credential::basic(user, secret, &self.program))
    }
}
