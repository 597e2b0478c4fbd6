#!/bin/bash
# Starts the sshd of a lab host and returns when it listens: sshd writes its pid file after listen(2).
set -eu
rm -f /run/sshd.pid
/usr/sbin/sshd -f /run/lab/sshd_config -E /var/log/sshd.log
for _ in $(seq 1000); do
  [ ! -s /run/sshd.pid ] || exit 0
  sleep 0.01
done
echo "sshd did not start: $(tail -n 5 /var/log/sshd.log)" >&2
exit 1
