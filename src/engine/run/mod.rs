//! The built-in OCI runtime: a runtime-spec `config.json` becomes a process. Used only in a single-threaded process (the shim).
