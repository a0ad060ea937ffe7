# shellcheck shell=sh
# Sourced by ./run and ./test: what a Debian machine needs before either can start.

export DEBIAN_FRONTEND=noninteractive DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
export DOTNET_SKIP_WORKLOAD_INTEGRITY_CHECK=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# No compiler stays behind: it would be the largest process of a small machine.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false

say() { printf '%s\n' "-----> $*"; }
fail() { printf '%s\n' "piku: $*" >&2; exit 1; }

# .NET's name for this machine.
runtime() {
    case $(uname -m) in
        aarch64) echo linux-arm64 ;;
        *) echo linux-x64 ;;
    esac
}

# require FILE-OR-COMMAND:PACKAGE ... : installs the packages whose file or command is not there.
require() {
    missing=
    for wanted in "$@"; do
        present "${wanted%%:*}" || missing="$missing ${wanted#*:}"
    done
    [ -n "$missing" ] || return 0
    say "Installing$missing"
    # shellcheck disable=SC2086 # a list of words
    install_packages $missing || fail "these packages could not be installed:$missing. Install them and try again."
}

present() {
    case $1 in
        /*) [ -e "$1" ] ;;
        *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
    esac
}

# Debian starts a service as soon as it is installed. nginx must not: piku runs its own.
# shellcheck disable=SC2016 # expanded by the inner shell
install_packages() {
    command -v apt-get >/dev/null || fail "install$missing first: this is not Debian or a relative of it."
    as_root sh -c '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
            trap "rm -f $policy" EXIT
            printf "#!/bin/sh\nexit 101\n" >$policy
            chmod 755 $policy
        fi
        had_nginx=$(command -v nginx)
        apt-get update -q || true
        apt-get install -q -y --no-install-recommends "$@" || exit
        [ -n "$had_nginx" ] || ! command -v nginx || update-rc.d nginx disable || true
    ' sh "$@" >"${log:=$(mktemp)}" 2>&1 </dev/null || { tail -n 20 "$log" >&2; return 1; }
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env PATH="$PATH:/usr/sbin:/sbin" "$@"
    else
        command -v sudo >/dev/null || fail "install$missing as root first, or install sudo."
        sudo env DEBIAN_FRONTEND=noninteractive PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
    fi
}

# What the daemon needs to serve, and what it needs to build the apps in examples/.
prepare() {
    command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: see https://dotnet.microsoft.com/download, or https://dot.net/v1/dotnet-install.sh."
    require git:git ssh:openssh-client uwsgi:uwsgi-core /usr/lib/uwsgi/plugins/python3_plugin.so:uwsgi-plugin-python3 \
        nginx:nginx python3:python3 virtualenv:virtualenv setpriv:util-linux flock:util-linux \
        node:nodejs npm:npm
}

# Apps never run as root: when root asks, this user does.
require_piku_user() {
    if ! getent passwd piku >/dev/null; then
        say "Adding the user piku"
        as_root useradd --system --user-group --create-home --home-dir /home/piku --shell /bin/sh piku || fail "the user piku could not be added."
    fi
}

# What apps with users of their own (docs/users.md) need: numbers that piku may give them. For a user that has some, nothing.
require_app_users() {
    require newuidmap:uidmap unshare:util-linux nsenter:util-linux
    owner=${1:-$(id -un)}
    for kind in uid gid; do
        grep -qs "^$owner:" /etc/sub$kind ||
            as_root usermod --add-sub${kind}s 600000-665535 "$owner" || fail "the user $owner could not be given sub$kind numbers."
    done
}
