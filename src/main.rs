//! Which program this is to be; arguments and exit codes are the command line's.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(feature = "engine")]
    {
        let name = std::env::args_os().next().unwrap_or_default();
        let name = std::path::Path::new(&name).file_name().unwrap_or_default();
        if name == wharf::engine::shim::PROGRAM {
            return wharf::engine::shim::main();
        }
        if name == wharf::engine::image::unpack::PROGRAM {
            return wharf::engine::image::unpack::main();
        }
        if name == "sh" {
            return wharf::demo::shell_main();
        }
    }
    wharf::cli::main()
}
