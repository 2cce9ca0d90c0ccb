# Sourced by every command here. Says where this house and its tools are; installs nothing.
# Whoever sources it gets PATH, and RM_TEST_RESTIC, RM_TEST_REST_SERVER, RM_TEST_CHROMIUM, RM_TEST_POSTGRES_BIN,
# RM_TEST_NATS_SERVER for what was found (empty for what was not). A value set by the caller wins.

house=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$house/.tools

bun_version=1.4.5
restic_oldest=0.18.0      # the first one with exit_error lines and check --json
rest_server_oldest=0.13.0 # what the tests were written against
nats_oldest=2.9.0         # Debian 12's

# newer_or_same HAVE OLDEST: true if version HAVE is OLDEST or later.
newer_or_same() {
  [ -n "$1" ] && [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# version_of PROGRAM ARGUMENT: the first x.y.z that the program prints about itself.
version_of() {
  "$1" "$2" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1
}

# first_good OLDEST ARGUMENT CANDIDATE…: the first candidate that runs and is new enough.
first_good() {
  local oldest=$1 argument=$2 candidate
  shift 2
  for candidate in "$@"; do
    if [ -x "$candidate" ] && newer_or_same "$(version_of "$candidate" "$argument")" "$oldest"; then
      echo "$candidate"
      return
    fi
  done
}

find_bun() {
  local candidate
  for candidate in "$(type -P bun)" "$tools/bun/bun" "$tools/bun/node_modules/.bin/bun"; do
    if [ -x "$candidate" ] && [ "$("$candidate" --version 2>/dev/null)" = "$bun_version" ]; then
      echo "$candidate"
      return
    fi
  done
}

find_restic() {
  first_good "$restic_oldest" version "$(type -P restic)" "$tools/restic/restic"
}

find_rest_server() { # Debian calls the program restic-rest-server
  first_good "$rest_server_oldest" --version "$(type -P rest-server)" "$(type -P restic-rest-server)" \
    "$tools/restic/rest-server"
}

find_nats_server() { # Debian keeps it off a user's PATH
  first_good "$nats_oldest" --version "$(type -P nats-server)" /usr/sbin/nats-server "$tools/nats/nats-server"
}

# A Chromium that runs: Ubuntu's chromium is a stub that wants snapd, so existing is not enough.
find_chromium() {
  local candidate
  for candidate in "$(type -P chromium)" "$(type -P google-chrome)" "$tools"/chromium/*/chrome-linux*/chrome; do
    if [ -x "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

# The folder of the newest PostgreSQL server programs: Debian keeps them off PATH.
find_postgres() {
  local folder
  while read -r folder; do
    if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
      echo "$folder"
      return
    fi
  done < <(
    printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV
    dirname "$(type -P postgres || echo /nowhere/postgres)"
  )
}

use_tools() {
  local bun
  bun=$(find_bun)
  [ -z "$bun" ] || PATH=$(dirname "$bun"):$PATH
  export PATH
  export RM_TEST_RESTIC=${RM_TEST_RESTIC:-$(find_restic)}
  export RM_TEST_REST_SERVER=${RM_TEST_REST_SERVER:-$(find_rest_server)}
  export RM_TEST_CHROMIUM=${RM_TEST_CHROMIUM:-$(find_chromium)}
  export RM_TEST_POSTGRES_BIN=${RM_TEST_POSTGRES_BIN:-$(find_postgres)}
  export RM_TEST_NATS_SERVER=${RM_TEST_NATS_SERVER:-$(find_nats_server)}
}
