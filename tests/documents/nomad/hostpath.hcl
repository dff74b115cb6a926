# A plugin that serves both its controller and its node from one task, on every node.
job "hostpath-plugin" {
  datacenters = ["dc1"]
  type        = "system"

  group "csi" {
    task "driver" {
      driver = "docker"

      config {
        image      = "registry.example/hostpathplugin:v1.9"
        privileged = true
        args = [
          "--drivername=hostpath.example",
          "--v=5",
          "--endpoint=${CSI_ENDPOINT}",
          "--nodeid=node-${NOMAD_ALLOC_INDEX}",
        ]
      }

      csi_plugin {
        id   = "csi-hostpath"
        type = "monolith"
        mount_dir = "/csi"
      }

      resources {
        cpu    = 256
        memory = 128
      }
    }
  }
}
