//! GetContainerEvents: what the kubelet's evented PLEG relies on.

use std::time::Duration;

use futures::StreamExt;
use wharf::proto::cri::{self, ContainerEventType as Type};

use super::streaming::node;

#[test]
fn events_come_in_order_with_the_statuses_of_their_moment() {
    let Some(node) = node("events") else { return };
    let (pod_config, config) = (node.pod_config("p", |_| ()), node.container_config("c", "exit 3", |_| ()));
    let (events, pod, container) = node.with_client(async |client| {
        let mut stream =
            client.runtime_service().get_container_events(cri::GetEventsRequest {}).await.unwrap().into_inner();
        let (node, pod_config, config) = (&node, &pod_config, &config);
        let (pod, container) = std::thread::scope(|scope| {
            scope
                .spawn(move || {
                    let pod = node.ok(&["runp", pod_config]);
                    let container = node.ok(&["create", &pod, config, pod_config]);
                    node.ok(&["start", &container]);
                    super::streaming::until("its end", || {
                        node.json(&["inspect", &container])["status"]["state"] == "CONTAINER_EXITED"
                    });
                    node.ok(&["rm", &container]);
                    node.ok(&["stopp", &pod]);
                    node.ok(&["rmp", &pod]);
                    (pod, container)
                })
                .join()
                .unwrap()
        });
        let mut events = Vec::new();
        while events.len() < 8 {
            let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
            events.push(next.unwrap_or_else(|_| panic!("only {events:#?}")).unwrap().unwrap());
        }
        (events, pod, container)
    });
    let happened: Vec<_> = events.iter().map(|e| (e.container_id.as_str(), e.container_event_type())).collect();
    let (p, c) = (pod.as_str(), container.as_str());
    let expected = [
        (p, Type::ContainerCreatedEvent),
        (p, Type::ContainerStartedEvent),
        (c, Type::ContainerCreatedEvent),
        (c, Type::ContainerStartedEvent),
        (c, Type::ContainerStoppedEvent),
        (c, Type::ContainerDeletedEvent),
        (p, Type::ContainerStoppedEvent),
        (p, Type::ContainerDeletedEvent),
    ];
    assert_eq!(happened, expected);
    let status = |at: usize| events[at].containers_statuses.first().map(|s| (s.id.clone(), s.state(), s.exit_code));
    use cri::ContainerState as State;
    assert_eq!(status(0), None);
    assert_eq!(status(2), Some((container.clone(), State::ContainerCreated, 0)));
    assert_eq!(status(3), Some((container.clone(), State::ContainerRunning, 0)));
    assert_eq!(status(4), Some((container.clone(), State::ContainerExited, 3)));
    assert_eq!(status(5), None);
    for (at, event) in events.iter().enumerate() {
        let sandbox = event.pod_sandbox_status.as_ref();
        assert_eq!(sandbox.map(|s| s.id.as_str()), (at < 7).then_some(p), "{at}");
        if let Some(sandbox) = sandbox {
            assert_eq!(
                sandbox.state(),
                if at < 6 { cri::PodSandboxState::SandboxReady } else { cri::PodSandboxState::SandboxNotready }
            );
        }
    }
    assert!(events.windows(2).all(|w| w[0].created_at <= w[1].created_at));
    node.end();
}

#[test]
fn somebody_who_listens_keeps_no_engine_from_its_end() {
    let Some(node) = node("listener") else { return };
    let socket = node.socket();
    let listener = std::thread::spawn(move || {
        let here = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        here.block_on(async {
            let client = wharf::client::Cri::attach(&socket, false).await.unwrap();
            let request = cri::GetEventsRequest {};
            let mut stream = client.runtime_service().get_container_events(request).await.unwrap().into_inner();
            while let Some(Ok(_)) = stream.next().await {}
        });
    });
    node.running("c", "sleep 1000", |_| ());
    node.end();
    listener.join().unwrap();
}
