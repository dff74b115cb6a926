//! `--run-pods`: containers as processes of this host.

use std::fs;
use std::path::PathBuf;

use super::kubectl::Host;
use super::process::eventually;

/// A pod with this spec.
fn pod(name: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {{app: {name}}}}}\nspec:\n{spec}")
}

/// What a container of a pod wrote in this attempt.
fn log(host: &Host, pod: &str, container: &str, attempt: u32) -> String {
    let uid = host.ok(&format!("get pod {pod} -o jsonpath={{.metadata.uid}}"));
    let file: PathBuf = host.place.path().join(format!("pods/{uid}/{container}/{attempt}/log"));
    eventually("the log", || fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display())))
}

fn ends(host: &Host, pod: &str, phase: &str) {
    host.becomes(&format!("get pod {pod} -o jsonpath={{.status.phase}}"), phase);
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_container_finds_every_kind_of_volume_at_its_path() {
    let host = Host::new(&["--run-pods"]);
    let outside = host.place.path().join("outside");
    fs::create_dir(&outside).expect("made");
    fs::write(outside.join("file"), "from the host").expect("written");
    host.ok("create configmap settings --from-literal=colour=red --from-literal=size=big");
    host.ok("create secret generic keys --from-literal=key=s3cret");
    let script = "set -e; cat /etc/settings/colour /etc/one /etc/keys/key /host/file; echo; test $(stat -Lc %a /etc/keys/key) = 400; \
                  echo x > /scratch/x; echo y > /part/y; test -f /whole/inner/y; if echo z > /etc/settings/colour; then exit 3; fi; \
                  echo env $COLOUR $POD_NAME";
    host.apply(&pod(
        "user",
        &format!(
            "  restartPolicy: Never
  containers:
  - name: sh
    image: none
    command: [/bin/sh, -c, '{script}']
    env:
    - {{name: COLOUR, valueFrom: {{configMapKeyRef: {{name: settings, key: colour}}}}}}
    - {{name: POD_NAME, valueFrom: {{fieldRef: {{fieldPath: metadata.name}}}}}}
    volumeMounts:
    - {{name: settings, mountPath: /etc/settings}}
    - {{name: settings, mountPath: /etc/one, subPath: size}}
    - {{name: keys, mountPath: /etc/keys}}
    - {{name: scratch, mountPath: /scratch}}
    - {{name: scratch, mountPath: /part, subPath: inner}}
    - {{name: scratch, mountPath: /whole}}
    - {{name: outside, mountPath: /host, readOnly: true}}
  volumes:
  - {{name: settings, configMap: {{name: settings}}}}
  - {{name: keys, secret: {{secretName: keys, defaultMode: 256}}}}
  - {{name: scratch, emptyDir: {{}}}}
  - {{name: outside, hostPath: {{path: {}}}}}
",
            outside.display()
        ),
    ));
    eventually("the pod to end", || {
        let phase = host.ok("get pod user -o jsonpath={.status.phase}");
        if phase == "Succeeded" || phase == "Failed" { Ok(()) } else { Err(host.ok("describe pod user")) }
    });
    let said = log(&host, "user", "sh", 0);
    assert!(said.contains("redbigs3cretfrom the host\n") && said.contains("env red user"), "{said}");
    ends(&host, "user", "Succeeded");
    // Only in the container's own mount namespace.
    assert!(!fs::exists("/etc/settings/colour").expect("looked at"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_mount_inside_another_volume_gets_its_place_there_and_never_on_the_host() {
    let host = Host::new(&["--run-pods"]);
    host.ok("create configmap settings --from-literal=colour=red");
    let outside = host.place.path().join("outside");
    fs::create_dir(&outside).expect("made");
    let spec = |init: &str, path: &str| {
        format!(
            "  restartPolicy: Never
  initContainers:
  - {{name: before, image: none, command: [/bin/sh, -c, '{init}'], volumeMounts: [{{name: d, mountPath: /data}}]}}
  containers:
  - name: sh
    image: none
    command: [/bin/sh, -c, 'cat {path}; find /data/conf']
    volumeMounts:
    - {{name: d, mountPath: /data}}
    - {{name: settings, mountPath: {path}, subPath: colour}}
  volumes:
  - {{name: settings, configMap: {{name: settings}}}}
  - {{name: d, emptyDir: {{}}}}
"
        )
    };
    host.apply(&pod("inside", &spec("true", "/data/conf/colour")));
    ends(&host, "inside", "Succeeded");
    assert_eq!(log(&host, "inside", "sh", 0), "red/data/conf\n/data/conf/colour\n");
    // A link that a container left in the volume would lead out of it.
    host.apply(&pod("outside", &spec(&format!("ln -s {} /data/conf", outside.display()), "/data/conf/colour")));
    ends(&host, "outside", "Failed");
    assert_eq!(fs::read_dir(&outside).expect("read").count(), 0, "nothing is made on the host");
}

#[test]
#[ignore = "mounts, which needs root"]
fn init_containers_run_one_after_the_other_before_the_others() {
    let host = Host::new(&["--run-pods"]);
    let container = |name: &str, script: &str| {
        format!(
            "  - {{name: {name}, image: none, command: [/bin/sh, -c, '{script}'], volumeMounts: [{{name: d, mountPath: /d}}]}}\n"
        )
    };
    let spec = format!(
        "  restartPolicy: Never\n  initContainers:\n{}{}  containers:\n{}  volumes: [{{name: d, emptyDir: {{}}}}]\n",
        container("one", "echo one >> /d/order"),
        container("two", "echo two >> /d/order"),
        container("main", "cat /d/order"),
    );
    host.apply(&pod("ordered", &spec));
    ends(&host, "ordered", "Succeeded");
    assert_eq!(log(&host, "ordered", "main", 0), "one\ntwo\n");
    let exits = host.ok("get pod ordered -o jsonpath={.status.initContainerStatuses[*].state.terminated.reason}");
    assert_eq!(exits, "Completed Completed");
    // One that fails, and may not be tried again, is the pod's end.
    host.apply(&pod("failing", &spec.replace("echo two >> /d/order", "exit 5")));
    ends(&host, "failing", "Failed");
    assert_eq!(host.ok("get pod failing -o jsonpath={.status.initContainerStatuses[1].state.terminated.exitCode}"), "5");
    assert_eq!(host.ok("get pod failing --no-headers").split_whitespace().nth(2), Some("Init:Error"));
}

#[test]
#[ignore = "mounts, which needs root"]
fn exit_codes_and_restart_policies_are_kept() {
    let host = Host::new(&["--run-pods"]);
    let one = |policy: &str, script: &str| {
        format!("  restartPolicy: {policy}\n  containers:\n  - {{name: sh, image: none, command: [/bin/sh, -c, '{script}']}}\n")
    };
    host.apply(&pod("fine", &one("Never", "exit 0")));
    host.apply(&pod("broken", &one("Never", "echo last words; exit 42")));
    host.apply(&pod("killed", &one("Never", "kill -KILL $$$$")));
    host.apply(&pod("again", &one("Always", "echo once more; exit 0")));
    host.apply(&pod("until-fine", &one("OnFailure", "exit 0")));
    host.apply(&pod("missing", &one("Never", "true").replace("/bin/sh", "/no/such/program")));
    ends(&host, "fine", "Succeeded");
    ends(&host, "broken", "Failed");
    let code =
        |pod: &str| host.ok(&format!("get pod {pod} -o jsonpath={{.status.containerStatuses[0].state.terminated.exitCode}}"));
    assert_eq!((code("fine"), code("broken")), ("0".to_owned(), "42".to_owned()));
    assert_eq!(log(&host, "broken", "sh", 0), "last words\n");
    ends(&host, "killed", "Failed");
    assert_eq!(code("killed"), "137");
    ends(&host, "until-fine", "Succeeded");
    host.becomes("get pod again -o jsonpath={.status.containerStatuses[0].restartCount}", "1");
    assert_eq!(log(&host, "again", "sh", 1), "once more\n");
    host.becomes("get pod missing -o jsonpath={.status.containerStatuses[0].state.terminated.reason}", "StartError");
    let shown = host.ok("get pods --no-headers");
    for (name, status) in [("fine", "Completed"), ("broken", "Error"), ("killed", "Error"), ("missing", "StartError")] {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name} "))).expect("it is shown");
        assert_eq!(line.split_whitespace().nth(2), Some(status), "{shown}");
    }
}

#[test]
#[ignore = "mounts, which needs root"]
fn a_deleted_pod_has_its_grace_to_end_and_not_more() {
    let host = Host::new(&["--run-pods"]);
    let place = host.place.path().join("outside");
    fs::create_dir(&place).expect("made");
    let one = |script: &str, grace: u32| {
        format!(
            "  terminationGracePeriodSeconds: {grace}\n  containers:\n  - name: sh\n    image: none\n    command: [/bin/sh, -c, '{script}']\n    \
             volumeMounts: [{{name: d, mountPath: /d}}]\n  volumes: [{{name: d, hostPath: {{path: {}}}}}]\n",
            place.display()
        )
    };
    host.apply(&pod(
        "polite",
        &one("trap \"echo bye > /d/bye; exit 0\" TERM; touch /d/polite; while true; do sleep 0.1; done", 600),
    ));
    host.apply(&pod("stubborn", &one("trap \"\" TERM; touch /d/stubborn; while true; do sleep 0.1; done", 1)));
    eventually("both to listen", || {
        let both = ["polite", "stubborn"].iter().all(|name| place.join(name).exists());
        if both { Ok(()) } else { Err(host.ok("get pods")) }
    });
    host.ok("delete pods polite stubborn --timeout=60s");
    assert_eq!(fs::read_to_string(place.join("bye")).expect("it was asked first"), "bye\n");
    let left = eventually("folders to go", || {
        let left = fs::read_dir(host.place.path().join("pods")).expect("there").count();
        if left == 0 { Ok(left) } else { Err(left.to_string()) }
    });
    assert_eq!(left, 0);
}

#[test]
#[ignore = "mounts, which needs root"]
fn what_this_host_cannot_run_is_told_as_an_event() {
    let host = Host::new(&["--run-pods"]);
    host.apply(&pod("image", "  containers: [{name: web, image: nginx}]\n"));
    host.shows("describe pod image", "container web has no command; images are not used on this host");
    host.apply(&pod(
        "keyless",
        "  containers:\n  - name: sh\n    image: none\n    command: [/bin/true]\n    \
         env: [{name: A, valueFrom: {secretKeyRef: {name: nowhere, key: a}}}]\n",
    ));
    host.shows("describe pod keyless", "nowhere");
    host.shows("get pod keyless --no-headers", "CreateContainerConfigError");
    // It goes on as soon as it can.
    host.ok("create secret generic nowhere --from-literal=a=b");
    host.becomes("get pod keyless -o jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}", "0");
}
