#!/bin/sh
# Makes a Debian 12 machine a worker: packages, the worker with a Node of its own, units, images of the sidecars.
# Used by the Packer template and by the local disk image, as root, on a running machine or in a chroot.
#
#   provision.sh STAGE
#
# STAGE is the folder that `node deploy/stage.ts` fills. With LOOPBACK_MODULES=yes the modules for loopback video and audio
# are installed, which compiles one of them and takes another kernel: that of Debian's cloud images has neither sound nor video.
set -eu
stage=$1
packages='apparmor ca-certificates docker.io e2fsprogs iptables lz4 kmod nftables'
if [ "${LOOPBACK_MODULES:-no}" = yes ]; then
  packages="$packages linux-image-amd64 linux-headers-amd64 v4l2loopback-dkms"
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages
if [ "${LOOPBACK_MODULES:-no}" = yes ]; then
  # The boot loader would prefer it, by its name. It may be the one that runs.
  echo 'linux-base linux-base/removing-running-kernel boolean false' | debconf-set-selections
  apt-get purge -y -qq 'linux-image.*cloud.*'
fi
apt-get clean

mkdir -p /opt/docker-worker /etc/docker-worker
cp -R "$stage/worker/." /opt/docker-worker/
cp -R "$stage/files/." /
chmod 755 /usr/local/lib/docker-worker/* /opt/docker-worker/bin/*
ln -sf /opt/docker-worker/bin/docker-worker /usr/local/bin/docker-worker
systemctl enable docker.service docker-worker-setup.service docker-worker.service

# Elsewhere whoever builds the image preloads them.
if docker info >/dev/null 2>&1; then
  docker load --quiet --input "$stage/images.tar"
fi
