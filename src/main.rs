//! Arguments and exit codes only.

use std::process::ExitCode;

use clap::Parser;

/// Node-level debug and admin for Kubernetes workers, with a container runtime inside.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {}

fn main() -> ExitCode {
    Arguments::parse();
    eprintln!("wharf: the runtime and the app are not in this version yet");
    ExitCode::from(2)
}
