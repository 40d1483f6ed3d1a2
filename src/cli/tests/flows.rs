//! Changes over the fake server: what is asked of it, in which order, what is said, what is refused.

use std::fs;

use super::{fake::Fake, wharf};

#[tokio::test]
async fn stop_start_remove() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["stop", "-t", "5", "c1", "nobody"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "c1\n"));
    assert_eq!(ran.err, "wharf: there is no container nobody\n");
    let ran = wharf(&fake.endpoint, &["start", "c1"]).await;
    assert_eq!(ran.out, "c1\n");
    let ran = wharf(&fake.endpoint, &["rm", "c1", "c2"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (1, "c2\n"));
    assert!(ran.err.contains("it is running; stop it first, or say -f"), "{}", ran.err);
    assert_eq!(wharf(&fake.endpoint, &["rm", "-fa"]).await.code, 0);
    assert_eq!(fake.done(), ["stop c1 5", "start c10", "remove c2", "stop c1 0", "remove c1", "remove c3"]);
}

#[tokio::test]
async fn pods_stop_before_they_go() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["rmp", "-a"]).await;
    assert_eq!((ran.code, ran.out.lines().count()), (1, 1));
    let ran = wharf(&fake.endpoint, &["rmp", "-f", "web"]).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "Removed sandbox web\n"));
    assert_eq!(fake.done(), ["remove pod aa2", "stop pod aa1", "remove pod aa1"]);
    let fake = Fake::start();
    assert_eq!(wharf(&fake.endpoint, &["stopp", "aa1"]).await.out, "Stopped sandbox aa1\n");
}

#[tokio::test]
async fn read_only_asks_for_no_change() {
    let fake = Fake::start();
    for words in [
        &["--read-only", "stop", "c1"][..],
        &["--read-only", "rm", "-f", "c1"],
        &["--read-only", "stopp", "aa1"],
        &["--read-only", "rmi", "pause:3.10"],
        &["--read-only", "rmi", "--prune"],
        &["--read-only", "pull", "x"],
        &["--read-only", "prune", "--yes"],
        &["--read-only", "exec", "-s", "c1", "ls"],
        &["--read-only", "run", "-d", "x"],
        &["--read-only", "update", "--memory", "1m", "c1"],
    ] {
        let ran = wharf(&fake.endpoint, words).await;
        assert!(ran.code == 1 && ran.err.contains("--read-only"), "{words:?}: {}", ran.err);
    }
    assert!(fake.done().is_empty(), "{:?}", fake.done());
    assert_eq!(wharf(&fake.endpoint, &["--read-only", "ps"]).await.code, 0);
}

#[tokio::test]
async fn images_go_by_name_and_by_plan() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["rmi", "pause:3.10", "gone"]).await;
    assert_eq!((ran.code, ran.out.lines().next()), (1, Some("Deleted: registry.test/pause:3.10 Deleted: pause:3.10")));
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["rmi", "--prune"]).await;
    assert_eq!((ran.code, fake.done()), (0, vec!["remove image e3".to_owned()]), "{}", ran.err);
    let ran = wharf(&fake.endpoint, &["rmi", "-q"]).await;
    assert_eq!((ran.code, ran.err.as_str()), (0, "no images to remove\n"));
}

#[tokio::test]
async fn prune_shows_its_plan_and_needs_a_yes() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["prune", "--dry-run"]).await;
    assert_eq!((ran.code, fake.done().len()), (0, 0));
    for says in ["a newer attempt did too", "it is pinned", "no container uses it", "still wanted", "freed"] {
        assert!(ran.out.contains(says), "{says}: {}", ran.out);
    }
    let json = wharf(&fake.endpoint, &["prune", "images", "--dry-run", "-o", "json"]).await.out;
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(plan["steps"][0]["frees"], 99_999_999);
    let ran = wharf(&fake.endpoint, &["prune", "--yes"]).await;
    assert_eq!((ran.code, fake.done()), (0, vec!["remove c3".to_owned(), "remove image e3".to_owned()]), "{}", ran.err);
    let nothing = wharf(&fake.endpoint, &["prune", "--yes"]).await;
    assert!(nothing.out.starts_with("Nothing to remove."), "{}", nothing.out);
}

#[tokio::test]
async fn a_step_that_fails_is_said_and_the_others_go_on() {
    let fake = Fake::start();
    fake.held().fails = Some("remove c3".into());
    let ran = wharf(&fake.endpoint, &["prune", "--yes"]).await;
    assert_eq!((ran.code, ran.err.lines().count()), (1, 1));
    assert!(ran.err.contains("the fake was told to fail") && !ran.err.contains('\x1b'), "{:?}", ran.err);
    assert_eq!(fake.done().last().unwrap(), "remove image e3");
}

#[tokio::test]
async fn pull_takes_credentials() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["pull", "-q", "--creds", "me:secret", "registry.test/new:1"]).await;
    assert!(ran.code == 0 && ran.out.starts_with("Image is up to date for sha256:e9"), "{ran:?}");
    let auth = fake.held().auth.clone().unwrap();
    assert_eq!((auth.username.as_str(), auth.password.as_str()), ("me", "secret"));
    fake.held().fails = Some("pull".into());
    let ran = wharf(&fake.endpoint, &["pull", "-q", "--creds", "me:secret", "registry.test/x"]).await;
    assert!(
        ran.code == 1 && ran.err.starts_with("wharf: pull: pull registry.test/x: ") && !ran.err.contains("secret"),
        "{}",
        ran.err
    );
}

#[tokio::test]
async fn crictls_three_steps_and_its_run() {
    let fake = Fake::start();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("pod.yaml"), "metadata: {name: p, namespace: n, uid: u}\nlog_directory: /tmp\n").unwrap();
    fs::write(at("c.json"), r#"{"metadata":{"name":"c"},"image":{"image":"new:1"},"log_path":"c.log"}"#).unwrap();
    let pod = wharf(&fake.endpoint, &["runp", "-r", "crun", &at("pod.yaml")]).await.out;
    let ran = wharf(&fake.endpoint, &["create", "--with-pull", pod.trim(), &at("c.json"), &at("pod.yaml")]).await;
    assert_eq!(wharf(&fake.endpoint, &["start", ran.out.trim()]).await.code, 0);
    assert_eq!(fake.done(), ["run pod p crun", "pull new:1", "create c in ff1", "start ff2"]);
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["run", "--no-pull", &at("c.json"), &at("pod.yaml")]).await;
    assert_eq!((ran.code, ran.out.trim().len()), (0, 64));
    assert_eq!(fake.done(), ["run pod p ", "create c in ff1", "start ff2"]);
}

#[tokio::test]
async fn run_an_image() {
    let logs = tempfile::tempdir().unwrap();
    let root = logs.path().to_str().unwrap();
    let fake = Fake::start();
    let words =
        ["run", "--log-root", root, "-d", "--name", "web", "-e", "A=b", "registry.test/new:1", "--", "sh", "-c", "x"];
    let ran = wharf(&fake.endpoint, &words).await;
    assert_eq!((ran.code, ran.out.trim().len()), (0, 64), "{}", ran.err);
    assert_eq!(fake.done(), ["pull registry.test/new:1", "run pod web ", "create web in ff1", "start ff2"]);
    let pod = fake.held().pod_config.clone().unwrap();
    let container = fake.held().container_config.clone().unwrap();
    assert_eq!((pod.hostname.as_str(), container.args.join(" ").as_str()), ("web", "sh -c x"));
    assert!(std::path::Path::new(&pod.log_directory).join("web").is_dir());
    assert_eq!(wharf(&fake.endpoint, &["run", "--log-root", root, "--pull", "never", "other"]).await.code, 1);
}

#[tokio::test]
async fn run_in_the_foreground_exits_as_the_container_did_and_cleans_up() {
    let logs = tempfile::tempdir().unwrap();
    let root = logs.path().to_str().unwrap();
    let fake = Fake::start();
    fake.held().exits = Some(7);
    let ran =
        wharf(&fake.endpoint, &["run", "--rm", "--log-root", root, "--name", "job", "registry.test/server:1"]).await;
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert_eq!(fake.done(), ["run pod job ", "create job in ff1", "start ff2", "stop pod ff1", "remove pod ff1"]);
    assert_eq!(fs::read_dir(root).unwrap().count(), 0);
}

#[tokio::test]
async fn a_run_that_fails_leaves_no_pod() {
    let logs = tempfile::tempdir().unwrap();
    let root = logs.path().to_str().unwrap();
    let fake = Fake::start();
    fake.held().fails = Some("start".into());
    let ran =
        wharf(&fake.endpoint, &["run", "-d", "--log-root", root, "--name", "job", "registry.test/server:1"]).await;
    assert!(ran.code == 1 && ran.err.contains("told to fail"), "{ran:?}");
    assert_eq!(fake.done()[3..], ["stop pod ff1", "remove pod ff1"]);
    assert_eq!(fs::read_dir(root).unwrap().count(), 0);
}

#[tokio::test]
async fn exec_sync_and_update() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["exec", "-s", "server", "ls", "-l"]).await;
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (3, "out\n", "err\n"));
    assert_eq!(wharf(&fake.endpoint, &["update", "--memory", "64m", "c1"]).await.out, "c1\n");
    assert_eq!(wharf(&fake.endpoint, &["update", "c1"]).await.code, 1);
    assert_eq!(fake.done(), ["exec c1 ls -l", "update c1 67108864"]);
}

#[tokio::test]
async fn previous_means_the_attempt_before() {
    let fake = Fake::start();
    let ran = wharf(&fake.endpoint, &["logs", "-p", &super::fake::id("c3")]).await;
    assert!(ran.err.contains("no previous life"), "{}", ran.err);
}
