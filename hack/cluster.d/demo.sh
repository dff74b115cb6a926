# The main job, end to end and narrated: a class, a claim and a pod go in; each object and each call to the driver is told as it
# happens; the bytes come back; everything is deleted and nothing is left. First on kubelet's node, then on node-mounter's.

DEMO=longshore-demo
DEMO_CLASS=longshore-demo
followers=()
summary=()

demo() {
  with_cluster_lock up "$@"
  trap demo_stop EXIT
  kubectl delete namespace $DEMO --ignore-not-found --wait >/dev/null
  kubectl delete storageclass $DEMO_CLASS --ignore-not-found >/dev/null
  kubectl create namespace $DEMO >/dev/null
  local node
  for node in node1 node2; do demo_on $node; done
  kubectl delete namespace $DEMO --wait >/dev/null
  heading "What it took"
  printf '  %-8s %-14s %s\n' node "who mounts" "from apply to usable | from deletion to nothing left"
  printf '  %s\n' "${summary[@]}"
  printf '\nThe cluster is still up: look around with  eval "$(hack/cluster env)"  and end it with  hack/cluster down\n'
}

demo_on() {
  local node=$1 agent=kubelet pod path volume usable gone
  [ "$node" = node1 ] || agent=node-mounter
  heading "$node: $agent mounts"
  demo_follow
  demo_manifest "$node" | tee "$RUN/demo.yaml" | sed 's/^/    /'
  clock=$(now)
  tell you "kubectl apply -f demo.yaml"
  kubectl apply -f "$RUN/demo.yaml" >/dev/null
  path=$(demo_path "$node" writer) || demo_failed "pod writer is not ready"
  usable=$(since)
  volume=$(kubectl -n $DEMO get pvc data -o 'jsonpath={.spec.volumeName}')

  # The driver's log is read a moment behind it; in the order of things the mount comes before its use.
  sleep 0.3
  # On node1 the container has written by itself. node2 has no kubelet, so nobody runs the container: we are it.
  [ "$node" = node1 ] || echo "written on node2, where the pod's container would have" >"$path/hello"
  tell mount "$(findmnt --noheadings --raw --output SOURCE,FSTYPE,SIZE,TARGET "$path")"
  tell device "$(losetup --noheadings --raw --output NAME,BACK-FILE | grep -F "$RUN/volumes/")"
  tell bytes "$(demo_read "$node" writer "$path")"

  tell you "kubectl delete pod writer; kubectl apply -f reader.yaml   (another pod, the same claim)"
  demo_delete_pod "$node" writer
  demo_pod reader "$node" "sleep 1000000 & wait" | kubectl apply -f - >/dev/null
  pod=$(demo_path "$node" reader) || demo_failed "pod reader is not ready"
  sleep 0.3
  tell bytes "$(demo_read "$node" reader "$pod")"

  local began
  began=$(now)
  tell you "kubectl delete pod reader; kubectl delete pvc data; kubectl delete storageclass $DEMO_CLASS"
  demo_delete_pod "$node" reader
  kubectl -n $DEMO delete pvc data --wait=false >/dev/null
  eventually 90 demo_nothing_left "$volume" || die "something of $volume is left: $(demo_left "$volume")"
  gone=$(since "$began")
  kubectl delete storageclass $DEMO_CLASS >/dev/null
  # The followers hear of the last deletions a moment after we do.
  sleep 0.3
  demo_unfollow
  tell left "$(demo_left "$volume")"
  summary+=("$(printf '%-8s %-14s %20s | %s' "$node" "$agent" "$usable" "$gone")")
}

demo_failed() {
  kubectl -n $DEMO get pods,pvc -o wide || true
  kubectl -n $DEMO get events || true
  die "$1; the logs are in $LOGS"
}

heading() { printf '\n=== %s\n' "$*"; }

# --- what a user would write

demo_manifest() {
  cat <<YAML
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: $DEMO_CLASS}
provisioner: $DRIVER_NAME
parameters: {type: loop, csi.storage.k8s.io/fstype: ext4}
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: $DEMO}
spec:
  storageClassName: $DEMO_CLASS
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 64Mi}}
---
YAML
  demo_pod writer "$1" "echo written by a container of pod writer > /data/hello; sync; sleep 1000000 & wait"
}

demo_pod() {
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: $DEMO}
spec:
  nodeSelector: {kubernetes.io/hostname: $2}
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: $BUSYBOX_IMAGE
    imagePullPolicy: Never
    command: [sh, -c, "trap 'exit 0' TERM; $3"]
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
YAML
}

# --- what it comes to

# demo_path NODE POD: waits until the pod can use its volume; prints where that is on the host (the same place on both nodes).
demo_path() {
  local uid volume path
  eventually 60 demo_bound || return
  uid=$(kubectl -n $DEMO get pod "$2" -o 'jsonpath={.metadata.uid}')
  volume=$(kubectl -n $DEMO get pvc data -o 'jsonpath={.spec.volumeName}')
  path=$(node_root "$1")/pods/$uid/volumes/kubernetes.io~csi/$volume/mount
  eventually 60 mountpoint -q "$path" || return
  if [ "$1" = node1 ]; then kubectl -n $DEMO wait --for=condition=Ready "pod/$2" --timeout=60s >/dev/null || return; fi
  echo "$path"
}

demo_bound() { [ "$(kubectl -n $DEMO get pvc data -o 'jsonpath={.status.phase}')" = Bound ]; }

demo_read() {
  if [ "$1" = node1 ]; then
    echo "kubectl exec $2 -- cat /data/hello  ->  $(kubectl -n $DEMO exec "$2" -- cat /data/hello)"
  else
    echo "cat $3/hello  ->  $(cat "$3/hello")"
  fi
}

# Without a kubelet, whoever ran the containers confirms that they ended by deleting the pod at once.
demo_delete_pod() {
  if [ "$1" = node1 ]; then
    kubectl -n $DEMO delete pod "$2" >/dev/null
  else
    kubectl -n $DEMO delete pod "$2" --grace-period=0 --force >/dev/null 2>&1
  fi
}

demo_left() {
  local volumes attachments mounts loops files
  volumes=$(kubectl get pv -o name | grep -cxF "persistentvolume/$1" || true)
  attachments=$(kubectl get volumeattachments -o 'jsonpath={range .items[*]}{.spec.source.persistentVolumeName}{"\n"}{end}' | grep -cxF "$1" || true)
  mounts=$(our_mounts | grep -cF "$1" || true)
  loops=$(losetup --noheadings --output BACK-FILE | grep -cF "$RUN/volumes/" || true)
  files=$(find "$RUN/volumes/volumes" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)
  echo "$volumes PersistentVolumes, $attachments VolumeAttachments, $mounts mounts, $loops loop devices, $files volumes in the driver"
}

demo_nothing_left() { [ "$(demo_left "$1" | tr -dc 0-9)" = 00000 ]; }

# --- narration: watches and the driver's log, a line each as it happens

now() { echo "${EPOCHREALTIME/./}"; }
since() { awk -v from="${1:-$clock}" -v to="$(now)" 'BEGIN {printf "%.1f s", (to - from) / 1000000}'; }

# What was said last is not said again: most changes of an object change nothing that is told here.
told=
tell() {
  [ "$1 $2" = "$told" ] || printf '[%7s] %-10s %s\n' "$(since)" "$1" "$2"
  told="$1 $2"
}

demo_follow() {
  clock=$(now)
  follow tell_claim "$KUBE/kubectl" --kubeconfig "$KUBECONFIGS/admin" -n $DEMO get pvc -w --output-watch-events \
    -o 'jsonpath={.type}|{.object.metadata.name}|{.object.status.phase}|{.object.metadata.annotations.volume\.kubernetes\.io/selected-node}|{.object.spec.volumeName}{"\n"}'
  follow tell_pod "$KUBE/kubectl" --kubeconfig "$KUBECONFIGS/admin" -n $DEMO get pods -w --output-watch-events \
    -o 'jsonpath={.type}|{.object.metadata.name}|{.object.status.phase}|{.object.spec.nodeName}{"\n"}'
  follow tell_volume "$KUBE/kubectl" --kubeconfig "$KUBECONFIGS/admin" get pv -w --output-watch-events \
    -o 'jsonpath={.type}|{.object.metadata.name}|{.object.status.phase}|{.object.spec.capacity.storage}|{.object.spec.storageClassName}{"\n"}'
  follow tell_attachment "$KUBE/kubectl" --kubeconfig "$KUBECONFIGS/admin" get volumeattachments -w --output-watch-events \
    -o 'jsonpath={.type}|{.object.spec.attacher}|{.object.spec.nodeName}|{.object.status.attached}{"\n"}'
  follow tell_call tail -q -n 0 -F "$LOGS/local-driver-node1.log" "$LOGS/local-driver-node2.log"
}

# follow SAY COMMAND...: SAY for each new line of COMMAND. $! is the command's pid; when it ends, so does its reader.
follow() {
  local say=$1
  shift
  "$@" > >(while IFS= read -r line; do "$say" "$line"; done) 2>/dev/null &
  followers+=($!)
}

demo_unfollow() {
  local pid
  for pid in "${followers[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${followers[@]}"; do wait "$pid" 2>/dev/null || true; done
  followers=()
}

demo_stop() { demo_unfollow; }

tell_claim() {
  local type name phase node volume
  IFS='|' read -r type name phase node volume <<<"$1"
  [ "$type" = DELETED ] && { tell claim "$name is gone"; return; }
  tell claim "$name is $phase${node:+, scheduled to $node}${volume:+, volume $volume}"
}

tell_pod() {
  local type name phase node
  IFS='|' read -r type name phase node <<<"$1"
  [ "$type" = DELETED ] && { tell pod "$name is gone"; return; }
  tell pod "$name is $phase${node:+ on $node}"
}

tell_volume() {
  local type name phase size class
  IFS='|' read -r type name phase size class <<<"$1"
  [ "$class" = $DEMO_CLASS ] || return 0
  [ "$type" = DELETED ] && { tell PV "$name is gone"; return; }
  tell PV "$name ($size) is $phase"
}

tell_attachment() {
  local type attacher node attached
  IFS='|' read -r type attacher node attached <<<"$1"
  [ "$attacher" = $DRIVER_NAME ] || return 0
  [ "$type" = DELETED ] && { tell attachment "to $node is gone"; return; }
  tell attachment "to $node: attached=$attached"
}

# A line of the driver's log: `… rpc="create_volume" subject="pvc-…" elapsed_ms=12`. Questions are not told, only deeds.
tell_call() {
  local rpc subject took
  case $1 in
    *rpc=\"create_volume\"* | *rpc=\"delete_volume\"* | *publish_volume\"* | *stage_volume\"*) ;;
    *) return 0 ;;
  esac
  rpc=$(sed -n 's/.*rpc="\([^"]*\)".*/\1/p' <<<"$1" | sed -E 's/(^|_)([a-z])/\U\2/g')
  subject=$(sed -n 's/.*subject="\([^"]*\)".*/\1/p' <<<"$1")
  took=$(sed -n 's/.*elapsed_ms=\([0-9]*\).*/\1/p' <<<"$1")
  tell RPC "$rpc $subject: $(awk '{print $3}' <<<"$1") in ${took:-?} ms"
}
