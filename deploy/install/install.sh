#!/bin/sh
# Installs the restic-manager agent on this Linux machine and enrols it.
#
#   RM_SERVER   address of the server, such as https://backup.example.com
#   RM_TOKEN    the one-time token that the console shows (not needed to bring an enrolled machine up to date)
#   RM_CA_FILE  trust the CAs in this PEM file instead of the system's
#   RM_PIN      trust only the server certificate with this SHA-256 (hex)
#   RM_FORCE=1  take the place of an enrolment that is there
#   RM_ROOT     install below this folder and start nothing (for images and tests)
#
# It disables no other backup: what it finds, it lists.
set -eu
umask 077

name=restic-manager-agent

say() { printf '%s\n' "$*"; }
stop() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

# Everything is in functions, so that half a download of this script does nothing.
main() {
  root=${RM_ROOT:-}
  check_surroundings
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  prepare_downloads
  install_agent
  enrol
  list_other_backups
  say_if_restic_is_missing
  install_service
}

check_surroundings() {
  case ${RM_SERVER:-} in
  https://?*) ;;
  http://127.* | http://localhost | http://localhost[:/]* | "http://[::1]"*) ;;
  http://?*) say "Note: $RM_SERVER is not encrypted. Everyone on the way can read the token and replace the agent." ;;
  *) stop "RM_SERVER must be the server's address, such as https://backup.example.com" ;;
  esac
  RM_SERVER=${RM_SERVER%/}
  [ -n "${RM_TOKEN:-}" ] || [ -e "$root/etc/$name/agent.yaml" ] ||
    stop "RM_TOKEN is missing. The console shows the whole command under Add host."
  case ${RM_TOKEN:-} in *[!A-Za-z0-9._~+/=-]*) stop "RM_TOKEN has a character that no token has. Copy it again." ;; esac
  [ -n "$root" ] || [ "$(id -u)" = 0 ] || stop "this needs root: run it with sudo, as the console's command does"
  [ "$(uname -s)" = Linux ] || stop "this installs Linux agents; this machine runs $(uname -s)"
  case $(uname -m) in
  x86_64 | amd64) arch=x64 ;;
  aarch64 | arm64) arch=arm64 ;;
  *) stop "there is no agent for this kind of processor ($(uname -m)): only x86_64 and aarch64" ;;
  esac
}

# The token goes into files that only root reads: arguments are shown to every user of the machine.
prepare_downloads() {
  ca=${RM_CA_FILE:-}
  [ -z "$ca" ] || [ -r "$ca" ] || stop "the CA file $ca cannot be read"
  [ -z "${RM_PIN:-}" ] || pin_certificate
  if command -v curl >/dev/null 2>&1; then
    {
      printf 'silent\nshow-error\nproto = "=http,https"\nconnect-timeout = 20\nretry = 2\n'
      [ -z "$ca" ] || printf 'cacert = "%s"\n' "$ca"
      [ -z "${RM_TOKEN:-}" ] || printf 'header = "Authorization: Bearer %s"\n' "$RM_TOKEN"
    } >"$work/curl.conf"
  elif command -v wget >/dev/null 2>&1; then
    {
      printf 'max_redirect = 0\ntimeout = 20\ntries = 3\n'
      [ -z "$ca" ] || printf 'ca_certificate = %s\n' "$ca"
      [ -z "${RM_TOKEN:-}" ] || printf 'header = Authorization: Bearer %s\n' "$RM_TOKEN"
    } >"$work/wgetrc"
  else
    stop "neither curl nor wget is here: install one of them and run this again"
  fi
}

# Fetches the server's own certificate, compares it and trusts nothing else from here on.
pin_certificate() {
  command -v openssl >/dev/null 2>&1 || stop "RM_PIN needs the program openssl: install it and run this again"
  case $RM_SERVER in https://*) ;; *) stop "RM_PIN is set, but $RM_SERVER has no certificate: use its https address" ;; esac
  peer=${RM_SERVER#https://}
  peer=${peer%%/*}
  case $peer in *:[0-9]*) ;; *) peer=$peer:443 ;; esac
  ca=$work/pinned.pem
  openssl s_client -connect "$peer" -servername "${peer%:*}" </dev/null 2>/dev/null | openssl x509 >"$ca" 2>/dev/null ||
    stop "$RM_SERVER showed no certificate"
  seen=$(openssl x509 -in "$ca" -noout -fingerprint -sha256 | sed 's/.*=//' | tr -d : | tr 'A-F' 'a-f')
  wanted=$(printf %s "$RM_PIN" | tr -d ': ' | tr 'A-F' 'a-f')
  [ "$seen" = "$wanted" ] || stop "the certificate of $RM_SERVER is not the pinned one (it has $seen). Nothing was installed."
}

# download PATH FILE
download() {
  if [ -e "$work/curl.conf" ]; then
    status=$(curl -K "$work/curl.conf" -o "$2" -w '%{http_code}' "$RM_SERVER$1") || stop "could not reach $RM_SERVER"
    [ "$status" = 200 ] || stop "$RM_SERVER$1 answered $status: $(words_of "$2")"
  else
    WGETRC="$work/wgetrc" wget -q -O "$2" "$RM_SERVER$1" || stop "could not download $RM_SERVER$1"
  fi
}

words_of() { # what the server says is wrong, without the JSON around it
  head -c 1000 "$1" 2>/dev/null | tr -d '\n' | sed 's/.*"message":"\([^"]*\)".*/\1/'
}

sum_of() {
  if command -v sha256sum >/dev/null 2>&1; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    openssl dgst -sha256 "$1" | sed 's/.*= //'
  fi
}

install_agent() {
  # Only what is missing is made: the modes of what is there are the system's own (Debian's /usr/local belongs to staff).
  (umask 022 && mkdir -p "$root/usr/local/bin")
  download "/agent/binary/sha256?os=linux&arch=$arch" "$work/sha256"
  download "/agent/binary?os=linux&arch=$arch" "$work/$name"
  wanted=$(head -n 1 "$work/sha256" | cut -d ' ' -f 1)
  [ ${#wanted} = 64 ] || stop "$RM_SERVER sent no checksum for the agent. Nothing was installed."
  [ "$(sum_of "$work/$name")" = "$wanted" ] ||
    stop "the agent that arrived does not have the checksum that $RM_SERVER announced. Nothing was installed."
  # In one step, so that a running agent keeps its old file until it is restarted.
  cp "$work/$name" "$root/usr/local/bin/.$name.new"
  chmod 755 "$root/usr/local/bin/.$name.new"
  if ! version=$("$root/usr/local/bin/.$name.new" version 2>&1); then
    rm -f "$root/usr/local/bin/.$name.new"
    stop "the agent does not run on this machine (it needs glibc): $version"
  fi
  mv "$root/usr/local/bin/.$name.new" "$root/usr/local/bin/$name"
  say "Installed $version in $root/usr/local/bin."
}

enrol() {
  (umask 022 && mkdir -p "$root/etc" "$root/var/lib")
  mkdir -p "$root/etc/$name" "$root/var/lib/$name" "$root/var/restic-restore"
  chmod 700 "$root/etc/$name" "$root/var/lib/$name" "$root/var/restic-restore"
  if [ -z "${RM_TOKEN:-}" ]; then
    say "This machine keeps its enrolment."
    return
  fi
  set -- enroll --server "$RM_SERVER"
  [ -z "$root" ] || set -- "$@" --config-dir "$root/etc/$name" --state-dir "$root/var/lib/$name"
  [ -z "${RM_CA_FILE:-}" ] || set -- "$@" --ca-file "$RM_CA_FILE"
  [ -z "${RM_PIN:-}" ] || set -- "$@" --pin-sha256 "$RM_PIN"
  [ "${RM_FORCE:-}" != 1 ] || set -- "$@" --force
  export RM_TOKEN
  "$root/usr/local/bin/$name" "$@" || stop "the machine could not be enrolled: see above. The agent is installed, but not started."
  unset RM_TOKEN
}

# Names files and lines only: such jobs often carry a password.
list_other_backups() {
  found=$(
    for file in "$root"/etc/crontab "$root"/etc/anacrontab "$root"/etc/cron.d/* "$root"/etc/cron.hourly/* \
      "$root"/etc/cron.daily/* "$root"/etc/cron.weekly/* "$root"/etc/cron.monthly/* \
      "$root"/var/spool/cron/* "$root"/var/spool/cron/crontabs/* \
      "$root"/etc/systemd/system/*.service "$root"/etc/systemd/system/*.timer \
      "$root"/usr/lib/systemd/system/*.service "$root"/usr/lib/systemd/system/*.timer \
      "$root"/root/.config/systemd/user/*.service "$root"/home/*/.config/systemd/user/*.service; do
      case $file in *"/$name.service") continue ;; esac
      [ -f "$file" ] || continue
      grep -nEi '^[^#]*(restic|rustic|backrest)' "$file" 2>/dev/null | cut -d : -f 1 | sed "s|^|  $file, line |"
    done
  )
  [ -n "$found" ] || return 0
  say "Other restic backups of this machine. They were left as they are; turn off by hand what is no longer needed:"
  say "$found"
}

say_if_restic_is_missing() {
  have=$(restic version 2>/dev/null | sed -n 's/^restic \([0-9.]*\).*/\1/p')
  if [ -z "$have" ]; then
    say "restic is not installed. The agent connects, and the console shows the host as \"restic missing\" until it is."
  elif [ "$(printf '%s\n0.18.0\n' "$have" | sort -V | head -n 1)" != 0.18.0 ]; then
    say "restic $have is too old. The agent connects, and the console shows the host as \"restic too old\" until it is newer."
  else
    return 0
  fi
  say "Install restic 0.18.0 or newer: your distribution's package, or https://github.com/restic/restic/releases"
}

install_service() {
  if [ -z "$root" ] && [ ! -d /run/systemd/system ]; then
    say "systemd does not run here. Start the agent yourself, as root: /usr/local/bin/$name run"
    return
  fi
  (umask 022 && mkdir -p "$root/etc/systemd/system")
  write_unit >"$root/etc/systemd/system/$name.service"
  chmod 644 "$root/etc/systemd/system/$name.service"
  if [ -n "$root" ]; then
    say "Wrote the systemd unit. Start the agent with: systemctl enable --now $name"
    return
  fi
  systemctl daemon-reload
  systemctl enable --quiet "$name"
  systemctl restart "$name" || stop "the agent did not start: journalctl -u $name says why"
  say "The agent is running. It starts by itself with this machine."
}

# What is missing here is missing on purpose: a private /tmp, /home or /dev or a hidden /usr/lib/modules would be
# missing from the backups too, and the JavaScript engine writes the code that it runs.
write_unit() {
  cat <<'UNIT'
[Unit]
Description=restic-manager agent: backs up this machine
Documentation=https://restic.readthedocs.io
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=/usr/local/bin/restic-manager-agent run
Restart=always
RestartSec=5
# A damaged agent.yaml or secrets.enc needs a person, not another start.
RestartPreventExitStatus=78
# The agent ends its restic itself; whatever is left after that is killed.
KillMode=mixed
TimeoutStopSec=90

StateDirectory=restic-manager-agent
StateDirectoryMode=0700
# Restores that name no other folder go to the last one. To let files be restored elsewhere, or in place, add that folder:
# systemctl edit restic-manager-agent, [Service], ReadWritePaths=/that/folder
ReadWritePaths=/etc/restic-manager-agent -/var/restic-restore
UMask=0077
# A core file would hold the repository's passwords.
LimitCORE=0

# Root, to read every file, but with no more than backup and restore need.
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_FSETID CAP_MKNOD CAP_SETFCAP
ProtectSystem=strict
ProtectClock=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
SystemCallArchitectures=native
# These would make the program another one.
UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN BUN_INSPECT BUN_INSPECT_PRELOAD BUN_CONFIG_PRELOAD NODE_OPTIONS
UnsetEnvironment=NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT

[Install]
WantedBy=multi-user.target
UNIT
}

main "$@"
