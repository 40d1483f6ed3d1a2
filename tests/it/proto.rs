//! The committed bindings under `src/proto/generated` are what `proto/` generates.
//! `WHARF_UPDATE=1 cargo test proto` writes them anew.

use std::path::Path;

#[test]
fn bindings_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = tempfile::tempdir().unwrap();
    let api = "github.com/containerd/containerd/api";
    let files = [
        "k8s.io/cri-api/v1/api.proto".to_owned(),
        format!("{api}/services/snapshots/v1/snapshots.proto"),
        format!("{api}/services/images/v1/images.proto"),
        format!("{api}/services/leases/v1/leases.proto"),
        format!("{api}/services/content/v1/content.proto"),
        format!("{api}/services/namespaces/v1/namespace.proto"),
        format!("{api}/services/streaming/v1/streaming.proto"),
        format!("{api}/services/transfer/v1/transfer.proto"),
        format!("{api}/types/transfer/imagestore.proto"),
        format!("{api}/types/transfer/importexport.proto"),
        format!("{api}/types/transfer/progress.proto"),
        format!("{api}/types/transfer/streaming.proto"),
        format!("{api}/types/introspection.proto"),
    ];
    // Of what goes over ttrpc only the messages are of use. First, as the types they share with the services are fewer.
    let messages = [
        format!("{api}/runtime/task/v2/shim.proto"),
        format!("{api}/runtime/bootstrap/v1/bootstrap.proto"),
        format!("{api}/types/runc/options/oci.proto"),
        format!("{api}/types/runtimeoptions/v1/api.proto"),
    ];
    let messages = protox::compile(messages, [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .out_dir(out.path())
        .build_client(false)
        .build_server(false)
        .compile_fds(messages)
        .unwrap();
    let descriptors = protox::compile(files, [root.join("proto")]).unwrap();
    let mut prost = tonic_prost_build::Config::new();
    // A derived Debug would print passwords (threats SEC-02); `src/proto/mod.rs` writes a redacting one.
    prost.skip_debug(["runtime.v1.AuthConfig"]);
    tonic_prost_build::configure()
        .out_dir(out.path())
        .server_mod_attribute(".", "#[cfg(feature = \"engine\")]")
        .compile_fds_with_config(descriptors.clone(), prost)
        .unwrap();
    // Protobuf's own JSON mapping: what crictl prints and reads.
    pbjson_build::Builder::new()
        .register_descriptors(&prost::Message::encode_to_vec(&descriptors))
        .unwrap()
        .emit_fields()
        .out_dir(out.path())
        .build(&[".runtime.v1"])
        .unwrap();
    let committed = root.join("src/proto/generated");
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let fresh = entry.unwrap().path();
        let name = fresh.file_name().unwrap().to_owned();
        let text = std::fs::read_to_string(&fresh).unwrap();
        if std::env::var_os("WHARF_UPDATE").is_some() {
            std::fs::write(committed.join(&name), &text).unwrap();
        }
        let have = std::fs::read_to_string(committed.join(&name)).unwrap_or_default();
        assert!(have == text, "{} is stale: run WHARF_UPDATE=1 cargo test --test it proto", name.display());
    }
}
