//! `doctor --watch`: the same examination again and again; changes on the output, all findings for Prometheus.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::Patient;
use crate::{
    cli::{backend, output::Out},
    error::{Error, Result},
    runbook::{Params, Report, Runbook, Verdict},
};

/// For a scrape's request and answer.
const SCRAPE: Duration = Duration::from_secs(5);

/// Until SIGTERM.
pub async fn watch(
    patient: &Patient,
    books: &[&'static Runbook],
    params: &Params,
    out: &mut Out,
    every: Duration,
    metrics: Option<SocketAddr>,
) -> Result<u8> {
    let page = Arc::new(Mutex::new(String::new()));
    let server = match metrics {
        Some(address) => {
            let listener =
                TcpListener::bind(address).await.map_err(|e| Error::io("listen on", address.to_string(), e))?;
            Some(tokio::spawn(serve(listener, Arc::clone(&page))))
        }
        None => None,
    };
    let mut ended = std::pin::pin!(backend::ended());
    let mut last: BTreeMap<String, (Verdict, Option<String>)> = BTreeMap::new();
    let done = loop {
        let began = Instant::now();
        let (reports, _) = tokio::select! {
            done = patient.examine(books, params) => done,
            ended = &mut ended => break ended.map(|_| 0),
        };
        *page.lock().unwrap_or_else(PoisonError::into_inner) = render(&reports, began.elapsed());
        for report in &reports {
            let now = (report.verdict, report.cause.clone());
            if last.get(&report.book) != Some(&now) {
                let summary = report.decisive().map(|s| format!(": {}", s.finding.summary)).unwrap_or_default();
                let cause = now.1.as_ref().map(|c| format!(" [{c}]")).unwrap_or_default();
                out.line(&format!("{} {}{cause}{summary}", report.book, report.verdict.word()))?;
                last.insert(report.book.clone(), now);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            ended = &mut ended => break ended.map(|_| 0),
        }
    };
    if let Some(server) = server {
        server.abort();
    }
    done
}

/// Prometheus' text format, version 0.0.4.
fn render(reports: &[Report], took: Duration) -> String {
    let mut text = String::from(
        "# HELP wharf_check Verdict of a check: 0 not applicable, 1 pass, 2 warn, 3 unknown, 4 fail.\n# TYPE wharf_check gauge\n",
    );
    // Writing to a string does not fail.
    for report in reports {
        for step in &report.steps {
            let _ = writeln!(
                text,
                "wharf_check{{runbook=\"{}\",check=\"{}\"}} {}",
                report.book, step.check, step.finding.verdict as u8
            );
        }
    }
    text.push_str("# HELP wharf_cause A proven cause; 1 while it is found.\n# TYPE wharf_cause gauge\n");
    for report in reports {
        if let Some(cause) = &report.cause {
            let _ = writeln!(text, "wharf_cause{{runbook=\"{}\",cause=\"{cause}\"}} 1", report.book);
        }
    }
    text.push_str("# HELP wharf_examination_seconds How long the last examination took.\n# TYPE wharf_examination_seconds gauge\n");
    let _ = writeln!(text, "wharf_examination_seconds {:.3}", took.as_secs_f64());
    text
}

async fn serve(listener: TcpListener, page: Arc<Mutex<String>>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let text = page.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(async move {
                    if tokio::time::timeout(SCRAPE, answer(stream, text)).await.is_err() {
                        tracing::debug!("a scrape took too long");
                    }
                });
            }
            Err(error) => {
                tracing::warn!("accept a scrape: {error}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn answer(mut stream: TcpStream, text: String) -> std::io::Result<()> {
    let mut head = [0; 2048];
    let length = stream.read(&mut head).await?;
    let found = head[..length].starts_with(b"GET /metrics") || head[..length].starts_with(b"GET / ");
    let (status, body) = if found { ("200 OK", text) } else { ("404 Not Found", String::new()) };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
