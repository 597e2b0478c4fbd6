# Runs inside the guest. The guest itself is the director, between two networks:
#   front 10.1.0.0/24  director .1, client .2, real servers .11 .12 .13, VIPs from .100
#   back  10.2.0.0/24  director .1, real servers .11 .12 .13, whose gateway is the director
# A real server in the clients' own network would answer them past the director, which NAT must not have.
# Each host but the director is a network namespace with an SSH server; their files are the guest's.
for name in front back; do
  ip link add "$name" type bridge forward_delay 0
  ip link set "$name" up
done
ip addr add 10.1.0.1/24 dev front
ip addr add 10.2.0.1/24 dev back
# A bridge of this kernel would hand its frames to the packet filter as if they were routed.
sysctl -qw net.bridge.bridge-nf-call-iptables=0 2>/dev/null || true

# host INTERFACE BRIDGE ADDRESS
plug() {
  ip link add "$2" netns "$1" type veth peer name "$1-$2"
  ip link set "$1-$2" master "$3" up
  ip -n "$1" link set "$2" up
  ip -n "$1" addr add "$4" dev "$2"
}
host() {
  ip netns add "$1"
  ip -n "$1" link set lo up
}
host client
plug client e0 front 10.1.0.2/24
serve() {
  mkdir -p "/run/www/$1"
  echo "$1" >"/run/www/$1/index.html"
  ip netns exec "$1" busybox httpd -p 80 -h "/run/www/$1"
}
for n in 1 2 3; do
  host "rs$n"
  plug "rs$n" e0 front "10.1.0.1$n/24"
  serve "rs$n"
  host "back$n"
  plug "back$n" e0 back "10.2.0.1$n/24"
  ip -n "back$n" route add default via 10.2.0.1
  serve "back$n"
done
for name in client rs1 rs2 rs3 back1 back2 back3; do
  ip netns exec "$name" /usr/sbin/sshd -f /etc/ssh/sshd_config -o "PidFile=/run/sshd-$name.pid"
done

# Answered, failed, seconds of the last answer and of the last failure.
cat >/run/demo-client.sh <<'CLIENT'
answered=0 failed=0 last_answer=0 last_failure=0
while :; do
  if curl -sf -m 1 -o /dev/null http://10.1.0.100/; then
    answered=$((answered + 1)) last_answer=$(date +%s)
  else
    failed=$((failed + 1)) last_failure=$(date +%s)
  fi
  echo "$answered $failed $last_answer $last_failure" >/run/demo-client.new
  mv /run/demo-client.new /run/demo-client
  sleep 0.5
done
CLIENT
echo '0 0 0 0' >/run/demo-client
ip netns exec client setsid sh /run/demo-client.sh </dev/null >/dev/null 2>&1 &
