//! Arguments and exit codes only.

use std::process::ExitCode;

use clap::Parser;

/// Node-level debug and admin for Kubernetes workers, with a container runtime inside.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {}

fn main() -> ExitCode {
    #[cfg(feature = "engine")]
    if std::env::args_os().next().is_some_and(|name| name == wharf::engine::shim::PROGRAM) {
        return wharf::engine::shim::main();
    }
    Arguments::parse();
    eprintln!("wharf: the runtime and the app are not in this version yet");
    ExitCode::from(2)
}
