# restic and rest-server, from the nearest place that has them new enough:
# PATH, the distribution's package, a newer Debian suite's package, restic's own release.

setup_restic() {
  [ -n "$(find_restic)" ] || install_one restic "$restic_oldest" restic
  [ -n "$(find_rest_server)" ] || install_one rest-server "$rest_server_oldest" restic-rest-server
  [ -n "$(find_restic)" ] || stop "no restic $restic_oldest or newer could be installed"
  [ -n "$(find_rest_server)" ] || stop "no rest-server $rest_server_oldest or newer could be installed"
}

# install_one PROGRAM OLDEST PACKAGE
install_one() {
  if has_apt; then
    if can_be_root; then
      newer_or_same "$(apt_candidate "$3")" "$2" || apt_update_once
      if newer_or_same "$(apt_candidate "$3")" "$2"; then
        apt_install "$3"
        return
      fi
    fi
    if [ -n "$(debian_archives)" ] && from_newer_debian "$1" "$3"; then
      return
    fi
  fi
  from_release "$1"
}

# from_newer_debian PROGRAM PACKAGE: takes the package of trixie from the mirror that the machine already uses and
# unpacks its one program. Lists, cache and sources are private, so that the machine's own apt never hears of trixie.
from_newer_debian() {
  local work keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  work=$(mktemp -d "$tools/debian.XXXXXX")
  say "installing $1 from Debian trixie's package $2 into .tools/restic"
  if ! download_from_trixie "$work" "$keyring" "$2" && ! {
    # An old keyring does not know trixie's keys. The machine's own sources, which it trusts, have a newer one.
    (cd "$work" && apt-get download -q debian-archive-keyring && dpkg-deb -x debian-archive-keyring_*.deb keyring) \
      >>"$work/log" 2>&1 && download_from_trixie "$work" "$work/keyring$keyring" "$2"
  }; then
    say "that failed: $(tail -n 2 "$work/log" | tr '\n' ' ')"
    rm -rf "$work"
    return 1
  fi
  dpkg-deb -x "$work/$2"_*.deb "$work/package"
  keep "$work/package/usr/bin/$2" "$1"
  rm -rf "$work"
}

# download_from_trixie FOLDER KEYRING PACKAGE: leaves PACKAGE_*.deb in the folder, or fails if the signature is not good.
download_from_trixie() {
  local work=$1 archive private
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  archive=$(debian_archives | head -n 1)
  echo "deb [signed-by=$2 target=Packages lang=none] $archive trixie main" >"$work/sources.list"
  private=(-q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Default-Release=
    -o APT::Update::Error-Mode=any -o APT::Get::AllowUnauthenticated=false
    -o APT::Sandbox::User=root) # its helper user could not write below a private folder
  (cd "$work" && apt-get "${private[@]}" update && apt-get "${private[@]}" download "$3") >"$work/log" 2>&1 9>&-
}

# The sums are those of the projects' signed SHA256SUMS files.
from_release() {
  local work sum url
  work=$(mktemp -d "$tools/release.XXXXXX")
  case $1-$(uname -m) in
  restic-x86_64)
    url=https://github.com/restic/restic/releases/download/v0.18.0/restic_0.18.0_linux_amd64.bz2
    sum=98f6dd8bf5b59058d04bfd8dab58e196cc2a680666ccee90275a3b722374438e
    ;;
  restic-aarch64)
    url=https://github.com/restic/restic/releases/download/v0.18.0/restic_0.18.0_linux_arm64.bz2
    sum=ce18179c25dc5f2e33e3c233ba1e580f9de1a4566d2977e8d9600210363ec209
    ;;
  rest-server-x86_64)
    url=https://github.com/restic/rest-server/releases/download/v0.14.0/rest-server_0.14.0_linux_amd64.tar.gz
    sum=4c9c95bc079a0334e81fad379b19dc5c3353c71c2c88d652cafce2081c2b1c66
    ;;
  *) stop "no pinned release of $1 for $(uname -m): install $1 by hand and try again" ;;
  esac
  say "installing $1 from its own release into .tools/restic"
  curl -fsSL --retry 3 -o "$work/${url##*/}" "$url" || stop "could not download $url: install $1 by hand and try again"
  echo "$sum  $work/${url##*/}" | sha256sum --check --quiet >&2 || stop "$url has another checksum than the pinned one: refused"
  case $url in
  *.bz2)
    type -P bzip2 >/dev/null || apt_install bzip2
    bzip2 -dc "$work/${url##*/}" >"$work/$1"
    ;;
  *) tar -xzf "$work/${url##*/}" -C "$work" --strip-components=1 --wildcards "*/$1" ;;
  esac
  keep "$work/$1" "$1"
  rm -rf "$work"
}

# keep FILE NAME: puts the program into .tools/restic in one step, so that nobody runs half of it.
keep() {
  mkdir -p "$tools/restic"
  install -m 755 "$1" "$tools/restic/.$2.new"
  mv "$tools/restic/.$2.new" "$tools/restic/$2"
}
