# The plugin is a process of the host, like the tasks that use it.
job "local" {
  datacenters = ["dc1"]
  type        = "system"

  group "csi" {
    task "driver" {
      driver = "raw_exec"

      config {
        command = "LOCAL-DRIVER"
        args    = ["--driver-name=nomad.example", "--node-id=here", "--topology=false", "--data-dir=DATA-DIR"]
      }

      csi_plugin {
        id   = "local0"
        type = "monolith"
      }
    }
  }
}
