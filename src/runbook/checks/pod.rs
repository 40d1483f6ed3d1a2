//! What the pod brings to a pull: its policy, and the secrets that shall open the registry.

use super::{class, image::asked, incidents::listed};
use crate::runbook::{
    Check, Cite, Evidence, Fact, Finding, Missing,
    pulls::{self, PodPull, PullSecret, SecretState},
    registry::Outcome,
};

pub static POLICY: Check = Check {
    id: "pull-policy",
    title: "May the kubelet pull it at all?",
    needs: &[Fact::Image, Fact::Inventory],
    command: |seen| {
        let (namespace, name) = of(seen);
        format!(
            "kubectl -n {namespace} get pod {name} -o custom-columns=I:.spec.containers[*].image,P:.spec.containers[*].imagePullPolicy"
        )
    },
    judge: policy,
};

pub static SECRETS: Check = Check {
    id: "pull-secrets",
    title: "Can the pod's pull secrets be used for this registry?",
    needs: &[Fact::Image, Fact::Cluster, Fact::Kubelet],
    command: |seen| {
        let (namespace, name) = of(seen);
        format!(
            "kubectl -n {namespace} get pod {name} -o jsonpath='{{.spec.imagePullSecrets}}'; kubectl -n {namespace} get secrets"
        )
    },
    judge: secrets,
};

fn of(seen: &Evidence) -> (String, String) {
    let name = seen.image.value().and_then(|i| i.pod.as_ref()).and_then(|p| p.name.split_once('/'));
    name.map_or(("NAMESPACE".to_owned(), "POD".to_owned()), |(a, b)| (a.to_owned(), b.to_owned()))
}

fn policy(seen: &Evidence) -> Result<Finding, Missing> {
    let image = seen.image()?;
    let (Some(pod), Some(name)) = (&image.pod, &image.asked) else {
        return Ok(Finding::not_applicable(super::cluster::NO_POD));
    };
    Ok(match pod.policy.as_str() {
        "" => Finding::not_applicable(format!("nobody told the imagePullPolicy of {}", pod.name)),
        "Never" if pulls::is_here(listed(&seen.inventory()?.images, "images")?, name) => {
            Finding::pass("never, and it is here")
        }
        "Never" => Finding::cause(
            "never-pulled",
            format!(
                "{name} is not on this node, and imagePullPolicy of container {} is Never (ErrImageNeverPull)",
                pod.container
            ),
        )
        .advise("wharf images import FILE or crictl pull puts it here; or IfNotPresent lets the kubelet pull it"),
        policy => Finding::pass(policy),
    }
    .cite(format!("imagePullPolicy {}", pod.policy), image.because.clone()))
}

fn secrets(seen: &Evidence) -> Result<Finding, Missing> {
    let (facts, trial) = asked!(seen);
    let Some(pod) = &facts.pod else {
        return Ok(Finding::not_applicable(super::cluster::NO_POD));
    };
    if let Some(alone) = class::alone(seen)? {
        return Ok(alone);
    }
    if let Some(why) = &pod.unknown {
        return Err(Missing {
            fact: Fact::Image,
            because: format!("which secrets {} names is not known: {why}", pod.name),
        });
    }
    if pod.secrets.is_empty() {
        return Ok(Finding::pass(format!("{} names none: only the node's own credentials count", pod.name)));
    }
    if pod.secrets.iter().any(|s| s.state == SecretState::Good) {
        return Ok(Finding::pass("yes").cites(pod.secrets.iter().map(|s| cite(pod, s))));
    }
    let refused = trial.realm.iter().any(|e| matches!(e.status, Some(401 | 403)))
        || matches!(trial.outcome, Outcome::Unauthorized | Outcome::Denied);
    if let Some(unread) = pod.secrets.iter().find_map(|s| match &s.state {
        SecretState::Unread(why) => Some(why.clone()),
        _ => None,
    }) {
        return Err(Missing { fact: Fact::Image, because: unread });
    }
    let registry = facts.reference.as_ref().map(|r| r.registry.clone()).unwrap_or_default();
    let (cause, what) = wrong(pod, &registry);
    let finding = if refused { Finding::cause(cause, what) } else { Finding::warn(what) };
    Ok(finding.cites(pod.secrets.iter().map(|s| cite(pod, s))).advise(format!(
        "kubectl -n {} create secret docker-registry NAME --docker-server={registry} --docker-username=… --docker-password=…, and that name in imagePullSecrets of the pod or of its service account",
        pod.name.split('/').next().unwrap_or_default()
    )))
}

/// None of them is good: the first one's trouble.
fn wrong(pod: &PodPull, registry: &str) -> (&'static str, String) {
    let name = &pod.name;
    match pod.secrets.iter().find(|s| s.state != SecretState::Good) {
        Some(PullSecret { name: secret, state: SecretState::Missing }) => (
            "pull-secret-missing",
            format!(
                "{name} names the pull secret {secret}, which is not in its namespace: the kubelet goes on without"
            ),
        ),
        Some(PullSecret { name: secret, state: SecretState::Broken(why) }) => {
            ("pull-secret-broken", format!("the pull secret {secret} of {name} cannot be used: {why}"))
        }
        _ => ("pull-secret-other-registry", format!("no pull secret of {name} has a login for {registry}")),
    }
}

fn cite(pod: &PodPull, secret: &PullSecret) -> Cite {
    let text = match &secret.state {
        SecretState::Good => "has a login for this registry".to_owned(),
        SecretState::Missing => "is not there".to_owned(),
        SecretState::Broken(why) | SecretState::Unread(why) => why.clone(),
        SecretState::Other(all) if all.is_empty() => "has no login at all".to_owned(),
        SecretState::Other(all) => format!("has logins for {}", all.join(", ")),
    };
    let namespace = pod.name.split('/').next().unwrap_or_default();
    Cite { text: format!("{}: {text}", secret.name), source: format!("secrets of namespace {namespace}") }
}
