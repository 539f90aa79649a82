# Images of a worker for Amazon EC2 and Google Compute Engine. See ../README.md.
#
#   node deploy/stage.ts && packer build -only=amazon-ebs.worker -var version=1 deploy/packer/docker-worker.pkr.hcl

variable "stage" {
  type        = string
  description = "Folder that deploy/stage.ts has filled."
  default     = "deploy/stage"
}

variable "config" {
  type        = string
  description = "The worker's configuration; with a registration that leaves the rest to user data and worker-manager."
  default     = "deploy/packer/worker.yml"
}

variable "version" {
  type        = string
  description = "Part of the image's name."
  default     = "dev"
}

variable "loopback_modules" {
  type        = string
  description = "yes: with the kernel modules for loopback video and audio."
  default     = "no"
}

variable "aws_region" {
  type    = string
  default = "us-east-1"
}

variable "aws_instance_type" {
  type    = string
  default = "m5.large"
}

variable "google_project" {
  type    = string
  default = ""
}

variable "google_zone" {
  type    = string
  default = "us-central1-a"
}

source "amazon-ebs" "worker" {
  region        = var.aws_region
  instance_type = var.aws_instance_type
  ami_name      = "docker-worker-${var.version}"
  ssh_username  = "admin"
  ena_support   = true

  source_ami_filter {
    # Debian's own account.
    owners      = ["136693071363"]
    most_recent = true
    filters = {
      name                = "debian-12-amd64-*"
      root-device-type    = "ebs"
      virtualization-type = "hvm"
    }
  }

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_size           = 60
    volume_type           = "gp2"
    delete_on_termination = true
  }
}

source "googlecompute" "worker" {
  project_id          = var.google_project
  zone                = var.google_zone
  source_image_family = "debian-12"
  image_name          = "docker-worker-${var.version}"
  image_family        = "docker-worker"
  ssh_username        = "packer"
  disk_size           = 60
}

build {
  sources = ["source.amazon-ebs.worker", "source.googlecompute.worker"]

  provisioner "file" {
    source      = var.stage
    destination = "/tmp/stage"
  }

  provisioner "file" {
    source      = var.config
    destination = "/tmp/worker.yml"
  }

  provisioner "shell" {
    execute_command  = "sudo -E sh '{{ .Path }}'"
    environment_vars = ["LOOPBACK_MODULES=${var.loopback_modules}"]
    inline = [
      # The engine must run for the images to be loaded.
      "apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io iptables",
      "sh /tmp/stage/provision.sh /tmp/stage",
      "install -m 0600 /tmp/worker.yml /etc/docker-worker/worker.yml",
      "rm -rf /tmp/stage /tmp/worker.yml",
    ]
  }
}
