# Two ways to use it, and an option of its mount.
id           = "shared[0]"
name         = "shared-0"
type         = "csi"
plugin_id    = "csi-hostpath"
capacity_min = "1MB"
capacity_max = "1GiB"

capability {
  access_mode     = "single-node-reader-only"
  attachment_mode = "file-system"
}

capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

mount_options {
  mount_flags = ["noatime"]
}

secrets {
  "api-key" = "not-a-real-key"
}
