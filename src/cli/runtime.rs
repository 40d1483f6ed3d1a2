//! `info`, `version`, `runtime-config`, `update-runtime-config`, `events`.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::{
    backend::Backend,
    output::{Format, Out, to_value},
    status,
};
use crate::{
    error::{Error, Result},
    proto::cri,
};

#[derive(Debug, Args)]
pub struct Info {
    #[arg(short, long, default_value = "json")]
    output: Format,
    /// Without what the runtime adds to the status
    #[arg(short, long)]
    quiet: bool,
}

pub async fn info(backend: &Backend, out: &mut Out, args: Info) -> Result<u8> {
    let mut pods = backend.pods();
    let call = pods.status(cri::StatusRequest { verbose: !args.quiet });
    let answer = backend.ask("ask the runtime for its status", call).await?;
    if args.output == Format::Table {
        for condition in answer.status.unwrap_or_default().conditions {
            let cri::RuntimeCondition { r#type, status, reason, message } = condition;
            let why = if reason.is_empty() { String::new() } else { format!(" ({reason}: {message})") };
            out.line(&format!("{type}: {status}{why}"))?;
        }
        return Ok(0);
    }
    let mut value = status::shape(to_value(&answer.status)?, &answer.info);
    if !answer.runtime_handlers.is_empty() {
        value["runtimeHandlers"] = proto_names(to_value(&answer.runtime_handlers)?);
    }
    if let Some(features) = &answer.features {
        value["features"] = proto_names(to_value(features)?);
    }
    out.value(&super::output::sorted(&value), args.output)?;
    Ok(0)
}

/// crictl leaves handlers and features in the protocol's own names, without what is false or empty.
fn proto_names(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(proto_names).collect()),
        Value::Object(fields) => {
            let name = |camel: String| {
                camel.chars().fold(String::new(), |mut name, c| {
                    if c.is_ascii_uppercase() {
                        name.push('_');
                    }
                    name.push(c.to_ascii_lowercase());
                    name
                })
            };
            let set = fields.into_iter().filter(|(_, v)| *v != false && *v != "");
            Value::Object(set.map(|(n, v)| (name(n), proto_names(v))).collect())
        }
        other => other,
    }
}

pub async fn version(backend: &Backend, out: &mut Out) -> Result<u8> {
    let mut pods = backend.pods();
    let call = pods.version(cri::VersionRequest { version: "v1".to_owned() });
    let answer = backend.ask("ask the runtime for its version", call).await?;
    out.line(&format!("Version:  {}", answer.version))?;
    out.line(&format!("RuntimeName:  {}", answer.runtime_name))?;
    out.line(&format!("RuntimeVersion:  {}", answer.runtime_version))?;
    out.line(&format!("RuntimeApiVersion:  {}", answer.runtime_api_version))?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct RuntimeConfig {
    #[arg(short, long, default_value = "table")]
    output: Format,
}

pub async fn runtime_config(backend: &Backend, out: &mut Out, args: RuntimeConfig) -> Result<u8> {
    let mut pods = backend.pods();
    let call = pods.runtime_config(cri::RuntimeConfigRequest {});
    let answer = backend.ask("ask the runtime for its configuration", call).await?;
    if args.output != Format::Table {
        out.message(&answer, args.output)?;
    } else if let Some(linux) = &answer.linux {
        out.line(&format!("cgroup driver:   {}", linux.cgroup_driver().as_str_name()))?;
    }
    Ok(0)
}

#[derive(Debug, Args)]
pub struct UpdateRuntimeConfig {
    /// The range the pods' addresses come from
    #[arg(short, long)]
    pod_cidr: String,
}

pub async fn update_runtime_config(backend: &Backend, out: &mut Out, args: UpdateRuntimeConfig) -> Result<u8> {
    let network_config = Some(cri::NetworkConfig { pod_cidr: args.pod_cidr });
    let request = cri::UpdateRuntimeConfigRequest { runtime_config: Some(cri::RuntimeConfig { network_config }) };
    let mut pods = backend.pods();
    let call = pods.update_runtime_config(request);
    backend.change(Duration::ZERO, "update the runtime's configuration", call).await?;
    out.line("Runtime config successfully updated")?;
    Ok(0)
}

#[derive(Debug, Args)]
pub struct Events {
    #[arg(short, long, default_value = "json")]
    output: Format,
}

pub async fn events(backend: &Backend, out: &mut Out, args: Events) -> Result<u8> {
    let failed = |e: tonic::Status| Error::from(e).context("follow the runtime's events");
    let mut events = backend.pods().get_container_events(cri::GetEventsRequest {}).await.map_err(failed)?.into_inner();
    while let Some(event) = events.message().await.map_err(failed)? {
        if args.output == Format::Table {
            let at = super::figures::stamp(event.created_at);
            out.line(&format!("{at} {} {}", event.container_event_type().as_str_name(), event.container_id))?;
        } else {
            out.message(&event, args.output)?;
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_have_the_protocols_names() {
        let value =
            serde_json::json!([{"name": "", "features": {"recursiveReadOnlyMounts": true, "userNamespaces": false}}]);
        let expected = serde_json::json!([{"features": {"recursive_read_only_mounts": true}}]);
        assert_eq!(proto_names(value), expected);
    }
}
