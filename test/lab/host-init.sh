#!/bin/bash
# Process 1 of a lab host: host-init.sh NAME SEED_DIR CHECKOUT NODE_BINARY
# Started by `unshare --net --mount --pid --uts --ipc`. Talks to the owner of the lab by lines: prints `isolated` (the
# namespaces are there), reads `go` (the owner has moved the links in), prints `up`, then reads until end of file:
# when the owner is gone, so is this host, with all that runs in it.
set -eu
name=$1 seed=$2 checkout=$3 node=$4
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C
echo isolated

# Whatever is written outside the mounts below fails, instead of landing on the machine.
mount --make-rprivate /
while read -r _ _ _ _ target _; do
  case $target in
  /proc | /proc/* | /sys | /sys/* | /dev | /dev/*) ;;
  *) mount -o remount,bind,ro "$(printf '%b' "$target")" 2>/dev/null || true ;;
  esac
done < <(cat /proc/self/mountinfo)

mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts /dev/pts
[ -L /dev/ptmx ] || mount --bind /dev/pts/ptmx /dev/ptmx

mount -t tmpfs -o mode=755 run /run
mkdir -m 755 /run/lab /run/sshd /run/lab/checkout
mkdir -m 1777 /run/lock
mkdir -m 700 /run/lab/layers
cp -a "$seed/." /run/lab/
# Kept aside before /root, /tmp and others are covered: the checkout or the binary may lie below them.
touch /run/lab/node
mount --bind "$node" /run/lab/node
mount --rbind "$checkout" /run/lab/checkout

for dir in etc var usr/local/bin; do
  mkdir -p "/run/lab/layers/$dir/upper" "/run/lab/layers/$dir/work"
  mount -t overlay overlay \
    -o "lowerdir=/$dir,upperdir=/run/lab/layers/$dir/upper,workdir=/run/lab/layers/$dir/work" "/$dir"
done
mount -t tmpfs -o mode=755 lib /var/lib
mount -t tmpfs -o mode=755 log /var/log
mount -t tmpfs -o mode=1777 tmp /var/tmp
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=755 opt /opt
mount -t tmpfs -o mode=755 home /home
mount -t tmpfs -o mode=700 root /root
# An earlier /var/run that is a directory would show the machine's files.
[ -L /var/run ] || mount --bind /run /var/run

mkdir -p "$checkout" 2>/dev/null && mount --rbind /run/lab/checkout "$checkout"
mount -o remount,bind,ro "$checkout"
umount -l /run/lab/checkout && rmdir /run/lab/checkout

hostname "$name"
echo "$name" >/etc/hostname
cat /run/lab/hosts >/etc/hosts
: >/etc/resolv.conf
# The host's own keys stand where every host has them, in place of the machine's: what the console tells the operator to
# compare is run as typed.
rm -f /etc/ssh/ssh_host_*
mkdir -p /etc/ssh
ln -s /run/lab/ssh_host_ed25519_key /run/lab/ssh_host_ed25519_key.pub /etc/ssh/
# A Signalbox that is installed on the machine is no part of the lab.
rm -rf /etc/signalbox /etc/systemd/system/signalbox*
for group in signalbox signalbox-view; do
  if getent group "$group" >/dev/null; then groupdel "$group"; fi
done
install -d -m 700 /root/.ssh
install -m 600 /run/lab/authorized_keys /root/.ssh/authorized_keys

read -r go
[ "$go" = go ]
ip -batch /run/lab/links
while read -r key value; do echo "$value" >"/proc/sys/$key"; done </run/lab/sysctl
if [ -s /run/lab/accounts.sh ]; then bash -eu /run/lab/accounts.sh; fi
bash /run/lab/start-sshd.sh
echo up
while read -r _; do :; done
