//! docker's credential helpers: `docker-credential-NAME get`, the registry on stdin, JSON on stdout.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::exec;
use crate::{
    bail,
    engine::image::auth::Credentials,
    error::{Error, Kind, Result},
};

/// Where helpers are looked for; the daemon's own PATH is nobody's choice.
const PLACES: &[&str] = &["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/opt/bin"];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Login {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// `directory` is where the configuration that names the helper stands: one beside it is found as well.
pub async fn get(name: &str, server: &str, directory: &Path) -> Result<Option<Credentials>> {
    let file = format!("docker-credential-{name}");
    let places = PLACES.iter().map(PathBuf::from).chain([directory.join("bin"), directory.to_owned()]);
    let Some(program) = places.map(|place| place.join(&file)).find(|path| path.is_absolute() && path.is_file()) else {
        bail!(NotFound, "there is no such program in {}", PLACES.join(", "));
    };
    let env = [
        ("PATH".to_owned(), PLACES.join(":")),
        ("HOME".to_owned(), "/root".to_owned()),
        ("DOCKER_CONFIG".to_owned(), directory.display().to_string()),
    ];
    let answer = exec::run(&program, &["get".to_owned()], &env, server.as_bytes()).await?;
    if !answer.success {
        // The protocol says this on stdout.
        if answer.output.starts_with(b"credentials not found") {
            return Ok(None);
        }
        bail!(Unauthenticated, "it failed: {}", answer.complaint);
    }
    let login: Login = serde_json::from_slice(&answer.output)
        .map_err(|e| Error::new(Kind::InvalidArgument, format!("its answer is not JSON (column {})", e.column())))?;
    Ok(match (login.username.as_str(), login.secret.as_str()) {
        (_, "") => None,
        ("<token>", token) => Some(Credentials::identity_token(token)),
        (user, secret) => Some(Credentials::basic(user, secret)),
    })
}
