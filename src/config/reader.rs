//! The thin part that touches files: a text of bounded size, nothing parsed.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use crate::{
    bail,
    error::{Error, Result},
};

/// More than any configuration a person or a program writes.
const MOST: u64 = 4 << 20;

/// # Errors
/// `NotFound`, `PermissionDenied`, `InvalidArgument` for what is too large or not UTF-8.
pub fn text(path: &Path) -> Result<String> {
    // Before it is opened: a pipe would wait for its writer.
    if !fs::metadata(path).map_err(|e| Error::io("look at", path, e))?.is_file() {
        bail!(InvalidArgument, "{} is not a file", path.display());
    }
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut text = String::new();
    file.take(MOST + 1).read_to_string(&mut text).map_err(|e| Error::io("read", path, e))?;
    if text.len() as u64 > MOST {
        bail!(InvalidArgument, "{} has more than {MOST} bytes", path.display());
    }
    Ok(text)
}

/// The text, or `None` where there is no such file.
pub fn text_if_there(path: &Path) -> Result<Option<String>> {
    match text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is(crate::error::Kind::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
