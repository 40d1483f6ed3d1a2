//! Lists and statuses over the fake server: columns, filters, shapes.

use serde_json::Value;

use super::{
    fake::{Fake, id},
    wharf,
};

async fn lines(fake: &Fake, words: &[&str]) -> Vec<String> {
    let ran = wharf(&fake.endpoint, words).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{words:?}");
    ran.out.lines().map(str::to_owned).collect()
}

/// Cells of a line; columns are at least two spaces apart.
fn cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()
}

#[tokio::test]
async fn ps_shows_running_containers_in_crictls_columns() {
    let fake = Fake::start();
    let table = lines(&fake, &["ps"]).await;
    let header = ["CONTAINER", "IMAGE", "CREATED", "STATE", "NAME", "ATTEMPT", "POD ID", "POD", "NAMESPACE"];
    assert_eq!(cells(&table[0]), header);
    let row = [
        "c100000000000",
        "e100000000000",
        "About a minute ago",
        "Running",
        "server",
        "2",
        "aa10000000000",
        "web",
        "default",
    ];
    assert_eq!(cells(&table[1]), row);
    assert_eq!(table.len(), 2);
}

#[tokio::test]
async fn ps_filters() {
    let fake = Fake::start();
    for (words, expected) in [
        (&["-q"][..], &["c1"][..]),
        (&["-aq"], &["c1", "c2", "c3"]),
        (&["-q", "-s", "Exited"], &["c2", "c3"]),
        (&["-q", "-l"], &["c1"]),
        (&["-q", "-n", "2"], &["c1", "c2"]),
        (&["-aq", "--id", "c3"], &["c3"]),
        (&["-aq", "-p", "aa1"], &["c1", "c2", "c3"]),
        (&["-aq", "-p", "aa2"], &[]),
        (&["-aq", "--name", "^serv"], &["c1", "c2", "c3"]),
        (&["-aq", "--name", "^erv"], &[]),
        (&["-aq", "--namespace", "^default$"], &["c1", "c2", "c3"]),
        (&["-aq", "--image", "registry.test/server:1"], &["c1", "c2", "c3"]),
        (&["-aq", "--image", "pause:3.10"], &[]),
        (&["-aq", "--image", "not-here"], &[]),
        (&["-aq", "--label", "io.kubernetes.pod.name=web"], &["c1", "c2", "c3"]),
        (&["-aq", "--label", "io.kubernetes.pod.name=dns"], &[]),
    ] {
        let words: Vec<_> = std::iter::once("ps").chain(words.iter().copied()).collect();
        let expected: Vec<_> = expected.iter().map(|e| id(e)).collect();
        assert_eq!(lines(&fake, &words).await, expected, "{words:?}");
    }
    let ran = wharf(&fake.endpoint, &["ps", "-s", "dead"]).await;
    assert!(ran.code == 1 && ran.err.contains("created, running, exited or unknown"), "{}", ran.err);
    let named = lines(&fake, &["ps", "-r", "--no-trunc"]).await;
    assert!(named[1].starts_with(&id("c1")) && named[1].contains("registry.test/server:1"), "{}", named[1]);
}

#[tokio::test]
async fn pods_and_their_filters() {
    let fake = Fake::start();
    let table = lines(&fake, &["pods"]).await;
    assert_eq!(cells(&table[0]), ["POD ID", "CREATED", "STATE", "NAME", "NAMESPACE", "ATTEMPT", "RUNTIME"]);
    assert_eq!(cells(&table[2]), ["aa20000000000", "3 days ago", "NotReady", "dns", "kube-system", "1", "(default)"]);
    for (words, expected) in [
        (&["-q"][..], &["aa1", "aa2"][..]),
        (&["-q", "-s", "ready"], &["aa1"]),
        (&["-q", "-s", "NotReady"], &["aa2"]),
        (&["-q", "--latest"], &["aa1"]),
        (&["-q", "--id", "aa2"], &["aa2"]),
        (&["-q", "--name", "d.s"], &["aa2"]),
        (&["-q", "--namespace", "kube"], &["aa2"]),
        (&["-q", "--label", "app=web"], &["aa1"]),
    ] {
        let words: Vec<_> = std::iter::once("pods").chain(words.iter().copied()).collect();
        assert_eq!(lines(&fake, &words).await, expected.iter().map(|e| id(e)).collect::<Vec<_>>(), "{words:?}");
    }
    let verbose = lines(&fake, &["pods", "-v", "--name", "web"]).await.join("\n");
    assert!(verbose.contains("Annotations:\n\ta -> 1\n\tb -> 2\n"), "{verbose}");
}

#[tokio::test]
async fn images_by_tag() {
    let fake = Fake::start();
    let table = lines(&fake, &["images", "--digests", "--pinned"]).await;
    assert_eq!(cells(&table[0]), ["IMAGE", "TAG", "DIGEST", "IMAGE ID", "SIZE", "PINNED"]);
    let rows: Vec<_> = table[1..].iter().map(|l| cells(l)).collect();
    assert_eq!(rows[0], ["registry.test/pause", "3.10", "d000000000000", "e200000000000", "320kB", "true"]);
    assert_eq!(rows[1][..2], ["pause", "3.10"]);
    assert_eq!(rows[2][..2], ["registry.test/server", "1"]);
    assert_eq!(rows[3], ["registry.test/e3", "<none>", "d000000000000", "e300000000000", "100MB", "false"]);
    assert_eq!(lines(&fake, &["img", "-q", "pause:3.10"]).await, [format!("sha256:{}", id("e2"))]);
    assert_eq!(lines(&fake, &["images", "-q", "-f", "dangling=true"]).await, [format!("sha256:{}", id("e3"))]);
    assert!(lines(&fake, &["images", "-v"]).await.contains(&"Pinned: true".to_owned()));
}

#[tokio::test]
async fn statuses() {
    let fake = Fake::start();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let one = json(&wharf(&fake.endpoint, &["inspect", "c1"]).await.out);
    assert_eq!((&one["info"]["pid"], &one["status"]["state"]), (&43.into(), &"CONTAINER_RUNNING".into()));
    assert!(one["status"]["createdAt"].as_str().unwrap().ends_with('Z'));
    let quiet = json(&wharf(&fake.endpoint, &["inspect", "-q", "c1"]).await.out);
    assert!(quiet.get("info").is_none());
    let two = json(&wharf(&fake.endpoint, &["inspect", "-a", "--name", "server", "-n", "2"]).await.out);
    assert_eq!(two.as_array().unwrap().len(), 2);
    let pod = json(&wharf(&fake.endpoint, &["inspectp", "web"]).await.out);
    assert_eq!((&pod["status"]["network"]["ip"], &pod["info"]["pid"]), (&"10.0.0.7".into(), &42.into()));
    let yaml = wharf(&fake.endpoint, &["inspecti", "-o", "yaml", "pause:3.10"]).await.out;
    assert!(yaml.contains("pinned: true") && yaml.starts_with("info:"), "{yaml}");
    for (words, says) in [
        (&["inspect", "zz"][..], "there is no container zz"),
        (&["inspect", "c"], "could be any of 3 containers"),
        (&["inspectp", "--name", "nobody"], "no pod matches"),
        (&["inspecti", "nothing"], "there is no image nothing"),
    ] {
        let ran = wharf(&fake.endpoint, words).await;
        assert!(ran.code == 1 && ran.err.contains(says), "{words:?}: {}", ran.err);
    }
}

#[tokio::test]
async fn the_runtime_about_itself() {
    let fake = Fake::start();
    assert_eq!(lines(&fake, &["version"]).await[1], "RuntimeName:  fake");
    let info: Value = serde_json::from_str(&wharf(&fake.endpoint, &["info"]).await.out).unwrap();
    assert_eq!(info["config"]["a"]["b"][1], 2);
    assert_eq!(info["runtimeHandlers"][0]["features"]["recursive_read_only_mounts"], true);
    assert!(wharf(&fake.endpoint, &["runtime-config", "-o", "json"]).await.out.contains("CGROUPFS"));
    let events = wharf(&fake.endpoint, &["events"]).await.out;
    assert_eq!(events.matches("CONTAINER_STARTED_EVENT").count(), 1, "{events}");
    let stats = lines(&fake, &["stats", "-s", "0.01"]).await;
    assert_eq!(cells(&stats[1])[..6], ["c100000000000", "server", "25.00", "12.35MB", "4.096kB", "7"]);
    assert_eq!(lines(&fake, &["stats", "-a", "-s", "0.01"]).await.len(), 4);
    let ran = wharf(&fake.endpoint, &["metricsp"]).await;
    assert!(ran.code == 1 && ran.err.starts_with("wharf: metricsp: ask for the pods' metrics: "), "{}", ran.err);
}
