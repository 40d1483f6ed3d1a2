//! What the API server says of one pod: its events, as `kubectl describe pod` ends with them.

use super::class;
use crate::runbook::{Check, Cite, Evidence, Fact, Finding, Missing, cluster::Part};

pub(super) const NO_POD: &str = "no pod is named: ! on one in the app, or --set pod=NAMESPACE/NAME";

pub static EVENTS: Check = Check {
    id: "pod-events",
    title: "What do the pod's events say?",
    needs: &[Fact::Cluster, Fact::Kubelet],
    command: |seen| {
        let (pod, namespace) = (seen.param("pod").unwrap_or("POD"), seen.param("namespace").unwrap_or("default"));
        format!("kubectl -n {namespace} describe pod {pod} | sed -n '/^Events/,$p'")
    },
    judge: events,
};

fn events(seen: &Evidence) -> Result<Finding, Missing> {
    if let Some(alone) = class::alone(seen)? {
        return Ok(alone);
    }
    let Some(pod) = seen.param("pod") else {
        return Ok(Finding::not_applicable(NO_POD));
    };
    let cluster = seen.cluster()?.with(Part::Events)?;
    let namespace = seen.param("namespace").unwrap_or("default");
    let source = format!("{}/api/v1/namespaces/{namespace}/events", cluster.server);
    let bad: Vec<_> = cluster.events.iter().filter(|e| e.kind == "Warning").collect();
    let cites = bad.iter().rev().take(5).map(|e| Cite {
        text: format!(
            "{}: {}{}",
            e.reason,
            e.message,
            if e.count > 1 { format!(" ({} times)", e.count) } else { String::new() }
        ),
        source: source.clone(),
    });
    Ok(match bad.last() {
        Some(last) => {
            Finding::warn(format!("{} warnings about {namespace}/{pod}, the last: {}", bad.len(), last.reason))
        }
        None if cluster.events.is_empty() => {
            Finding::pass("none are left").cite("the API server keeps them for an hour", source.clone())
        }
        None => Finding::pass(format!("{} events, no warning", cluster.events.len())),
    }
    .cites(cites))
}
