# Each instance has a volume of its own: shared[0] and shared[1].
job "log-keeper" {
  datacenters = ["dc1"]

  group "keeper" {
    count = 2

    volume "logs" {
      type            = "csi"
      source          = "shared"
      access_mode     = "single-node-writer"
      attachment_mode = "file-system"
      per_alloc       = true
    }

    task "write" {
      driver = "exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "while true; do date >> /srv/logs/$NOMAD_ALLOC_INDEX; sleep 5; done"]
      }

      volume_mount {
        volume      = "logs"
        destination = "/srv/logs"
      }
    }
  }
}
