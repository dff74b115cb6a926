# Where everything is. Nothing of a build or a run lives in the checkout.

# shellcheck source=../versions.env
. "$repo/hack/versions.env"

CACHE=${LONGSHORE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/longshore}
RUN=${LONGSHORE_RUN:-/var/lib/longshore-test}
LOGS=$RUN/logs
PKI=$RUN/pki
KUBECONFIGS=$RUN/kubeconfigs

# Test suites look for kubelet at its default place, so it is there and not under RUN.
KUBELET_ROOT=/var/lib/kubelet
MOUNTER_ROOT=/var/lib/longshore-node2

# Ports and addresses of our own, so that an etcd or a cluster already on this host is not in the way.
API_PORT=16443 ETCD_PORT=12379 ETCD_PEER_PORT=12380 CONTROLLER_PORT=20257 SCHEDULER_PORT=20259 KUBELET_PORT=20250
BRIDGE=longshore0
BRIDGE_IP=${LONGSHORE_BRIDGE_IP:-10.209.0.1}
POD_CIDR=${BRIDGE_IP%.*.*}.0.0/16
# What pods call the API server: the first address of the services' range, at the port that kubelet tells them.
SERVICE_CIDR=10.210.0.0/24 SERVICE_IP=10.210.0.1 SERVICE_PORT=443
NFT_TABLE=longshore-test

CONTAINERD_SOCKET=$RUN/containerd/containerd.sock
# Containers run beneath this cgroup, so whatever is left of them after a crash can be found and ended.
CGROUP=longshore-test

DRIVER_NAME=local.csi.longshore.dev
# The service account that each of our processes is, as in the manifests.
SYSTEM_NAMESPACE=longshore-system
