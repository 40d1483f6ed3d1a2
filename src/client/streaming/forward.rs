//! Ports of a pod, reached through the runtime: one connection, two streams for each client.

use std::time::Duration;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{NEVER, Wire, upgrade, websocket};
use crate::{
    bail,
    error::{Error, Kind, Result},
    streams::{
        PORT, PORT_FORWARD, PORT_FORWARD_TUNNEL, REQUEST_ID, STREAM_TYPE,
        spdy::{Connection, PIECE, Side, Stream},
        tunnel::Tunnel,
    },
};

/// Bytes of what the runtime says went wrong.
const MESSAGE: usize = 4096;
/// For the runtime's last word about a connection that has ended.
const LAST: Duration = Duration::from_secs(5);

/// A way into a pod's network, open until it is dropped.
#[derive(Debug)]
pub struct Forward(Connection);

impl Forward {
    /// Opens the URL of a port-forward.
    ///
    /// # Errors
    /// `Unimplemented` if the runtime does not speak `wire`; whatever keeps us from it.
    pub async fn open(url: &str, wire: Wire) -> Result<Self> {
        let (connection, protocol) = match wire {
            Wire::Spdy => {
                let (io, protocol) = upgrade(url, &[PORT_FORWARD]).await?;
                (Connection::new(io, Side::Client, 0, NEVER)?, protocol)
            }
            Wire::WebSocket => {
                let (socket, protocol) = websocket(url, PORT_FORWARD_TUNNEL).await?;
                (Connection::new(Tunnel::new(socket), Side::Client, 0, NEVER)?, protocol)
            }
        };
        if ![PORT_FORWARD, PORT_FORWARD_TUNNEL].contains(&protocol.as_str()) {
            bail!(Unimplemented, "the runtime answered a port-forward with protocol {protocol:?}");
        }
        Ok(Self(connection))
    }

    /// Cancelled when the runtime has ended it.
    pub fn broken(&self) -> CancellationToken {
        self.0.broken()
    }

    /// Carries one client to a port and back, to the end of both sides. `id` is not used again.
    pub fn carry(&self, client: TcpStream, port: u16, id: u64) -> impl Future<Output = Result<()>> + Send + 'static {
        let opener = self.0.opener();
        async move {
            let headers = |kind: &str| {
                [(STREAM_TYPE, kind), (PORT, &port.to_string()), (REQUEST_ID, &id.to_string())]
                    .map(|(name, value)| (name.to_owned(), value.to_owned()))
                    .to_vec()
            };
            let mut error = opener.open(headers("error")).await?;
            error.writer.finish().await?;
            let data = opener.open(headers("data")).await?;
            let trouble = async {
                let mut said = Vec::new();
                while let Some(bytes) = error.reader.read().await {
                    said.extend_from_slice(&bytes[..bytes.len().min(MESSAGE - said.len().min(MESSAGE))]);
                }
                said
            };
            let (mut work, mut trouble) = (std::pin::pin!(copy(client, data)), std::pin::pin!(trouble));
            let (done, said) = tokio::select! {
                sent = &mut work => {
                    sent?;
                    // What went wrong may be said after the data has ended.
                    (true, tokio::time::timeout(LAST, trouble).await.unwrap_or_default())
                }
                said = &mut trouble => (false, said),
            };
            if said.is_empty() {
                // Nothing to complain of: the data tells where its end is.
                return if done { Ok(()) } else { work.await };
            }
            let said: String = String::from_utf8_lossy(&said).chars().filter(|c| !c.is_control()).collect();
            Err(Error::new(Kind::Unavailable, said))
        }
    }
}

async fn copy(client: TcpStream, data: Stream) -> Result<()> {
    let (mut read, mut write) = client.into_split();
    let Stream { mut reader, mut writer, .. } = data;
    let up = async {
        let mut buffer = BytesMut::new();
        loop {
            buffer.reserve(PIECE);
            match read.read_buf(&mut buffer).await {
                Ok(1..) => writer.write(buffer.split().freeze()).await?,
                // Broken or ended, the client says no more.
                Ok(0) | Err(_) => return writer.finish().await,
            }
        }
    };
    let down = async {
        while let Some(bytes) = reader.read().await {
            if write.write_all(&bytes).await.is_err() {
                break;
            }
        }
        // The client may have closed first.
        drop(write.shutdown().await);
    };
    let (sent, ()) = tokio::join!(up, down);
    sent
}
