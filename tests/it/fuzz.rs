//! Requests nobody would write, as bytes on the socket: every RPC, well-formed by the protocol's own description with hostile
//! values, mutilated, or plain noise (threats RUN-21); and ones that are too large (RUN-22).

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use prost::Message;
use prost_types::{
    DescriptorProto, FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use wharf::proto::cri;

use crate::support::node::Node;

/// Messages are bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        Self
    }
    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(bytes::Buf::copy_to_bytes(from, bytes::Buf::remaining(from)).to_vec()))
    }
}

pub async fn connect(socket: PathBuf) -> Channel {
    let dial = move |_| {
        let socket = socket.clone();
        async move { tokio::net::UnixStream::connect(socket).await.map(hyper_util::rt::TokioIo::new) }
    };
    Endpoint::from_static("http://engine").connect_with_connector(tower::service_fn(dial)).await.unwrap()
}

/// The first message of the answer, whether more follow or not; `None` if there is none in time.
pub async fn call(channel: &Channel, path: &str, request: Vec<u8>) -> Option<Result<Vec<u8>, Status>> {
    let mut grpc = Grpc::new(channel.clone());
    let ask = async {
        grpc.ready().await.map_err(|e| Status::unknown(e.to_string()))?;
        let request = tonic::Request::new(futures::stream::iter([request]));
        let answer = grpc.streaming(request, path.parse().unwrap(), Raw).await?;
        Ok(answer.into_inner().message().await?.unwrap_or_default())
    };
    // Events come when something happens, and nothing does.
    let patience = if path.ends_with("/GetContainerEvents") { 100 } else { 20_000 };
    tokio::time::timeout(Duration::from_millis(patience), ask).await.ok()
}

/// xorshift64*: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize) % below
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// CRI's messages and methods, from its own description.
struct Protocol {
    messages: HashMap<String, DescriptorProto>,
    methods: Vec<(String, String)>,
    /// Put where a text goes.
    words: Vec<String>,
}

impl Protocol {
    fn new(dir: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("proto");
        let files = protox::compile(["k8s.io/cri-api/v1/api.proto"], [root]).unwrap();
        let (mut messages, mut methods) = (HashMap::new(), Vec::new());
        for file in &files.file {
            let package = format!(".{}", file.package());
            for message in &file.message_type {
                for nested in &message.nested_type {
                    messages.insert(format!("{package}.{}.{}", message.name(), nested.name()), nested.clone());
                }
                messages.insert(format!("{package}.{}", message.name()), message.clone());
            }
            for service in &file.service {
                let path = |method: &str| format!("/{}.{}/{method}", file.package(), service.name());
                methods.extend(service.method.iter().map(|m| (path(m.name()), m.input_type().to_owned())));
            }
        }
        // Whatever is made of them is made below the test's directory, or in its cgroup.
        let own = format!("{}/fuzz", dir.display());
        let words = [
            "",
            "a",
            "a\nb",
            "\u{1b}[31m",
            "../../../..",
            "..",
            "relative/x",
            "x;y=z",
            "\u{202e}",
            "a/b",
            "sha256:zz",
            "0",
        ];
        let mut words: Vec<String> = words.map(str::to_owned).into();
        words.extend([
            own.clone(),
            format!("{own}/x/../../fuzz/y"),
            format!("{own}\n"),
            "x".repeat(70_000),
            "é".repeat(300),
        ]);
        Self { messages, methods, words }
    }

    /// A message of this type with random fields, encoded.
    fn message(&self, name: &str, dice: &mut Dice, depth: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let Some(message) = self.messages.get(name) else { return bytes };
        for field in &message.field {
            if depth > 6 || !dice.chance(if depth < 2 { 70 } else { 40 }) {
                continue;
            }
            let times = if field.label() == Label::Repeated { dice.roll(4) } else { 1 };
            for _ in 0..times {
                self.field(field, dice, depth, &mut bytes);
            }
        }
        bytes
    }

    fn field(&self, field: &FieldDescriptorProto, dice: &mut Dice, depth: usize, to: &mut Vec<u8>) {
        use prost::encoding::{WireType, encode_key, encode_varint};
        let number = u32::try_from(field.number()).unwrap();
        let mut sized = |bytes: &[u8]| {
            encode_key(number, WireType::LengthDelimited, to);
            encode_varint(bytes.len() as u64, to);
            to.extend_from_slice(bytes);
        };
        match field.r#type() {
            Type::Message => sized(&self.message(field.type_name(), dice, depth + 1)),
            Type::String | Type::Bytes => sized(self.words[dice.roll(self.words.len())].as_bytes()),
            Type::Double | Type::Fixed64 | Type::Sfixed64 => {
                encode_key(number, WireType::SixtyFourBit, to);
                to.extend_from_slice(&[dice.roll(256) as u8; 8]);
            }
            Type::Float | Type::Fixed32 | Type::Sfixed32 => {
                encode_key(number, WireType::ThirtyTwoBit, to);
                to.extend_from_slice(&[dice.roll(256) as u8; 4]);
            }
            kind => {
                const NUMBERS: [i64; 12] =
                    [0, 1, 2, 3, -1, 80, 65_536, 1 << 31, (1 << 32) + 1, i64::MAX, i64::MIN, 1_000_000_007];
                let value = match kind {
                    Type::Bool => dice.roll(2) as i64,
                    Type::Enum => [0, 1, 2, 3, 99, -1][dice.roll(6)],
                    _ => NUMBERS[dice.roll(NUMBERS.len())],
                };
                encode_key(number, WireType::Varint, to);
                encode_varint(value.cast_unsigned(), to);
            }
        }
    }
}

/// What there is of pods and containers, on disk.
fn traces(dir: &Path) -> BTreeSet<PathBuf> {
    let below = ["run/pods", "run/netns", "lib/network/cni", "lib/network/builtin"];
    below.iter().flat_map(|d| fs::read_dir(dir.join(d)).into_iter().flatten().flatten()).map(|e| e.path()).collect()
}

#[test]
fn run_21_no_request_breaks_the_engine_or_leaves_what_it_was_refused() {
    let Some(node) = Node::start("fuzz") else { return };
    let mut protocol = Protocol::new(&node.dir);
    assert!(protocol.methods.len() >= 41, "{:?}", protocol.methods);
    let seed = std::env::var("WHARF_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_129);
    let mut dice = Dice(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut codes, mut pods) = (HashMap::<String, usize>::new(), Vec::new());
    let began = Instant::now();
    runtime.block_on(async {
        let channel = connect(node.dir.join("wharf.sock")).await;
        for round in 0..40 {
            for (path, input) in protocol.methods.clone() {
                let method = path.rsplit('/').next().unwrap();
                if method == "PullImage" && round >= 4 {
                    // Looking for hosts where no network is takes its time.
                    continue;
                }
                let mut request = protocol.message(&input, &mut dice, 0);
                match dice.roll(10) {
                    0 => request.truncate(dice.roll(request.len() + 1)),
                    1 if !request.is_empty() => {
                        for _ in 0..3 {
                            let at = dice.roll(request.len());
                            request[at] ^= 1 << dice.roll(8);
                        }
                    }
                    2 => request = (0..dice.roll(200)).map(|_| dice.roll(256) as u8).collect(),
                    _ => {}
                }
                if method == "RunPodSandbox" {
                    // One in which all but the details is right goes deeper. Cgroups are made nowhere else.
                    request = well_meant(&node, &protocol, &mut dice, round);
                }
                let before = traces(&node.dir);
                let answer = call(&channel, &path, request.clone()).await;
                let about = || format!("seed {seed}, round {round}, {method}: {answer:?}, of {} bytes", request.len());
                let code = match &answer {
                    Some(Ok(_)) => Code::Ok,
                    Some(Err(status)) => status.code(),
                    // A stream of events has nothing to say.
                    None => {
                        assert_eq!(method, "GetContainerEvents", "{}", about());
                        continue;
                    }
                };
                *codes.entry(format!("{code:?}")).or_default() += 1;
                assert_ne!(code, Code::Unknown, "{}", about());
                if let Some(Err(status)) = &answer {
                    assert!(!status.message().contains(['\n', '\u{1b}']), "{}", about());
                }
                if let (Code::Internal, Some(Err(status))) = (code, &answer) {
                    // Noise; whatever else is internal is a fault of ours.
                    assert!(status.message().starts_with("failed to decode Protobuf message"), "{}", about());
                }
                if code == Code::InvalidArgument {
                    assert_eq!(traces(&node.dir), before, "{}", about());
                }
                if let (Some(Ok(bytes)), "RunPodSandbox") = (&answer, method) {
                    let id = cri::RunPodSandboxResponse::decode(&bytes[..]).unwrap().pod_sandbox_id;
                    protocol.words.extend([id[..8].to_owned(), id.clone()]);
                    pods.push(id);
                }
                let log = node.log();
                assert!(!log.contains("panicked"), "{}\n{log}", about());
            }
        }
        // crictl asks for the status first, and does not take one of a pod without a name.
        for id in &pods {
            let request = cri::RemovePodSandboxRequest { pod_sandbox_id: id.clone() }.encode_to_vec();
            call(&channel, "/runtime.v1.RuntimeService/RemovePodSandbox", request).await.unwrap().unwrap();
        }
    });
    drop(runtime);
    eprintln!("{codes:?}, {} pods, {:?}", pods.len(), began.elapsed());
    for expected in ["Ok", "InvalidArgument", "NotFound"] {
        assert!(codes.contains_key(expected), "{codes:?}");
    }
    assert!(!pods.is_empty(), "no pod came up: {codes:?}");
    node.end();
}

/// A pod that may come up: random in all but its name and its cgroup.
fn well_meant(node: &Node, protocol: &Protocol, dice: &mut Dice, round: usize) -> Vec<u8> {
    let random = protocol.message(".runtime.v1.RunPodSandboxRequest", dice, 0);
    let Ok(mut request) = cri::RunPodSandboxRequest::decode(&random[..]) else { return random };
    let config = request.config.get_or_insert_default();
    if dice.chance(70) {
        let name = format!("fuzz-{round}");
        config.metadata =
            Some(cri::PodSandboxMetadata { name: name.clone(), uid: name, namespace: "fuzz".to_owned(), attempt: 0 });
        request.runtime_handler.clear();
    }
    if dice.chance(80) {
        config.log_directory.clear();
        config.hostname.retain(|c| c.is_ascii_alphanumeric());
        config.hostname.truncate(20);
    }
    if let Some(linux) = &mut config.linux {
        linux.cgroup_parent.clone_from(&node.cgroup);
        if dice.chance(80) {
            linux.sysctls.clear();
            linux.security_context = None;
        }
    }
    if config.linux.is_none() {
        config.linux = Some(cri::LinuxPodSandboxConfig { cgroup_parent: node.cgroup.clone(), ..Default::default() });
    }
    request.encode_to_vec()
}

#[test]
fn run_22_what_is_too_large_is_refused_and_not_kept() {
    let Some(node) = Node::start("large") else { return };
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", node.engine())).unwrap();
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() >> 10
    };
    let before = resident();
    let pod = |labels: usize, annotation: usize| {
        let metadata = cri::PodSandboxMetadata {
            name: format!("p{labels}-{annotation}"),
            uid: "u".into(),
            namespace: "n".into(),
            attempt: 0,
        };
        let config = cri::PodSandboxConfig {
            metadata: Some(metadata),
            labels: (0..labels).map(|n| (format!("label-{n}"), "value".to_owned())).collect(),
            annotations: [("large".to_owned(), "x".repeat(annotation))].into(),
            linux: Some(cri::LinuxPodSandboxConfig { cgroup_parent: node.cgroup.clone(), ..Default::default() }),
            ..Default::default()
        };
        cri::RunPodSandboxRequest { config: Some(config), runtime_handler: String::new() }.encode_to_vec()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let channel = connect(node.dir.join("wharf.sock")).await;
        let run = async |request: Vec<u8>| {
            let answer = call(&channel, "/runtime.v1.RuntimeService/RunPodSandbox", request).await;
            answer.expect("an answer in time").map(drop).map_err(|status| (status.code(), status.message().to_owned()))
        };
        let there = traces(&node.dir);
        for (labels, annotation) in [(1_000_000, 0), (0, 64 << 20), (100_000, 0), (0, 2 << 20)] {
            let (code, text) = run(pod(labels, annotation)).await.unwrap_err();
            assert_eq!(code, Code::ResourceExhausted, "{labels} {annotation}: {text}");
            assert_eq!(traces(&node.dir), there, "{labels} {annotation}");
        }
        // What the API server lets through, twice over.
        run(pod(100, 512 << 10)).await.unwrap();
    });
    assert!(resident() < before + 160, "{before} MiB became {} MiB", resident());
    drop(runtime);
    node.end();
}

#[test]
fn the_engine_ends_though_a_client_keeps_its_connection() {
    let Some(mut node) = Node::start("held") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Nobody answers on this connection any more, as when a client was stopped by a signal.
    let held = runtime.block_on(async {
        let channel = connect(node.dir.join("wharf.sock")).await;
        call(&channel, "/runtime.v1.RuntimeService/Version", Vec::new()).await.unwrap().unwrap();
        channel
    });
    let began = Instant::now();
    node.stop();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop((held, runtime));
    node.serve();
    node.end();
}
