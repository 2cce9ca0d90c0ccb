# nats-server, which the tests of many servers start themselves on a free port.

setup_nats() {
  [ -n "$(find_nats_server)" ] || install_nats
  [ -n "$(find_nats_server)" ] || stop "no nats-server $nats_oldest or newer could be installed"
}

# The package is unpacked and not installed: installed it would start a service, listening on every address of the
# machine, that nobody asked for. apt checks the signature either way.
install_nats() {
  local work
  has_apt || stop "put nats-server $nats_oldest or newer on PATH and try again"
  work=$(mktemp -d "$tools/debian.XXXXXX")
  [ -n "$(apt_candidate nats-server)" ] || apt_update_once
  say "installing nats-server from the distribution's package into .tools/nats"
  if ! download_nats "$work"; then
    apt_update_once # the list may name a version that the mirror has replaced
    download_nats "$work" || stop "apt-get download nats-server failed: $(tail -n 2 "$work/log" | tr '\n' ' ')"
  fi
  dpkg-deb -x "$work"/nats-server_*.deb "$work/package"
  mkdir -p "$tools/nats"
  mv "$work/package/usr/sbin/nats-server" "$tools/nats/nats-server"
  rm -rf "$work"
}

download_nats() {
  (cd "$1" && apt-get download -q nats-server) >>"$1/log" 2>&1 </dev/null
}
