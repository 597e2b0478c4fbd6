# Applies /etc/modules-load.d and the sysctl.d folders as systemd does at boot: modules first. Also to be run inside of a
# network namespace that stands for a host.
for file in /etc/modules-load.d/*.conf; do
  [ -f "$file" ] || continue
  grep -v '^[#;]' "$file" | while read -r module; do
    [ -z "$module" ] || modprobe "$module" || echo "lab: modprobe $module ended with $?" >/dev/console
  done
done
sysctl --quiet --system
