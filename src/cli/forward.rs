//! `port-forward`: local ports that lead into a pod.

use std::net::{Ipv4Addr, Ipv6Addr};

use clap::Args;
use tokio::{net::TcpListener, net::TcpStream, sync::mpsc, task::JoinSet};

use super::{
    backend::{self, Backend},
    exec::Over,
    filter,
    output::Out,
    report,
};
use crate::{
    bail,
    error::{Error, Kind, Result},
};

#[derive(Debug, Args)]
pub struct PortForward {
    #[arg(value_name = "POD-ID")]
    pod: String,
    /// Without a local port, or with 0: any
    #[arg(required = true, value_name = "[LOCAL:]REMOTE", value_parser = parse)]
    ports: Vec<Ports>,
    #[command(flatten)]
    over: Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ports {
    local: u16,
    remote: u16,
}

/// `8080`, `8080:80`, `:80`, `0:80`.
fn parse(text: &str) -> Result<Ports> {
    let port = |text: &str| {
        let bad = |_| Error::new(Kind::InvalidArgument, format!("{text:?} is no port"));
        text.parse::<u16>().map_err(bad)
    };
    let (local, remote) = match text.split_once(':') {
        Some(("", remote)) => (0, port(remote)?),
        Some((local, remote)) => (port(local)?, port(remote)?),
        None => (port(text)?, port(text)?),
    };
    if remote == 0 {
        bail!(InvalidArgument, "{text:?}: there is no port 0 in a pod");
    }
    Ok(Ports { local, remote })
}

pub async fn port_forward(backend: &Backend, out: &mut Out, args: PortForward) -> Result<u8> {
    let what = format!("forward ports of pod {}", args.pod);
    backend.may_change(&what)?;
    let pod = filter::pod_id(backend, &args.pod).await?;
    let remote: Vec<u16> = args.ports.iter().map(|p| p.remote).collect();
    let forward = backend.cri().port_forward(&pod, &remote, args.over.wire()).await?;
    let (found, mut clients) = mpsc::channel(16);
    let mut listening = JoinSet::new();
    for ports in args.ports {
        for (listener, at) in listen(ports).await.map_err(|e| e.context(what.clone()))? {
            out.line(&format!("Forwarding from {at} -> {}", ports.remote))?;
            listening.spawn(accept(listener, ports.remote, found.clone()));
        }
    }
    let (broken, mut running, mut id) = (forward.broken(), JoinSet::new(), 0);
    let mut ended = std::pin::pin!(backend::ended());
    loop {
        tokio::select! {
            Some((client, local, remote)) = clients.recv() => {
                out.line(&format!("Handling connection for {local}"))?;
                running.spawn(forward.carry(client, remote, id));
                id += 1;
            }
            Some(done) = running.join_next() => {
                let done = done.unwrap_or_else(|e| Err(Error::new(Kind::Internal, "a connection").with_source(e)));
                if let Err(error) = done {
                    report::failure(out, &error)?;
                }
            }
            () = broken.cancelled() => bail!(Unavailable, "{what}: the runtime has closed the way into the pod"),
            heard = &mut ended => return heard.map(|_signal| 0),
        }
    }
}

/// On both of localhost's addresses, as far as the machine has them. The same port on both.
async fn listen(ports: Ports) -> Result<Vec<(TcpListener, std::net::SocketAddr)>> {
    let bind = async |address| {
        let listener = TcpListener::bind(address).await?;
        let at = listener.local_addr()?;
        Ok::<_, std::io::Error>((listener, at))
    };
    let first = bind(std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, ports.local))).await;
    let port = first.as_ref().map_or(ports.local, |(_, at)| at.port());
    let second = bind((Ipv6Addr::LOCALHOST, port).into()).await;
    match (first, second) {
        (Err(error), Err(_)) => Err(Error::io("listen on", format!("port {}", ports.local), error)),
        (first, second) => Ok([first, second].into_iter().flatten().collect()),
    }
}

async fn accept(listener: TcpListener, remote: u16, found: mpsc::Sender<(TcpStream, u16, u16)>) {
    let local = listener.local_addr().map_or(0, |a| a.port());
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                if found.send((client, local, remote)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!("accept a connection on port {local}: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_crictl_takes_them() {
        for (text, local, remote) in [("8080", 8080, 8080), ("8080:80", 8080, 80), (":80", 0, 80), ("0:80", 0, 80)] {
            assert_eq!(parse(text).unwrap(), Ports { local, remote }, "{text}");
        }
        for text in ["", "a", "1:", "70000", "1:2:3", "-1:2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
