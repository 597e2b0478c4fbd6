# Process 1 of the guest, second half, in its root: what an init system does that concerns a director, then sshd, then
# the boot hooks of a test (/etc/lab-boot.d), then the marker on the console that the machine waits for.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root
say() { echo "lab: $*"; }

mount -t sysfs none /sys
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=1777 none /tmp
mkdir -p /dev/pts /dev/shm /run/netns /run/sshd /run/lock
mount -t devpts -o mode=620,ptmxmode=666 none /dev/pts
mount -t tmpfs -o mode=1777 none /dev/shm
mount -t bpf none /sys/fs/bpf
mount -t cgroup2 none /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
hostname guest
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
# Namespaces that stand for hosts take these over: without duplicate address detection, which holds back each new IPv6
# address for a second.
for name in all default; do
  [ ! -e /proc/sys/net/ipv6 ] || echo 0 >/proc/sys/net/ipv6/conf/$name/accept_dad
done
echo 1 >/proc/sys/net/core/devconf_inherit_init_net
sh /usr/local/lib/lab/host-settings.sh

if grep -q lab.snapshot /proc/cmdline; then
  # Everything that tests may ask for is loaded once, and what they run most is in memory.
  for module in $(cat /usr/local/lib/lab/modules); do
    modprobe "$module" || say "failed: modprobe $module"
  done
  ipvsadm -Ln >/dev/null || say 'failed: ipvsadm'
  nft list ruleset >/dev/null || say 'failed: nft'
  node -e 0 || say 'failed: node'
  { ip netns add warm && ip netns del warm; } || say 'failed: ip netns'
  cat /usr/local/bin/* /usr/lib/x86_64-linux-gnu/libcrypto.so.3 >/dev/null
fi

/usr/sbin/sshd -f /etc/ssh/sshd_config -E /var/log/sshd.log || say 'failed: sshd'
for hook in /etc/lab-boot.d/*; do
  [ -f "$hook" ] || continue
  sh "$hook" >/var/log/lab-boot.log 2>&1 || say "failed: $hook ended with $?: $(tail -n 5 /var/log/lab-boot.log)"
done
say ready
# Process 1 adopts what loses its parent; the shell reaps it while it waits.
while :; do
  sleep 3600 >/dev/null &
  wait $!
done
