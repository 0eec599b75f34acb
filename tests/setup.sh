#!/bin/sh
# Sees to it that `make test` and `make bench` find what they need. On Debian (and its kin), as root,
# it installs what is missing; elsewhere it names it, says how to get it, and fails.
set -eu
cd "$(dirname "$0")/.."

# command:Debian package
needed="curl:curl jq:jq bc:bc python3:python3 nginx:nginx aria2c:aria2 mkfs.ext4:e2fsprogs mount:mount strace:strace eatmydata:eatmydata"
if [ -f web/package.json ]; then
    needed="$needed node:nodejs npm:npm"
    if grep -q playwright web/package.json; then
        needed="$needed chromium:chromium"
    fi
fi
# Debian keeps some of these where only root looks.
PATH="$PATH:/usr/sbin:/sbin"

missing() {
    for pair in $needed; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || printf '%s ' "$pair"
    done
    # Debian's python3 comes without what makes virtual environments.
    if command -v python3 >/dev/null 2>&1 && ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        printf '%s ' "venv:python3-venv"
    fi
}

for tool in cargo rustfmt; do
    command -v "$tool" >/dev/null 2>&1 || {
        echo "setup: $tool is missing; get it from https://rustup.rs (with rustfmt and clippy)" >&2
        exit 1
    }
done

lacking=$(missing)
if [ -n "$lacking" ]; then
    packages=$(for pair in $lacking; do printf '%s ' "${pair##*:}"; done)
    if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ] && command -v apt-get >/dev/null; then
        echo "setup: installing $packages"
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        # shellcheck disable=SC2086 # one word for each package
        apt-get -qq install --yes --no-install-recommends $packages
        case "$packages" in
        # The package starts a web server on port 80, which nobody asked for; the program is what is needed.
        *nginx*) service nginx stop >/dev/null 2>&1 || true ;;
        esac
        lacking=$(missing)
    fi
fi
if [ -n "$lacking" ]; then
    echo "setup: missing on this machine:" >&2
    for pair in $lacking; do
        echo "  ${pair%%:*} (Debian package ${pair##*:})" >&2
    done
    echo "setup: on Debian or Ubuntu: sudo apt-get install $packages" >&2
    echo "setup: on macOS: brew install the same names; mkfs.ext4, mount, strace and eatmydata are for Linux only" >&2
    exit 1
fi
# The least that the bundler of the web pages takes; Debian 12 has an older one.
if [ -f web/package.json ] && ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
    echo "setup: Node 20.19 or newer is needed, this is $(node --version); get it from https://nodejs.org" >&2
    exit 1
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup: Python 3.11 or newer is needed, this is $(python3 --version)" >&2
    exit 1
fi
