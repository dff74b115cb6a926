# A plugin that says what it waits for, and never makes its socket.
job "silent" {
  datacenters = ["dc1"]
  type        = "system"

  group "csi" {
    task "driver" {
      driver = "raw_exec"

      config {
        command = "/bin/sh"
        args    = ["-c", "echo waiting for the storage network; sleep 1000"]
      }

      csi_plugin {
        id             = "local0"
        type           = "monolith"
        health_timeout = "2s"
      }
    }
  }
}
