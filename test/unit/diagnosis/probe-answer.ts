/** What the probe printed on a lab real server with systemd's files and a busy port, shortened. */
export const nonce = 'b1946ac92492d2347c6235b4'

export const probeAnswer = `signalbox-probe 1 ${nonce}
hostname rs1
kernel 6.1.0-25-amd64
machine x86_64
uid 0
extra sshServerAddress 198.18.0.11
link 1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
link 2: eth0@if5: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP mode DEFAULT group default qlen 1000\\    link/ether 86:55:2d:84:b5:99 brd ff:ff:ff:ff:ff:ff link-netnsid 0
link 3: eth1: <BROADCAST,MULTICAST> mtu 9000 qdisc noop master bond0 state DOWN mode DEFAULT group default qlen 1000\\    link/ether 22:06:8d:54:00:cd brd ff:ff:ff:ff:ff:ff
link 4: dummy0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN mode DEFAULT group default qlen 1000\\    link/ether 12:34:8d:54:00:cd brd ff:ff:ff:ff:ff:ff
done link
addr 1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
addr 1: lo    inet 192.0.2.50/24 brd 192.0.2.255 scope host noprefixroute lo:7\\       valid_lft forever preferred_lft forever
addr 1: lo    inet 192.0.2.51/24 scope global secondary lo\\       valid_lft forever preferred_lft forever
addr 1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever
addr 2: eth0    inet 192.0.2.11/24 metric 100 brd 192.0.2.255 scope global dynamic eth0\\       valid_lft 3000sec preferred_lft 3000sec
addr 2: eth0    inet 10.0.0.1 peer 10.0.0.2/30 scope global eth0\\       valid_lft forever preferred_lft forever
addr 2: eth0    inet6 fe80::8455:2dff:fe84:b599/64 scope link tentative \\       valid_lft forever preferred_lft forever
done addr
extra ipPath /usr/sbin/ip
extra sysctlPath /usr/sbin/sysctl
extra sysctlDir yes
extra systemd yes
sysctl net/ipv4/ip_forward:0
sysctl net/ipv6/bindv6only:0
sysctl net/ipv4/conf/all/arp_ignore:0
sysctl net/ipv4/conf/eth0.10/arp_ignore:1
tcp    0: 0B0200C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22217 1 0000000000000000 100 0 0 10 0
tcp    1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22218 1 0000000000000000 100 0 0 10 0
done tcp
tcp6    0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22219 1
tcp6    1: 0000000000000000FFFF00000C0200C0:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 22220 1
done tcp6
ss LISTEN 0      128    192.0.2.11:80        0.0.0.0:*
ss LISTEN 0      128          [::]:80           [::]:*
done ss
neighbour 192.0.2.2 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE
neighbour 192.0.2.9 dev eth0 FAILED
neighbour 10.0.0.9 dev eth0 lladdr 02:00:00:00:00:01 used 0/0/0 probes 1 STALE
done neighbour
default default via 192.0.2.1 dev eth0 proto dhcp src 192.0.2.11 metric 100
default default via 192.0.2.254 dev eth0 metric 200
done default
asked 192.0.2.2
asked 198.51.100.1
asked 192.0.2.50
asked 203.0.113.9
route 192.0.2.2 dev eth0 src 192.0.2.11 uid 0 \\    cache
route 198.51.100.1 via 192.0.2.1 dev eth0 src 192.0.2.11 uid 0 \\    cache
route local 192.0.2.50 dev lo src 192.0.2.50 uid 0 \\    cache <local>
done route
file /etc/sysctl.d/60-signalbox-192.0.2.100-arp_ignore.conf
line # Signalbox
line net.ipv4.conf.all.arp_ignore = 1
signalbox-probe end ${nonce}
`
