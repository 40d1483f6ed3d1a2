//! How exec, attach and port-forward travel between the kubelet or crictl and a runtime: the words both sides share.
//!
//! [`frame`] is SPDY/3.1 as bytes, [`spdy`] a connection of it, [`tunnel`] a byte stream inside WebSocket messages; here
//! are the names of the protocols and the last word about a command. Who serves it is `engine::streaming`, who asks for
//! it `client::streaming`. (k8s.io/apimachinery, util/remotecommand; kubernetes KEP-4006.)

pub mod frame;
pub mod quiet;
pub mod spdy;
pub mod tunnel;

use serde_json::{Value, json};

use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// What an upgrade to SPDY is called.
pub const SPDY: &str = "SPDY/3.1";
/// Header that names the protocols inside an upgraded connection, and the server's choice.
pub const VERSION_HEADER: &str = "x-stream-protocol-version";
/// Header of a refusal: what the server would have taken.
pub const ACCEPTED_HEADER: &str = "x-accepted-stream-protocol-versions";

pub const PORT_FORWARD: &str = "portforward.k8s.io";
/// SPDY inside WebSocket messages, for port-forward.
pub const PORT_FORWARD_TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";

/// Header of a SPDY stream that says what it carries.
pub const STREAM_TYPE: &str = "streamtype";
/// Headers of a port-forward stream: the port, and what pairs its two streams.
pub const PORT: &str = "port";
pub const REQUEST_ID: &str = "requestid";

/// First byte of a WebSocket message: the channel.
pub const STDIN: u8 = 0;
pub const STDOUT: u8 = 1;
pub const STDERR: u8 = 2;
pub const ERROR: u8 = 3;
pub const RESIZE: u8 = 4;
/// v5 only: the next byte names a channel that ends.
pub const CLOSE: u8 = 255;

/// Bytes of a last word, and of what it says.
pub const STATUS_LIMIT: usize = 64 << 10;
const MESSAGE: usize = 4096;

/// How a command, or an attach, ended. On the wire a `metav1.Status` since v4, plain text before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LastWord {
    Success,
    /// It ran and exited with this code.
    ExitCode(i32),
    /// It could not be run, or was lost.
    Failed(String),
}

impl LastWord {
    /// v4 and newer.
    pub fn to_json(&self) -> Vec<u8> {
        let status = match self {
            Self::Success => json!({ "metadata": {}, "status": "Success" }),
            Self::ExitCode(code) => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.text(),
                "reason": "NonZeroExitCode",
                "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
            }),
            Self::Failed(text) => json!({
                "metadata": {},
                "status": "Failure",
                "message": self.text(),
                "reason": "InternalError",
                "details": { "causes": [{ "message": text }] },
                "code": 500,
            }),
        };
        status.to_string().into_bytes()
    }

    /// Before v4, where success is silent.
    pub fn text(&self) -> String {
        match self {
            Self::Success => String::new(),
            Self::ExitCode(code) => format!("command terminated with non-zero exit code: exit status {code}"),
            Self::Failed(text) => format!("Internal error occurred: {text}"),
        }
    }

    /// What came on the error channel. Nothing at all is success: that is how servers before v4 say it.
    ///
    /// # Errors
    /// `Internal` if it is too long.
    pub fn parse(text: &[u8]) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::Success);
        }
        if text.len() > STATUS_LIMIT {
            bail!(Internal, "the runtime's last word has more than {STATUS_LIMIT} bytes");
        }
        let clean = |s: &str| -> String { s.chars().filter(|c| !c.is_control()).take(MESSAGE).collect() };
        let Ok(status) = serde_json::from_slice::<Value>(text) else {
            return Ok(Self::Failed(clean(&String::from_utf8_lossy(text))));
        };
        if status["status"] == "Success" {
            return Ok(Self::Success);
        }
        let causes = status["details"]["causes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let code = causes.iter().find(|c| c["reason"] == "ExitCode").and_then(|c| c["message"].as_str()?.parse().ok());
        Ok(match code {
            Some(code) => Self::ExitCode(code),
            None => Self::Failed(clean(status["message"].as_str().unwrap_or("the runtime gave no reason"))),
        })
    }

    /// The exit code, or why there is none.
    ///
    /// # Errors
    /// `Internal` if the command could not be run.
    pub fn exit_code(self) -> Result<i32> {
        match self {
            Self::Success => Ok(0),
            Self::ExitCode(code) => Ok(code),
            Self::Failed(text) => Err(Error::new(Kind::Internal, text)),
        }
    }
}

/// The first of `wanted` that is in `known`.
pub fn choose<'a>(wanted: &[&'a str], known: &[&str]) -> Option<&'a str> {
    wanted.iter().find(|w| known.contains(w)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_comes_back_as_it_was_said() {
        for word in [LastWord::Success, LastWord::ExitCode(137)] {
            assert_eq!(LastWord::parse(&word.to_json()).unwrap(), word);
        }
        let failed = LastWord::Failed("no such container".to_owned());
        let error = LastWord::parse(&failed.to_json()).unwrap().exit_code().unwrap_err();
        assert!(error.to_string().contains("no such container"), "{error}");
        assert_eq!(LastWord::parse(b"").unwrap().exit_code().unwrap(), 0);
        let old = LastWord::parse(b"exit status 3\x1b[2J").unwrap();
        assert_eq!(old, LastWord::Failed("exit status 3[2J".to_owned()));
        assert!(LastWord::parse(&vec![b'x'; STATUS_LIMIT + 1]).is_err());
    }

    #[test]
    fn the_clients_preference_decides() {
        assert_eq!(choose(&["v9", "v4", "v5"], &["v5", "v4"]), Some("v4"));
        assert_eq!(choose(&["v9"], &["v5"]), None);
    }
}
