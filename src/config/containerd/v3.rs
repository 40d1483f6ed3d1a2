//! Version 3, frozen: containerd 2.0 to 2.2. The sockets are still tables of their own.

use super::{Migration, keys::Keys, v2};
use crate::config::tree::{At, Item, Table, Value};

/// The tables that version 4 has no more; the plugins are those of [`super::v4::KEYS`].
pub const KEYS: Keys = &[
    ("", "plugin_dir"),
    ("debug", "address uid gid"),
    (
        "grpc",
        "address tcp_address tcp_tls_ca tcp_tls_cert tcp_tls_key tcp_tls_common_name uid gid max_recv_message_size \
         max_send_message_size",
    ),
    ("ttrpc", "address uid gid"),
    ("metrics", "address grpc_histogram"),
];

/// Server plugin, then pairs of key and key of the old table.
type Moves = &'static [(&'static str, &'static str)];
const GRPC: Moves = &[
    ("address", "address"),
    ("uid", "uid"),
    ("gid", "gid"),
    ("max_recv_message_size", "max_recv_message_size"),
    ("max_send_message_size", "max_send_message_size"),
];
const TCP: Moves = &[
    ("address", "tcp_address"),
    ("tls_ca", "tcp_tls_ca"),
    ("tls_cert", "tcp_tls_cert"),
    ("tls_key", "tcp_tls_key"),
    ("tls_common_name", "tcp_tls_common_name"),
    ("max_recv_message_size", "max_recv_message_size"),
    ("max_send_message_size", "max_send_message_size"),
];
const SOCKET: Moves = &[("address", "address"), ("uid", "uid"), ("gid", "gid")];

/// To version 4: servers are plugins.
pub fn migrate(m: &mut Migration) {
    // Sections of version 2 in a file that says 3: nobody read them until containerd 2.3.
    v2::split_cri(m);
    let grpc = table(m.tree.take("grpc"));
    let ttrpc = table(m.tree.take("ttrpc"));
    let metrics = table(m.tree.take("metrics"));
    let address = set(&grpc.0, "address").cloned();
    let ttrpc_address = set(&ttrpc.0, "address").cloned();

    server(m, "grpc", &moved(&grpc.0, GRPC), &grpc.1);
    if set(&grpc.0, "tcp_address").is_some() {
        server(m, "grpc-tcp", &moved(&grpc.0, TCP), &grpc.1);
    }
    let mut shims = moved(&ttrpc.0, SOCKET);
    if let (None, Some(Item { value: Value::Text(address), at })) = (ttrpc_address, &address) {
        // Before version 4 the shims' socket stood beside the other one, with its owner.
        shims.put("address", Item { value: Value::Text(format!("{address}.ttrpc")), at: at.clone() });
        for key in ["uid", "gid"] {
            if let (None, Some(item)) = (set(&shims, key), set(&grpc.0, key)) {
                shims.put(key, item.clone());
            }
        }
    }
    server(m, "ttrpc", &shims, &ttrpc.1.or(grpc.1));
    let debug = m.tree.table_mut("debug").map(|debug| {
        let taken: Vec<_> = ["address", "uid", "gid"].iter().filter_map(|k| Some((*k, debug.take(k)?))).collect();
        let mut table = Table::default();
        taken.into_iter().for_each(|(key, item)| table.put(key, item));
        table
    });
    if let Some(debug) = debug.filter(|d| set(d, "address").is_some()) {
        let at = debug.get("address").map(|i| i.at.clone());
        server(m, "debug", &debug, &at);
    }
    if set(&metrics.0, "address").is_some() {
        server(m, "metrics", &moved(&metrics.0, &[("address", "address")]), &metrics.1);
    }
    if let Some(histogram) = set(&metrics.0, "grpc_histogram").cloned() {
        let at = histogram.at.clone();
        let plugins = m.tree.open("plugins", &at);
        if let Some(plugin) = plugins.and_then(|p| p.open("io.containerd.metrics.v1.grpc-prometheus", &at)) {
            plugin.put("grpc_histogram", histogram);
        }
    }
}

fn table(item: Option<Item>) -> (Table, Option<At>) {
    match item {
        Some(Item { value: Value::Table(table), at }) => (table, Some(at)),
        _ => (Table::default(), None),
    }
}

/// An item that says something: a generated file has zeroes for what nobody set.
fn set<'a>(table: &'a Table, key: &str) -> Option<&'a Item> {
    table.get(key).filter(|item| match &item.value {
        Value::Text(text) => !text.is_empty(),
        Value::Integer(number) => *number != 0,
        Value::Bool(yes) => *yes,
        _ => true,
    })
}

fn moved(from: &Table, moves: Moves) -> Table {
    let mut table = Table::default();
    for (new, old) in moves {
        if let Some(item) = set(from, old) {
            table.put(new, item.clone());
        }
    }
    table
}

/// Adds a server plugin, unless the file has it already.
fn server(m: &mut Migration, name: &str, table: &Table, at: &Option<At>) {
    let Some(at) = at.as_ref().filter(|_| !table.is_empty()) else { return };
    if let Some(plugins) = m.tree.open("plugins", at) {
        let name = format!("io.containerd.server.v1.{name}");
        if plugins.get(&name).is_none() {
            plugins.put(&name, Item { value: Value::Table(table.clone()), at: at.clone() });
        }
    }
}
