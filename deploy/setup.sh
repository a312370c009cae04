#!/usr/bin/env bash
# Installs the Debian packages that Tenure builds and runs with, where they are missing.
set -euo pipefail

packages=(pkg-config libpq-dev libssl-dev libargon2-dev libhiredis-dev zlib1g-dev ca-certificates postgresql redis-server)
case ${1:-} in
  test) packages+=(openssl unzip python3 curl nodejs apache2 libapache2-mod-auth-openidc python3-authlib python3-requests prometheus nginx-light wrk) ;;
  bench) packages+=(wrk openssl git) ;;
esac

if ! command -v swift >/dev/null; then
  echo "Swift 6.3 is needed and 'swift' is not on the PATH: see https://www.swift.org/install/linux/" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

run=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "These packages are missing; install them as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  run=(sudo)
fi
echo "Installing ${missing[*]}"
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

# The tests start their own; Debian's would take port 9090, where Tenure's internal listener is.
if [[ " ${missing[*]} " == *" prometheus "* ]] && [ -d /run/systemd/system ]; then
  "${run[@]}" systemctl disable --quiet --now prometheus
fi
