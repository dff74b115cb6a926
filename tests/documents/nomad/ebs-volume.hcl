id        = "ebs-vol[0]"
name      = "ebs-vol0"
type      = "csi"
plugin_id = "aws-ebs0"

capacity_min = "10GiB"
capacity_max = "20GiB"

capability {
  access_mode     = "single-node-writer"
  attachment_mode = "file-system"
}

mount_options {
  fs_type     = "ext4"
  mount_flags = ["noatime"]
}

parameters {
  type = "gp3"
  "csi.storage.k8s.io/fstype" = "ext4"
}

topology_request {
  required {
    topology {
      segments {
        "topology.ebs.csi.aws.com/zone" = "us-east-1a"
      }
    }
    topology {
      segments {
        "topology.ebs.csi.aws.com/zone" = "us-east-1b"
      }
    }
  }
}
