//! `journal`: what was changed on this node through wharf, by whom, and what came of it.

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::output::{Format, Out, Table};
use crate::{client::audit, error::Result};

/// Flags of `journal`.
#[derive(Debug, Args)]
pub struct Journal {
    /// How many of the newest
    #[arg(short = 'n', long, default_value_t = 50, value_name = "COUNT")]
    lines: usize,
    #[arg(short, long, default_value = "table")]
    output: Format,
}

pub fn journal(out: &mut Out, args: &Journal) -> Result<u8> {
    let entries = audit::last(&audit::path(), args.lines)?;
    if args.output != Format::Table {
        return out.value(&json!({ "entries": entries }), args.output).map(|()| 0);
    }
    let mut table = Table::new(&["TIME", "WHO", "WHAT", "RESULT"]);
    for entry in entries {
        let at =
            Timestamp::try_from(entry.at).map(|t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string()).unwrap_or_default();
        let change = entry.before.zip(entry.after.filter(|a| !a.contains('\n'))).map(|(b, a)| format!(" ({b} -> {a})"));
        let what = format!("{}{}", entry.what, change.unwrap_or_default());
        table.row([at, entry.who, what, entry.error.map_or("done".to_owned(), |e| format!("failed: {e}"))]);
    }
    out.table(&table).map(|()| 0)
}
