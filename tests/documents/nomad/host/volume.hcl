id           = "journal"
name         = "journal"
type         = "csi"
plugin_id    = "local0"
capacity_min = "16MiB"
capacity_max = "64MiB"

capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

mount_options {
  fs_type = "ext4"
}

parameters {
  type = "loop"
}
