//! The columns of each built-in kind.

/// Name, type, format, priority, what it says.
pub(super) type Told = (&'static str, &'static str, &'static str, u8, &'static str);

/// A column of texts.
const fn text(name: &'static str, told: &'static str) -> Told {
    (name, "string", "", 0, told)
}

/// A column of texts that only `-o wide` shows.
const fn wide(name: &'static str, told: &'static str) -> Told {
    (name, "string", "", 1, told)
}

const fn boolean(name: &'static str, told: &'static str) -> Told {
    (name, "boolean", "", 0, told)
}

const NAME: Told = ("Name", "string", "name", 0, "The object's name.");
const AGE: Told = text("Age", "How long ago it was created.");

/// The columns of a kind; `None` for those that are shown by their name and time alone.
pub(super) fn of(kind: &str) -> Option<&'static [Told]> {
    Some(match kind {
        "ConfigMap" => CONFIG_MAP,
        "CSIDriver" => CSI_DRIVER,
        "CSINode" => CSI_NODE,
        "Event" => EVENT,
        "Lease" => LEASE,
        "Namespace" => NAMESPACE,
        "Node" => NODE,
        "PersistentVolume" => VOLUME,
        "PersistentVolumeClaim" => CLAIM,
        "Pod" => POD,
        "Secret" => SECRET,
        "ServiceAccount" => &[NAME, AGE],
        "StorageClass" => STORAGE_CLASS,
        "VolumeAttachment" => ATTACHMENT,
        "VolumeAttributesClass" => ATTRIBUTES_CLASS,
        _ => return None,
    })
}

/// Those of the generic printer.
pub(super) const GENERIC: &[Told] = &[NAME, ("Created At", "date", "", 0, "When it was created.")];

const CONFIG_MAP: &[Told] = &[NAME, text("Data", "How many entries it has."), AGE];

const SECRET: &[Told] = &[NAME, text("Type", "What kind of secret it is."), text("Data", "How many entries it has."), AGE];

const NAMESPACE: &[Told] = &[NAME, text("Status", "Active, or Terminating while it is emptied."), AGE];

const LEASE: &[Told] = &[NAME, text("Holder", "Who holds it."), AGE];

const CSI_NODE: &[Told] = &[NAME, ("Drivers", "integer", "", 0, "How many drivers are registered on the node."), AGE];

const CSI_DRIVER: &[Told] = &[
    NAME,
    boolean("AttachRequired", "Whether volumes are attached to nodes before they are used."),
    boolean("PodInfoOnMount", "Whether the driver is told which pod it mounts for."),
    boolean("StorageCapacity", "Whether pods are placed by the capacity that the driver publishes."),
    text("TokenRequests", "The audiences of the tokens that the driver is given."),
    boolean("RequiresRepublish", "Whether volumes are published again from time to time."),
    text("Modes", "Which volumes it has: persistent ones, ephemeral ones, or both."),
    AGE,
];

const STORAGE_CLASS: &[Told] = &[
    NAME,
    text("Provisioner", "Who makes the volumes."),
    text("ReclaimPolicy", "What becomes of a volume when its claim is gone."),
    text("VolumeBindingMode", "Whether a volume is made at once or when a pod needs it."),
    text("AllowVolumeExpansion", "Whether claims may grow."),
    AGE,
];

const ATTACHMENT: &[Told] = &[
    NAME,
    ("Attacher", "string", "name", 0, "The driver that attaches."),
    text("PV", "The volume."),
    text("Node", "Where it is attached."),
    boolean("Attached", "Whether it is attached by now."),
    AGE,
];

const ATTRIBUTES_CLASS: &[Told] = &[NAME, text("DriverName", "The driver that its parameters are for."), AGE];

const CLAIM: &[Told] = &[
    NAME,
    text("Status", "Pending, Bound, Lost or Terminating."),
    text("Volume", "The volume that it is bound to."),
    text("Capacity", "How large the volume is."),
    text("Access Modes", "How the volume can be used."),
    text("StorageClass", "The class that the volume is from."),
    text("VolumeAttributesClass", "The class of the volume's attributes."),
    AGE,
    wide("VolumeMode", "A filesystem or a block device."),
];

const VOLUME: &[Told] = &[
    NAME,
    text("Capacity", "How large it is."),
    text("Access Modes", "How it can be used."),
    text("Reclaim Policy", "What becomes of it when its claim is gone."),
    text("Status", "Available, Bound, Released, Failed, Pending or Terminating."),
    text("Claim", "The claim that it is for."),
    text("StorageClass", "The class that it is from."),
    text("VolumeAttributesClass", "The class of its attributes."),
    text("Reason", "Why it failed, in one word."),
    AGE,
    wide("VolumeMode", "A filesystem or a block device."),
];

const POD: &[Told] = &[
    NAME,
    text("Ready", "How many of its containers are ready."),
    text("Status", "How it goes, in one word."),
    text("Restarts", "How often its containers were restarted, and when last."),
    AGE,
    wide("IP", "Its address."),
    wide("Node", "Where it runs."),
    wide("Nominated Node", "Where room is being made for it."),
    wide("Readiness Gates", "How many of its own conditions for being ready are met."),
];

const NODE: &[Told] = &[
    NAME,
    text("Status", "Whether it is ready, and takes pods."),
    text("Roles", "What its labels say that it is for."),
    AGE,
    text("Version", "The version of its kubelet."),
    wide("Internal-IP", "Its address inside the cluster."),
    wide("External-IP", "Its address outside."),
    wide("OS-Image", "Its operating system."),
    wide("Kernel-Version", "Its kernel, and the processor's architecture."),
    wide("Container-Runtime", "What runs its containers."),
];

const EVENT: &[Told] = &[
    text("Last Seen", "How long ago it happened last."),
    text("Type", "Normal or Warning."),
    text("Reason", "What happened, in one word."),
    text("Object", "What it happened to."),
    wide("Subobject", "Which part of the object."),
    wide("Source", "Who says so."),
    text("Message", "What happened, in a sentence."),
    wide("First Seen", "How long ago it happened first."),
    wide("Count", "How often it happened."),
    ("Name", "string", "name", 1, "The event's name."),
];
