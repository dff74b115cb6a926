job "keeper" {
  datacenters = ["dc1"]
  type        = "batch"

  group "keeper" {
    volume "journal" {
      type            = "csi"
      source          = "journal"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
    }

    restart {
      attempts = 0
      mode     = "fail"
    }

    task "append" {
      driver = "exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo line >> /srv/journal/lines; wc -l < /srv/journal/lines"]
      }

      volume_mount {
        volume      = "journal"
        destination = "/srv/journal"
      }
    }
  }
}
