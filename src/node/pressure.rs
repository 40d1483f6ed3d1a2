//! Pressure stall information (Documentation/accounting/psi.rst): how long tasks waited for CPU, memory and I/O.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{below, read};
use crate::error::{Error, Kind, Result};

/// Percent of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PressureFacts {
    pub cpu: Stall,
    pub memory: Stall,
    pub io: Stall,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// At least one task waited, mean over 10 s and 60 s.
    pub some: [f32; 2],
    /// All tasks waited.
    pub full: [f32; 2],
}

/// # Errors
/// `NotFound` on a kernel without it (`psi=0`, or before 4.20).
pub fn collect(root: &Path) -> Result<PressureFacts> {
    let one = |name: &str| parse(&read(&below(root, format!("/proc/pressure/{name}")))?);
    Ok(PressureFacts { cpu: one("cpu")?, memory: one("memory")?, io: one("io")? })
}

pub(super) fn parse(text: &str) -> Result<Stall> {
    let line = |kind: &str| -> Option<[f32; 2]> {
        let line = text.lines().find_map(|l| l.strip_prefix(kind))?;
        let figure = |name: &str| line.split(' ').find_map(|f| f.strip_prefix(name)?.parse().ok());
        Some([figure("avg10=")?, figure("avg60=")?])
    };
    let some = line("some ").ok_or_else(|| Error::new(Kind::DataLoss, format!("{text:?} is no pressure file")))?;
    Ok(Stall { some, full: line("full ").unwrap_or_default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel() {
        let stall =
            parse("some avg10=1.50 avg60=2.00 avg300=0.00 total=1\nfull avg10=0.25 avg60=0.00 avg300=0.00 total=0\n");
        assert_eq!(stall.unwrap(), Stall { some: [1.5, 2.0], full: [0.25, 0.0] });
        assert!(parse("nonsense").is_err());
    }
}
