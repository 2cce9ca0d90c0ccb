# What the parts of setup say, and how they ask the machine's package manager.

say() { echo "setup: $*" >&2; }

stop() {
  echo "setup: $*" >&2
  exit 1
}

has_apt() { type -P apt-get >/dev/null; }

can_be_root() { [ "$(id -u)" = 0 ] || type -P sudo >/dev/null; }

# as_root COMMAND…: runs it as root. Ask can_be_root first.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# need_root WHAT…: stops with what somebody with more rights has to do.
need_root() {
  can_be_root || stop "root is needed. As root, run this and try again: $*"
}

# The machine's list of packages is fetched once a run, and only if something has to be installed.
apt_lists_fetched=no
apt_update_once() {
  [ "$apt_lists_fetched" = no ] || return 0
  need_root apt-get update
  as_root apt-get -o DPkg::Lock::Timeout=300 update -q >"$tools/apt.log" 2>&1 9>&- || stop "apt-get update failed: $(tail -n 3 "$tools/apt.log")"
  apt_lists_fetched=yes
}

# apt_install PACKAGE…: installs them, answering no questions.
apt_install() {
  has_apt || stop "install these with your package manager and try again: $*"
  need_root apt-get install "$@"
  apt_update_once
  say "installing $* with apt-get"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -q -y --no-install-recommends "$@" \
    >"$tools/apt.log" 2>&1 </dev/null 9>&- || stop "apt-get install $* failed: $(tail -n 5 "$tools/apt.log")"
}

# apt_candidate PACKAGE: the upstream version (x.y.z) that the machine's own sources offer, if any.
apt_candidate() {
  LC_ALL=C apt-cache policy "$1" 2>/dev/null | sed -nE 's/^ *Candidate: ([0-9]+:)?([0-9]+\.[0-9]+\.[0-9]+).*/\2/p'
}

# One line for each Debian archive that the machine is configured with.
debian_archives() {
  LC_ALL=C apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' 2>/dev/null | sort -u
}
