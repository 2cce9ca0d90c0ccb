# Programs that come from the distribution.

setup_system() {
  local missing=() program
  for program in git curl wget openssl; do
    type -P "$program" >/dev/null || missing+=("$program")
  done
  type -P xz >/dev/null || missing+=(xz-utils)
  type -P systemd-analyze >/dev/null || missing+=(systemd) # judges the agent's unit; need not run
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
  [ -n "$(find_postgres)" ] || install_postgres
}

# The tests start a cluster of their own, so the package is told not to make and start one.
install_postgres() {
  local folder=/etc/postgresql-common/createcluster.d
  has_apt || stop "install PostgreSQL's server programs (initdb, postgres) and try again"
  need_root apt-get install postgresql
  apt_update_once
  as_root mkdir -p "$folder"
  echo 'create_main_cluster = false' | as_root tee "$folder/restic-manager-setup.conf" >/dev/null
  (apt_install postgresql) || {
    as_root rm -f "$folder/restic-manager-setup.conf"
    exit 1
  }
  as_root rm -f "$folder/restic-manager-setup.conf"
  [ -n "$(find_postgres)" ] || stop "postgresql was installed, but no initdb is in /usr/lib/postgresql/*/bin"
}

# Debian has a chromium package. Ubuntu has only a stub for snapd, so there the browser is Playwright's own build.
setup_chromium() {
  [ -z "$(find_chromium)" ] || return 0
  if has_apt; then
    need_root apt-get install chromium
    apt_update_once
  fi
  if [ -n "$(apt_candidate chromium)" ]; then
    apt_install chromium
  else
    say "installing Playwright's Chromium into .tools/chromium"
    PLAYWRIGHT_BROWSERS_PATH=$tools/chromium \
      bun e2e/node_modules/playwright-core/cli.js install --with-deps --no-shell chromium >"$tools/chromium.log" 2>&1 9>&- ||
      stop "that failed: $(tail -n 3 "$tools/chromium.log"); put a chromium or google-chrome on PATH and try again"
  fi
  [ -n "$(find_chromium)" ] || stop "Chromium was installed but does not run: try chromium --version"
}
