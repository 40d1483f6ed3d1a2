//! The built-in network in a private host: real bridge, real rules, real connections.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::Arc,
    time::Duration,
};

use super::*;
use crate::{
    engine::network::{
        self, Network, netns,
        testing::{Namespace, blocking, on_private_host, pod},
    },
    error::Kind,
};

const WAIT: Duration = Duration::from_secs(5);

fn config(dir: &Path) -> NetworkConfig {
    let mut config = NetworkConfig::new(&dir.join("state"));
    config.cni_conf_dir = dir.join("none");
    config.bridge = "wharft0".to_owned();
    config.subnet = "10.201.0.0/29".parse().unwrap();
    config.table = "wharftest".to_owned();
    config
}

/// Answers one connection in the namespace by the address that connected.
fn serve(namespace: &Namespace, port: u16) -> std::thread::JoinHandle<String> {
    // A child that another test starts holds every socket between its fork and its exec.
    let bind = || {
        (0..100).find_map(|_| {
            let bound = TcpListener::bind(("0.0.0.0", port)).ok();
            bound.or_else(|| {
                std::thread::sleep(Duration::from_millis(20));
                None
            })
        })
    };
    let listener = netns::inside(&namespace.0, || Ok(bind().expect("bind"))).unwrap();
    std::thread::spawn(move || {
        let (mut stream, from) = listener.accept().unwrap();
        stream.set_read_timeout(Some(WAIT)).unwrap();
        let mut text = [0; 4];
        stream.read_exact(&mut text).unwrap();
        stream.write_all(from.ip().to_string().as_bytes()).unwrap();
        String::from_utf8(text.to_vec()).unwrap()
    })
}

/// What the server says it was called from; in the thread's namespace.
fn call(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address.parse::<SocketAddr>().unwrap(), WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.write_all(b"ping")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

fn call_from(namespace: &Namespace, address: &str) -> String {
    netns::inside(&namespace.0, || Ok(call(address).unwrap())).unwrap()
}

async fn call_from_host(address: &str) -> std::io::Result<String> {
    let address = address.to_owned();
    blocking(move || call(&address)).await
}

fn leases(dir: &Path) -> Vec<String> {
    let listed = fs::read_dir(dir.join("state/built-in/wharft0/leases")).unwrap();
    let mut names: Vec<_> = listed.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|n| n.parse::<Ipv4Addr>().is_ok());
    names.sort();
    names
}

async fn interfaces() -> Vec<String> {
    let text = blocking(|| fs::read_to_string("/proc/thread-self/net/dev").unwrap()).await;
    text.lines().skip(2).filter_map(|l| Some(l.split_once(':')?.0.trim().to_owned())).collect()
}

#[test]
fn pods_reach_each_other_the_host_and_host_ports() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        assert_eq!(network.name(), "built-in");
        network.ready().await.unwrap();
        let (a, b) = (Namespace::new(dir.path(), "a"), Namespace::new(dir.path(), "b"));
        let pod_a =
            pod("a", &[("tcp", 18080, 80, ""), ("tcp", 18081, 81, "10.201.0.1"), ("TCP", 18082, 82, "0.0.0.0")]);
        let pod_b = pod("b", &[]);
        let at_a = network.attach(&a.0, &pod_a).await.unwrap();
        let at_b = network.attach(&b.0, &pod_b).await.unwrap();
        assert_eq!(at_a.ips, ["10.201.0.2".parse::<IpAddr>().unwrap()]);
        assert_eq!(at_b.ips, ["10.201.0.3".parse::<IpAddr>().unwrap()]);
        assert_eq!(at_b.result["ips"][0]["address"], "10.201.0.3/29");
        network.check(&a.0, &pod_a, &at_a).await.unwrap();
        assert_eq!(a.links(), ["lo", "eth0"]);

        let server = serve(&a, 80);
        assert_eq!(call_from(&b, "10.201.0.2:80"), "10.201.0.3", "pod to pod, nothing translated");
        assert_eq!(server.join().unwrap(), "ping");
        for (from, to) in [
            ("host", "10.201.0.1:18080"),
            ("host", "127.0.0.1:18080"),
            ("b", "10.201.0.1:18080"),
            ("a", "10.201.0.1:18080"),
        ] {
            let server = serve(&a, 80);
            let caller = match from {
                "host" => call_from_host(to).await.unwrap(),
                "a" => call_from(&a, to),
                _ => call_from(&b, to),
            };
            assert_eq!(server.join().unwrap(), "ping");
            assert_eq!(caller, "10.201.0.1", "from {from} to {to} by the bridge's address");
        }
        let server = serve(&a, 81);
        assert!(call_from_host("127.0.0.1:18081").await.is_err(), "mapped on one address only");
        assert_eq!(call_from_host("10.201.0.1:18081").await.unwrap(), "10.201.0.1");
        server.join().unwrap();
        let server = serve(&a, 82);
        call_from_host("127.0.0.1:18082").await.unwrap();
        server.join().unwrap();

        let server = serve(&a, 80);
        network.detach(&a.0, &pod_a, Some(&at_a)).await.unwrap();
        assert!(call_from_host("127.0.0.1:18080").await.is_err(), "while it still listens");
        assert!(network.check(&a.0, &pod_a, &at_a).await.is_err());
        assert_eq!(leases(dir.path()).len(), 2, "nobody gets the address while the interface is there");
        call_from_host("10.201.0.2:80").await.unwrap();
        server.join().unwrap();
        network.detach(&b.0, &pod_b, Some(&at_b)).await.unwrap();
        let begun = std::time::Instant::now();
        while !leases(dir.path()).is_empty() && begun.elapsed() < WAIT {
            tokio::time::sleep(QUIET / 5).await;
        }
        assert_eq!((leases(dir.path()).len(), a.links(), b.links()), (0, vec!["lo".to_owned()], vec!["lo".to_owned()]));
        assert_eq!(interfaces().await, ["lo", "wharft0"]);
        network::destroy(config(dir.path())).await.unwrap();
        assert_eq!(interfaces().await, ["lo"]);
        assert_eq!(fs::read_dir(dir.path().join("state/built-in")).unwrap().count(), 0);
    });
}

#[test]
fn the_world_sees_the_host_and_reaches_host_ports() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let (a, world) = (Namespace::new(dir.path(), "a"), Namespace::new(dir.path(), "world"));
        let path = world.0.clone();
        blocking(move || {
            let (links, far) = (Links::open().unwrap(), netns::open(&path).unwrap());
            links.veth("uplink", "eth0", hardware([192, 168, 77, 2].into()), None, far.as_fd()).unwrap();
            links.address("uplink", [192, 168, 77, 1].into(), 24).unwrap();
            links.up("uplink").unwrap();
            netns::inside(&path, || {
                let links = Links::open()?;
                links.address("eth0", [192, 168, 77, 2].into(), 24)?;
                links.up("eth0")
            })
            .unwrap();
        })
        .await;
        let pod_a = pod("a", &[("tcp", 8080, 80, ""), ("udp", 5300, 53, "")]);
        network.attach(&a.0, &pod_a).await.unwrap();

        let server = serve(&world, 9000);
        assert_eq!(call_from(&a, "192.168.77.2:9000"), "192.168.77.1", "masqueraded");
        server.join().unwrap();
        let server = serve(&a, 80);
        assert_eq!(call_from(&world, "192.168.77.1:8080"), "192.168.77.2", "the client's address is kept");
        server.join().unwrap();

        let bound =
            |n: &Namespace, port| netns::inside(&n.0, || Ok(UdpSocket::bind(("0.0.0.0", port)).unwrap())).unwrap();
        let (server, client) = (bound(&a, 53), bound(&world, 0));
        for socket in [&server, &client] {
            socket.set_read_timeout(Some(WAIT)).unwrap();
        }
        client.send_to(b"ask", "192.168.77.1:5300").unwrap();
        let mut text = [0; 8];
        let (_, from) = server.recv_from(&mut text).unwrap();
        server.send_to(b"answer", from).unwrap();
        let (length, from) = client.recv_from(&mut text).unwrap();
        assert_eq!((&text[..length], from.to_string()), (&b"answer"[..], "192.168.77.1:5300".to_owned()));
        network.detach(&a.0, &pod_a, None).await.unwrap();

        // The same client socket reaches the pod that has the port next, not the flow's old address.
        let b = Namespace::new(dir.path(), "b");
        let at_b = network.attach(&b.0, &pod("b", &[("udp", 5300, 53, "")])).await.unwrap();
        assert_ne!(at_b.ips, ["10.201.0.2".parse::<IpAddr>().unwrap()]);
        let server = bound(&b, 53);
        server.set_read_timeout(Some(WAIT)).unwrap();
        client.send_to(b"again", "192.168.77.1:5300").unwrap();
        assert_eq!(server.recv_from(&mut text).unwrap().0, 5);
        assert!(blocking(|| nft::end_flows(5300).unwrap()).await, "the kernel ends flows by port");
        network::destroy(config(dir.path())).await.unwrap();
    });
}

#[test]
fn a_host_port_has_one_owner() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let (a, b) = (Namespace::new(dir.path(), "a"), Namespace::new(dir.path(), "b"));
        network.attach(&a.0, &pod("a", &[("tcp", 8080, 80, "")])).await.unwrap();
        let error = network.attach(&b.0, &pod("b", &[("", 8080, 80, "10.201.0.1")])).await.unwrap_err();
        assert!(error.is(Kind::AlreadyExists), "{error:?}");
        assert!(format!("{error:#}").contains("host port 8080/tcp is taken by pod a"), "{error:#}");
        assert_eq!((b.links(), leases(dir.path())), (vec!["lo".to_owned()], vec!["10.201.0.2".to_owned()]));
        network.attach(&b.0, &pod("b", &[("udp", 8080, 80, "")])).await.unwrap();
        let error = network.attach(&b.0, &pod("b", &[])).await.unwrap_err();
        assert!(error.is(Kind::AlreadyExists), "{error:?}");
        for bad in [("icmp", 1, 1, ""), ("tcp", 1, 0, ""), ("tcp", 1, 1, "localhost")] {
            assert!(network.attach(&b.0, &pod("c", &[bad])).await.unwrap_err().is(Kind::InvalidArgument));
        }
        network.detach(&a.0, &pod("a", &[]), None).await.unwrap();
        let c = Namespace::new(dir.path(), "c");
        network.attach(&c.0, &pod("c", &[("tcp", 8080, 80, "")])).await.unwrap();
        network::destroy(config(dir.path())).await.unwrap();
        assert_eq!(interfaces().await, ["lo"]);
    });
}

#[test]
fn pod_06_detach_is_idempotent_and_needs_no_namespace() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        network.detach(&dir.path().join("none"), &pod("never", &[]), None).await.unwrap();
        // More pods than the subnet has addresses: each is free again.
        for n in 0..8 {
            let namespace = Namespace::new(dir.path(), "pod");
            let pod = pod(&format!("p{n}"), &[("tcp", 8080, 80, "")]);
            let attachment = network.attach(&namespace.0, &pod).await.unwrap();
            let path = namespace.0.clone();
            drop(namespace);
            for _ in 0..2 {
                network.detach(&path, &pod, Some(&attachment)).await.unwrap();
            }
            assert!(leases(dir.path()).is_empty());
        }
        network::destroy(config(dir.path())).await.unwrap();
        network::destroy(config(dir.path())).await.unwrap();
    });
}

/// What pods that have ended still have is theirs until somebody needs it.
#[test]
fn addresses_of_ended_pods_are_there_for_the_next() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let namespace = Namespace::new(dir.path(), "pod");
        for n in 0..12 {
            let pod = pod(&format!("p{}", n / 2), &[("tcp", 8080, 80, "")]);
            network.attach(&namespace.0, &pod).await.unwrap();
            network.detach(&namespace.0, &pod, None).await.unwrap();
            network.detach(&namespace.0, &pod, None).await.unwrap();
            // The same namespace again: it has one eth0.
            network::retain(config(dir.path()), &[pod.id]).await.unwrap();
            assert!(leases(dir.path()).is_empty(), "the pod is known, and has ended");
        }
        let all: Vec<_> = (0..7).map(|n| Namespace::new(dir.path(), &format!("n{n}"))).collect();
        for (n, namespace) in all.iter().enumerate() {
            let pod = pod(&format!("q{n}"), &[("tcp", 8080, 80, "")]);
            network.attach(&namespace.0, &pod).await.unwrap();
            network.detach(&namespace.0, &pod, None).await.unwrap();
        }
        network::destroy(config(dir.path())).await.unwrap();
    });
}

#[test]
fn pod_03_a_failed_attach_leaves_nothing() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let a = Namespace::new(dir.path(), "a");
        netns::inside(&a.0, || Links::open()?.bridge(IFNAME, [2, 0, 0, 0, 0, 1]).map(drop)).unwrap();
        let error = network.attach(&a.0, &pod("a", &[("tcp", 8080, 80, "")])).await.unwrap_err();
        assert!(error.is(Kind::AlreadyExists), "eth0 was there: {error:?}");
        assert!(leases(dir.path()).is_empty());
        assert_eq!(interfaces().await, ["lo", "wharft0"]);
        let error = network.attach(&dir.path().join("missing"), &pod("a", &[])).await.unwrap_err();
        assert!(error.is(Kind::NotFound), "{error:?}");
        assert!(leases(dir.path()).is_empty());
        network::destroy(config(dir.path())).await.unwrap();
    });
}

#[test]
fn leaks_are_freed_and_flushed_rules_come_back() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let names = ["a", "b"];
        let pods = names.map(|n| Namespace::new(dir.path(), n));
        network.attach(&pods[0].0, &pod("a", &[("tcp", 8080, 80, "")])).await.unwrap();
        network.attach(&pods[1].0, &pod("b", &[])).await.unwrap();
        fs::write(dir.path().join("state/built-in/wharft0/leases/10.201.0.6"), "{").unwrap();
        blocking(|| nft::delete("wharftest").unwrap()).await;
        assert_eq!(network::retain(config(dir.path()), &["a".to_owned()]).await.unwrap(), ["b"]);
        assert_eq!(leases(dir.path()), ["10.201.0.2"]);
        assert_eq!(pods[1].links(), ["lo"]);
        let server = serve(&pods[0], 80);
        assert_eq!(call_from_host("127.0.0.1:8080").await.unwrap(), "10.201.0.1");
        server.join().unwrap();
        network::destroy(config(dir.path())).await.unwrap();
    });
}

#[test]
fn pods_do_not_reach_the_hosts_loopback() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let network = network::open(config(dir.path()));
        let a = Namespace::new(dir.path(), "a");
        network.attach(&a.0, &pod("a", &[])).await.unwrap();
        let secret = blocking(|| UdpSocket::bind("127.0.0.1:7000").unwrap()).await;
        secret.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        // A pod that may configure itself sends 127.0.0.0/8 out of eth0.
        let knock = || {
            let sent = netns::inside(&a.0, || {
                sysctl("ipv4/conf/eth0/route_localnet", "1", false)?;
                for line in
                    ["del table local 127.0.0.1", "del table local 127.0.0.0/8", "replace 127.0.0.0/8 via 10.201.0.1"]
                {
                    let arguments = std::iter::once("route").chain(line.split(' '));
                    std::process::Command::new("ip")
                        .args(arguments)
                        .stderr(std::process::Stdio::null())
                        .status()
                        .unwrap();
                }
                let socket = UdpSocket::bind("10.201.0.2:0").unwrap();
                Ok(socket.send_to(b"knock", "127.0.0.1:7000").unwrap())
            });
            assert_eq!(sent.unwrap(), 5);
            secret.recv_from(&mut [0; 8]).is_ok()
        };
        assert!(!knock(), "the packet came through");
        blocking(|| nft::delete("wharftest").unwrap()).await;
        assert!(knock(), "it was the rule that held it");
        network::destroy(config(dir.path())).await.unwrap();
    });
}

#[test]
fn many_pods_at_once_get_addresses_of_their_own() {
    on_private_host(|| async {
        let dir = tempfile::tempdir().unwrap();
        let mut wide = config(dir.path());
        wide.subnet = "10.202.0.0/24".parse().unwrap();
        let network: Arc<dyn Network> = network::open(wide.clone());
        let pods: Vec<_> = (0..20).map(|n| (Namespace::new(dir.path(), &format!("n{n}")), n)).collect();
        let attached = pods.iter().map(|(namespace, n)| {
            let pod = pod(&format!("p{n}"), &[("tcp", 20_000 + n, 80, ""), ("udp", 20_000 + n, 80, "")]);
            let network = network.clone();
            async move { network.attach(&namespace.0, &pod).await.unwrap().ips[0] }
        });
        let mut ips = futures::future::join_all(attached).await;
        ips.sort_unstable();
        ips.dedup();
        assert_eq!(ips.len(), 20);
        network::destroy(wide).await.unwrap();
        assert_eq!(interfaces().await, ["lo"]);
    });
}
