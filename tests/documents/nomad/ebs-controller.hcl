variable "image" {
  type        = string
  description = "The driver's image."
  default     = "registry.example/ebs-csi-driver:v1.39"
}

job "ebs-controller" {
  datacenters = ["dc1"]
  type        = "service"

  group "controller" {
    count = 2

    constraint {
      distinct_hosts = true
    }

    task "plugin" {
      driver = "docker"

      config {
        image = var.image
        args  = ["controller", "--endpoint=${CSI_ENDPOINT}", "--logtostderr", "--v=5"]
      }

      csi_plugin {
        id             = "aws-ebs0"
        type           = "controller"
        mount_dir      = "/csi"
        health_timeout = "1m30s"
      }

      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
