# Bun and the packages of this repository.

setup_bun() {
  if [ -z "$(find_bun)" ]; then
    type -P npm >/dev/null || stop "npm is missing: install Node.js with npm (Debian: apt-get install nodejs npm)"
    say "installing Bun $bun_version from npm into .tools/bun"
    rm -rf "$tools/bun"
    mkdir -p "$tools/bun"
    npm install --prefix "$tools/bun" --no-save --no-audit --no-fund --no-update-notifier --loglevel=error "bun@$bun_version" >"$tools/bun/npm.log" ||
      stop "npm could not install bun@$bun_version: see above"
    # Where npm runs no install scripts, the package's own `bun` is a stub; the program lies in the platform's package.
    [ -n "$(find_bun)" ] || ln -sf "$(the_platforms_bun)" "$tools/bun/bun"
    [ -n "$(find_bun)" ] || stop "Bun $bun_version was installed but does not run on this machine"
  fi
  PATH=$(dirname "$(find_bun)"):$PATH
  export PATH
}

# Prefers the build for this processor; the baseline one needs no AVX2.
the_platforms_bun() {
  local candidate
  for candidate in "$tools"/bun/node_modules/@oven/bun-linux-{x64,aarch64,x64-baseline}/bin/bun; do
    if [ -f "$candidate" ] && chmod +x "$candidate" && "$candidate" --version >/dev/null 2>&1; then
      echo "$candidate"
      return
    fi
  done
}

# The stamp holds the sums of every file that decides what `bun install` does.
setup_packages() {
  local stamp=node_modules/.restic-manager-installed wanted
  wanted=$(sha256sum bun.lock bunfig.toml package.json ./*/package.json)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    say "installing packages with bun install --frozen-lockfile"
    bun install --frozen-lockfile --silent >&2 || stop "bun install failed: see above"
    echo "$wanted" >"$stamp"
  fi
}
