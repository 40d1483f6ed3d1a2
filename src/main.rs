//! Arguments and exit codes only.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Node-level debug and admin for Kubernetes workers, with a container runtime inside.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Serve {
        #[arg(long, default_value = "/run/wharf/wharf.sock")]
        listen: PathBuf,
        #[arg(long, default_value = "/var/lib/wharf")]
        root: PathBuf,
        #[arg(long, default_value = "/run/wharf")]
        state: PathBuf,
    },
}

fn main() -> ExitCode {
    #[cfg(feature = "engine")]
    if std::env::args_os().next().is_some_and(|name| name == wharf::engine::shim::PROGRAM) {
        return wharf::engine::shim::main();
    }
    let Verb::Serve { listen, root, state } = Arguments::parse().verb;
    tracing_subscriber::fmt().with_env_filter("info").with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("wharf: start the async runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        let engine = wharf::engine::Engine::open(wharf::engine::Config::new(&root, &state)).await?;
        let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|e| wharf::error::Error::io("listen for", "SIGTERM", e))?;
        let stop = async {
            tokio::select! { _ = end.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
        };
        wharf::engine::serve::serve(engine, &listen, stop).await
    });
    if let Err(error) = done {
        eprintln!("wharf: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
