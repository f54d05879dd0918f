#!/bin/sh
# Installs what the tests run against: Dovecot, Postfix and PostgreSQL from Debian, used only as
# private instances on free ports or sockets. Starts no service, changes nothing when everything is present.
#
# Works as root, or through sudo. Debian 12 or later.
set -eu

PACKAGES="dovecot-imapd dovecot-lmtpd dovecot-sieve postfix openssl ca-certificates"
# A C compiler builds the bundled SQLite; python3-venv holds the Segment client of the tests.
PACKAGES="$PACKAGES gcc libc6-dev python3 python3-venv"

# Any PostgreSQL from 15 on serves, not only Debian's.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || PACKAGES="$PACKAGES postgresql"

# Any Node serves, not only Debian's.
command -v npm >/dev/null 2>&1 || PACKAGES="$PACKAGES nodejs npm"

missing=""
for package in $PACKAGES; do
    state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case "$state" in
    ii*) ;;
    *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "test dependencies: all present" >&2
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1; then
    as_root="sudo"
else
    echo "test dependencies: missing$missing; run this script as root, or install sudo" >&2
    exit 2
fi

# While policy-rc.d answers 101, installation starts no service. An existing one is put back.
policy=/usr/sbin/policy-rc.d
kept=""
if [ -e "$policy" ]; then
    kept="$policy.relance-kept.$$"
    $as_root mv "$policy" "$kept"
fi
restore() {
    if [ -n "$kept" ]; then
        $as_root mv -f "$kept" "$policy"
    else
        $as_root rm -f "$policy"
    fi
}
trap restore EXIT
trap 'exit 130' INT TERM
printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
$as_root chmod 755 "$policy"

# Postfix asks its questions through debconf: "no configuration", the tests write their own.
if command -v debconf-set-selections >/dev/null 2>&1; then
    echo "postfix postfix/main_mailer_type select No configuration" | $as_root debconf-set-selections
fi

echo "test dependencies: installing$missing" >&2
$as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
# shellcheck disable=SC2086 # a list of words is meant
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=300 $missing >&2

# Packages ask to be started at the next boot; what was installed for tests only is not.
if command -v systemctl >/dev/null 2>&1; then
    for service in dovecot postfix postgresql; do
        case "$missing" in
        *"$service"*) $as_root systemctl disable --quiet "$service" >/dev/null 2>&1 || true ;;
        esac
    done
fi
echo "test dependencies: installed" >&2
