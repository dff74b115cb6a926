locals {
  image = "registry.example/ebs-csi-driver:v1.39"
  flags = ["--logtostderr", "--v=${2 + 3}"]
}

job "ebs-nodes" {
  datacenters = ["dc1"]
  type        = "system"

  group "nodes" {
    task "plugin" {
      driver = "docker"

      config {
        image      = local.image
        args       = concat(["node", "--endpoint=${CSI_ENDPOINT}"], local.flags)
        privileged = true

        mount {
          type   = "bind"
          source = "/lib/modules"
          target = "/lib/modules"
          readonly = true
        }
      }

      # A plugin whose volumes stay in one zone has an id for each zone.
      csi_plugin {
        id   = "aws-ebs0"
        type = "node"
      }
    }
  }
}
