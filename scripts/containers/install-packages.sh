#!/bin/bash
# install-packages.sh [--backports] PACKAGE[>=VERSION]...: installs Debian packages into an image and starts nothing. Fails
# when the release has only an older version, which is not safe to expose.
# install-packages.sh --file FILE PACKAGE: takes one file out of the package of the release's backports instead.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive

CODENAME=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)

main() {
  local wanted
  case $1 in
    --backports)
      shift
      use_backports
      ;;
    --file)
      use_backports
      take_file "$2" "$3"
      return
      ;;
  esac
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
  apt-get -qq update
  apt-get -qq -y --no-install-recommends install "${@%%>=*}" > /dev/null
  rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
  for wanted in "$@"; do
    [[ $wanted != *'>='* ]] || require "${wanted%%>=*}" "${wanted##*>=}"
  done
}

use_backports() {
  sed -i "/^Suites:/s/$CODENAME-updates/& $CODENAME-backports/" /etc/apt/sources.list.d/debian.sources
  printf 'APT::Default-Release "%s-backports";\n' "$CODENAME" > /etc/apt/apt.conf.d/20backports
}

take_file() {
  cd "$(mktemp -d)"
  apt-get -qq update
  apt-get -qq download "$2"
  dpkg-deb --fsys-tarfile ./*.deb | tar -x -C / ".$1"
}

require() {
  local version
  version=$(dpkg-query -W -f='${Version}' "$1")
  echo "$1 $version"
  dpkg --compare-versions "$version" ge "$2" || { echo "$1 must be $2 or newer" >&2; exit 1; }
}

main "$@"
