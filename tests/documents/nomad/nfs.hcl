job "nfs-plugin" {
  datacenters = ["dc1"]

  group "controller" {
    task "plugin" {
      driver = "docker"

      template {
        data        = <<-EOH
          # The server, and what it exports.
          NFS_ADDRESS=nfs.example
          NFS_SHARE="/srv/export"
        EOH
        destination = "secrets/nfs.env"
        env         = true
      }

      config {
        image        = "registry.example/nfs-csi:1.0"
        args         = ["--type=controller", "--node-id=${attr.unique.hostname}", "--log-level=DEBUG"]
        network_mode = "host"
        privileged   = true
      }

      csi_plugin {
        id   = "nfs"
        type = "controller"
      }
    }
  }

  group "node" {
    task "plugin" {
      driver = "docker"

      env {
        NODE_ID = "${node.unique.name}"
      }

      config {
        image        = "registry.example/nfs-csi:1.0"
        args         = ["--type=node", "--node-id=${attr.unique.hostname}"]
        network_mode = "host"
        privileged   = true
      }

      csi_plugin {
        id        = "nfs"
        type      = "node"
        mount_dir = "/csi"
      }
    }
  }
}
