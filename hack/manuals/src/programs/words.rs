//! What the pages say besides flags: environment, files, endpoints, exit codes.

type Section = (&'static str, &'static [&'static str]);

pub(super) const EXIT: Section = (
    "EXIT STATUS",
    &[
        "0 after SIGTERM or SIGINT, or when what was asked for was shown; 1 when something that it cannot go on without has failed, in one sentence; \
       2 for a flag that is unknown or cannot be read. A second signal ends it at once, with 1.",
    ],
);

/// Of `longshore csi`, which ends otherwise than the others.
pub const CSI: &[Section] = &[
    (
        "ENVIRONMENT",
        &[
            "CSI_ENDPOINT: the driver, unless --endpoint names one. X_CSI_SECRETS: secrets, as user=u, \"password=a,b\". X_CSI_DEBUG: true is --log-level debug.",
            "Called by the name csc it prints what csc prints, and takes csc's command lines, those from before CSI 0.1 too.",
        ],
    ),
    (
        "EXIT STATUS",
        &[
            "0; the gRPC status code of the first call that failed; 1 for what is wrong with the command line, the environment or a template.",
        ],
    ),
];

pub(super) const POD_NAMESPACE: Section = (
    "ENVIRONMENT",
    &[
        "POD_NAMESPACE: where Leases are, unless --leader-election-namespace says so; without either the service account's namespace, then default.",
    ],
);

pub(super) const SIDECAR_HTTP: Section = (
    "ENDPOINTS",
    &[
        "On --http-endpoint, without authentication: /metrics (--metrics-path), /healthz/leader-election, /readyz, /debug/why.",
        "/readyz is 503 and a sentence while the driver, the API server or the lease is waited for. /debug/why?object=NAMESPACE/NAME, or a NAME alone for what has no \
         namespace, says what was last decided about an object, why, since when and how often.",
    ],
);

pub(super) const LEASES_OF_PROVISIONER: Section = (
    "INTENTS",
    &[
        "What is asked of the driver is written down first, in an annotation of Lease longshore-intents-DRIVER in its own namespace (further ones end in .1, .2 and so on), and \
         crossed out when a PersistentVolume names the volume or the driver has refused. The next process finishes what a dead one began. \
         It needs get, create and update on leases there, as leader election does; where it may not, it says so once and goes on without.",
        "--feature-gates=WriteAheadIntents=false turns it off.",
    ],
);

pub(super) const REGISTRAR_FILES: Section = (
    "FILES",
    &[
        "DRIVER-reg.sock in --plugin-registration-path: the registration socket. It is there while the driver is to be registered, and removed at the end.",
    ],
);

pub(super) const REGISTRAR_HTTP: Section = (
    "ENDPOINTS",
    &[
        "On --http-endpoint: /healthz is 200 while the registration socket answers with the driver's name, 404 when the socket is gone, 500 otherwise.",
    ],
);

pub(super) const PROBE_HTTP: Section = (
    "ENDPOINTS",
    &[
        "On --http-endpoint, or port 9808 of all addresses: /healthz is 200 if the driver answers Probe within --probe-timeout, else 500 and the reason. \
       --http-endpoint serves metrics too.",
    ],
);

pub(super) const NODE_NAME: Section = ("ENVIRONMENT", &["NODE_NAME: the node's name in Kubernetes, unless --node-name says so."]);

pub(super) const MOUNTER_FILES: Section = (
    "FILES",
    &[
        "ROOT/plugins_registry: registration sockets of drivers. ROOT/pods/UID/volumes.json: where a pod's volumes are, and what a missing one waits for.",
        "ROOT/plugins/longshore.node-mounter/journal: one file per volume, written before a call to a driver and removed after the last one. \
         ROOT/plugins/longshore.node-mounter/lock: held by the one process of this root directory. ROOT is --root-dir.",
    ],
);

pub(super) const MOUNTER_HTTP: Section = (
    "ENDPOINTS",
    &[
        "On --http-endpoint, without authentication: /metrics (--metrics-path), /readyz, /debug/why?object=, with a volume's unique name or a pod's uid.",
        "On --api-socket: GET /v1/pods/UID/volumes and GET /v1/volumes.",
    ],
);

pub(super) const CSI_ENDPOINT: Section = ("ENVIRONMENT", &["CSI_ENDPOINT: the socket, unless --endpoint says so."]);

pub(super) const DRIVER_FILES: Section =
    ("FILES", &["volumes, snapshots, nodes and locks below --data-dir; records are JSON beside the bytes."]);

pub(super) const UP_FILES: Section = (
    "FILES",
    &[
        "longshore serve: below --state-dir, /var/lib/longshore/serve: volumes, a record of each; mounts, where they are mounted; calls, what was asked of a driver, as hashes; \
         data, what a built-in driver keeps.",
        "Below --data-dir, /var/lib/longshore: objects.redb, every object of the API, synced before a write is answered; kubeconfig and api.sock, the ways in, for their owner alone; \
         volumes, their bytes; kubelet, the mounts; pods, the logs of containers; longshore.log.",
    ],
);
