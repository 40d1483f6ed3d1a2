//! Exec over a runtime's streaming server: WebSocket, channel protocols v4 and v5 of Kubernetes
//! (k8s.io/apimachinery, util/remotecommand).

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::{Output, Session};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

/// Bytes of one message from the runtime.
const MESSAGE: usize = 4 << 20;
const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

#[derive(Debug)]
pub struct WebSocketSession {
    socket: WebSocketStream<TcpStream>,
    /// v5 can close stdin.
    closes: bool,
}

/// Opens the URL that CRI's Exec gave: plain HTTP to the runtime's own server.
pub async fn open(url: &str) -> Result<WebSocketSession> {
    let Some(rest) = url.strip_prefix("http://") else {
        bail!(
            Unimplemented,
            "the runtime streams over {:?}, only plain http is supported",
            url.split(':').next().unwrap_or_default()
        );
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let address = if authority.rsplit_once(':').is_some_and(|(_, p)| p.parse::<u16>().is_ok()) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let failed = |e: tokio_tungstenite::tungstenite::Error| {
        Error::new(Kind::Unavailable, format!("open a stream at {address}")).with_source(e)
    };
    let mut request = format!("ws://{rest}").into_client_request().map_err(failed)?;
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOLS));
    let stream = TcpStream::connect(&address).await.map_err(|e| Error::io("connect to", &address, e))?;
    let config = WebSocketConfig::default().max_message_size(Some(MESSAGE)).max_frame_size(Some(MESSAGE));
    let (socket, response) =
        tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await.map_err(failed)?;
    let chosen = response.headers().get(header::SEC_WEBSOCKET_PROTOCOL);
    Ok(WebSocketSession { socket, closes: chosen.is_some_and(|p| p.as_bytes().starts_with(b"v5")) })
}

impl WebSocketSession {
    async fn put(&mut self, channel: u8, data: &[u8]) -> Result<()> {
        let mut message = Vec::with_capacity(data.len() + 1);
        message.push(channel);
        message.extend_from_slice(data);
        let sent = self.socket.send(Message::Binary(message.into())).await;
        sent.map_err(|e| Error::new(Kind::Unavailable, "the stream broke").with_source(e))
    }
}

#[async_trait]
impl Session for WebSocketSession {
    async fn send(&mut self, input: &[u8]) -> Result<()> {
        self.put(STDIN, input).await
    }

    async fn close_stdin(&mut self) -> Result<()> {
        // v4 has no word for it: the command sees the end when the stream ends.
        if self.closes { self.put(CLOSE, &[STDIN]).await } else { Ok(()) }
    }

    async fn recv(&mut self) -> Result<Output> {
        loop {
            let Some(message) = self.socket.next().await else {
                bail!(Unavailable, "the stream ended before the command did");
            };
            let message = message.map_err(|e| Error::new(Kind::Unavailable, "the stream broke").with_source(e))?;
            let Message::Binary(data) = message else { continue };
            match data.split_first() {
                Some((&STDOUT, rest)) if !rest.is_empty() => return Ok(Output::Stdout(rest.to_vec())),
                Some((&STDERR, rest)) if !rest.is_empty() => return Ok(Output::Stderr(rest.to_vec())),
                Some((&STATUS, rest)) if !rest.is_empty() => return exit_code(rest).map(Output::Exit),
                _ => {}
            }
        }
    }

    async fn resize(&mut self, columns: u16, rows: u16) -> Result<()> {
        let size = serde_json::json!({ "Width": columns, "Height": rows }).to_string();
        self.put(RESIZE, size.as_bytes()).await
    }
}

/// From the `metav1.Status` on the error channel.
fn exit_code(text: &[u8]) -> Result<i32> {
    let status: serde_json::Value = serde_json::from_slice(text)
        .map_err(|e| Error::new(Kind::Internal, "the runtime's last word is not a status").with_source(e))?;
    if status["status"] == "Success" {
        return Ok(0);
    }
    let causes = status["details"]["causes"].as_array().cloned().unwrap_or_default();
    let code = causes.iter().find(|c| c["reason"] == "ExitCode").and_then(|c| c["message"].as_str()?.parse().ok());
    match code {
        Some(code) => Ok(code),
        None => {
            let message: String = status["message"].as_str().unwrap_or("no message").chars().take(400).collect();
            bail!(Internal, "the command could not be run: {message}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_has_the_exit_code() {
        assert_eq!(exit_code(br#"{"status":"Success"}"#).unwrap(), 0);
        let failed = br#"{"status":"Failure","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}"#;
        assert_eq!(exit_code(failed).unwrap(), 7);
        assert!(
            exit_code(br#"{"status":"Failure","message":"no such container"}"#)
                .unwrap_err()
                .to_string()
                .contains("no such container")
        );
        assert!(exit_code(b"gibberish").is_err());
    }
}
