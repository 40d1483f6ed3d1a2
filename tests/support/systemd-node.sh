#!/usr/bin/env bash
# Makes the disk of a small Debian worker for qemu: systemd, cgroup v2, journald, containerd with runc. `systemd-node.sh DIR`
# leaves kernel, initrd, disk and the key that opens it in DIR, and this script, by which it is known. About two minutes, once.
set -euo pipefail
self=$(realpath "$0")
mkdir -p "$1"; cd "$1"
scratch=$(mktemp -d -p .); trap 'rm -rf "$scratch"' EXIT
rm -f id id.pub; ssh-keygen -q -t ed25519 -N '' -C wharf-test -f id
packages=systemd,systemd-sysv,dbus,udev,kmod,iproute2,iptables,procps,openssh-server,containerd,runc,crun,criu,dmsetup,containernetworking-plugins
debootstrap --variant=minbase --include=$packages,initramfs-tools,zstd,linux-image-cloud-amd64 bookworm "$scratch/root"
root=$scratch/root
# Only what finds this disk: the emulated processor is slow to unpack more.
printf 'MODULES=list\nCOMPRESS=gzip\n' > "$root/etc/initramfs-tools/conf.d/small"
printf 'virtio_pci\nvirtio_blk\next4\n' >> "$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u >/dev/null 2>&1
echo worker-1 > "$root/etc/hostname"
install -D -m 600 id.pub "$root/root/.ssh/authorized_keys"
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n' > "$root/etc/systemd/network/10-dhcp.network"
chroot "$root" systemctl enable systemd-networkd ssh containerd >/dev/null 2>&1
cp "$root"/boot/vmlinuz-* vmlinuz; cp "$root"/boot/initrd.img-* initrd
rm -rf "$root/boot" "$root/var/cache/apt" "$root/var/lib/apt/lists"
mke2fs -q -t ext4 -d "$root" disk.new 4G
mv disk.new disk
cp "$self" made-by
