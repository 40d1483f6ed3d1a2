//! Medians, and the tables they are printed in: a column a runtime, and ours divided by each of the others.

use std::time::Duration;

pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    pub fn new<'a>(title: &str, columns: impl Iterator<Item = &'a str>) -> Self {
        Self { title: title.to_owned(), columns: columns.map(ToOwned::to_owned).collect(), rows: Vec::new() }
    }

    pub fn row(&mut self, name: &str, values: impl Iterator<Item = f64>) {
        self.rows.push((name.to_owned(), values.collect()));
    }

    /// As Markdown.
    pub fn print(&self) {
        let is_ours = |name: &str| name.starts_with("wharf");
        let pairs: Vec<(usize, usize)> = (0..self.columns.len())
            .filter(|ours| is_ours(&self.columns[*ours]))
            .flat_map(|ours| (0..self.columns.len()).map(move |theirs| (ours, theirs)))
            .filter(|(_, theirs)| !is_ours(&self.columns[*theirs]))
            .collect();
        let mut head = vec![self.title.clone()];
        head.extend(self.columns.iter().cloned());
        head.extend(pairs.iter().map(|(ours, theirs)| {
            format!("{} / {}", self.columns[*ours], self.columns[*theirs].trim_start_matches("containerd+"))
        }));
        let mut lines = vec![head, Vec::new()];
        lines[1] = lines[0].iter().map(|_| "---".to_owned()).collect();
        for (name, values) in &self.rows {
            let mut line = vec![name.clone()];
            line.extend(values.iter().map(|v| if *v < 10.0 { format!("{v:.2}") } else { format!("{v:.1}") }));
            line.extend(pairs.iter().map(|(ours, theirs)| format!("{:.2}", values[*ours] / values[*theirs])));
            lines.push(line);
        }
        println!();
        for line in lines {
            println!("| {} |", line.join(" | "));
        }
    }
}

/// The least that this part of them does not exceed.
pub fn quantile(values: &[Duration], part: f64) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort();
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

pub fn median(values: &[Duration]) -> Duration {
    let mut sorted = values.to_vec();
    sorted.sort();
    sorted[sorted.len() / 2]
}
