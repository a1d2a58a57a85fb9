#!/usr/bin/env bash
# Installs the programs that the tests talk to, where it may, builds once and runs every test.
#   ./test.sh          about ten minutes
#   ./test.sh --quick  under two: what starts no process and needs no other program; installs nothing
#   ./test.sh --soak   long runs as well (POSTERN_SOAK=1)
#   --slowest          beside any of these: the ten tests that took longest, with their seconds
# The last line is "N passed, N failed, N skipped"; the exit code is 1 when anything failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1

interop=tests/Postern.Interop.Tests
configuration=Release
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1

quick=
slowest=
for argument in "$@"; do
  case $argument in
    --quick) quick=1 ;;
    --soak) export POSTERN_SOAK=1 ;;
    --slowest) slowest=1 ;;
    *) echo "usage: ./test.sh [--quick | --soak] [--slowest]" >&2; exit 2 ;;
  esac
done

# What is needed, and the Debian package that has it.
missing_packages() {
  local need package
  while read -r need package; do
    case $need in
      file:*) [ -e "${need#file:}" ] || echo "$package" ;;
      perl:*) perl -M"${need#perl:}" -e 1 2>/dev/null || echo "$package" ;;
      rsyslog_gtls) compgen -G '/usr/lib/*/rsyslog/lmnsd_gtls.so' >/dev/null || echo "$package" ;;
      sasl) compgen -G '/usr/lib/*/sasl2/libplain.so*' >/dev/null || echo "$package" ;;
      pam_*) compgen -G "/usr/lib/*/security/$need.so" >/dev/null || echo "$package" ;;
      libfaketime) compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || echo "$package" ;;
      *) PATH=$PATH:/usr/sbin:/usr/lib/git-core command -v "$need" >/dev/null || echo "$package" ;;
    esac
  done <<'NEEDS'
chromium chromium
curl curl
dovecot dovecot-core
file:/usr/lib/dovecot/lmtp dovecot-lmtpd
file:/usr/lib/dovecot/modules/auth/libmech_gssapi.so dovecot-gssapi
file:/usr/lib/dovecot/submission-login dovecot-submissiond
fail2ban-regex fail2ban
file:/usr/lib/python3/dist-packages/authres/__init__.py python3-authres
file:/usr/lib/python3/dist-packages/dkim/__init__.py python3-dkim
file:/usr/lib/python3/dist-packages/nacl/__init__.py python3-nacl
file:/lib/systemd/systemd-journald systemd
file:/usr/lib/postgresql postgresql
file:/usr/sbin/slapd slapd
file:/usr/share/java/jakarta-mail.jar libjakarta-mail-java
file:/usr/share/php/libphp-phpmailer/autoload.php libphp-phpmailer
git git
git-send-email git-email
gsasl gsasl
haproxy haproxy
htdigest apache2-utils
hydra hydra
javac default-jdk-headless
kadmin.local krb5-admin-server
kinit krb5-user
krb5kdc krb5-kdc
ldapmodify ldap-utils
ldns-signzone ldnsutils
libfaketime libfaketime
mariadbd mariadb-server
mkfs.ext4 e2fsprogs
msmtp msmtp
mutt mutt
node nodejs
npm npm
opendkim-testmsg opendkim-tools
openssl openssl
pam_google_authenticator libpam-google-authenticator
pam_pwdfile libpam-pwdfile
perl:Authen::SASL libauthen-sasl-perl
perl:Digest::HMAC_MD5 libdigest-hmac-perl
perl:IO::Socket::SSL libio-socket-ssl-perl
perl:Mail::Address libmailtools-perl
php php-cli
policyd-spf postfix-policyd-spf-python
postfix postfix
postgrey postgrey
prometheus prometheus
python3 python3
rsyslogd rsyslog
rsyslog_gtls rsyslog-gnutls
s-nail s-nail
sasl libsasl2-modules
saslpasswd2 sasl2-bin
strace strace
swaks swaks
unbound unbound
NEEDS
}

# --no-remove: a mail server that is there already stays; then Postfix, and its tests, do without.
apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove "$@" </dev/null >"$work/apt.log" 2>&1
}

install_peers() {
  local packages package
  mapfile -t packages < <(missing_packages | sort -u)
  [ ${#packages[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, and this is not root on Debian: ${packages[*]}"
    return
  fi

  echo "installing: ${packages[*]}"
  apt-get update -q </dev/null >"$work/apt.log" 2>&1 || tail -n 3 "$work/apt.log"
  # Only the programs are wanted, not a mail server of the machine.
  echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections 2>/dev/null
  apt_install "${packages[@]}" && return
  for package in "${packages[@]}"; do
    apt_install "$package" || { echo "cannot install $package:"; tail -n 3 "$work/apt.log"; }
  done
}

install_nodemailer() {
  command -v npm >/dev/null || return
  [ "$interop/node_modules/.package-lock.json" -nt "$interop/package-lock.json" ] && return
  (cd "$interop" && npm ci --no-audit --no-fund </dev/null) >"$work/npm.log" 2>&1 || { echo "npm ci failed:"; tail -n 5 "$work/npm.log"; }
}

# Debian lets one mail server be installed: this one is unpacked, and only receives. The heavy one has the driver that asks a Dovecot.
unpack_exim() {
  local unpacked
  unpacked=$(realpath "$interop")/unpacked
  grep -qs 'Dovecot did not advertise' "$unpacked/usr/sbin/exim4" && return
  [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null || return 0
  (cd "$work" && apt-get download -q exim4-daemon-heavy && dpkg -x exim4-daemon-heavy_*.deb "$unpacked") >"$work/exim.log" 2>&1 \
    || { echo "cannot unpack exim4-daemon-heavy:"; tail -n 3 "$work/exim.log"; return 0; }
  apt_install libidn12 libspf2-2 libmariadb3 libpq5 libldap-2.5-0 libsasl2-2 libgnutls-dane0 libperl5.36 \
    || { echo "cannot install what exim4-daemon-heavy needs:"; tail -n 3 "$work/apt.log"; }
  # It asks for this user by name, whatever its configuration says.
  getent passwd Debian-exim >/dev/null || useradd --system --user-group --home-dir /var/spool/exim4 --shell /usr/sbin/nologin Debian-exim
}

# One attribute of the counters in a result file.
count() { grep -o '<Counters [^>]*' "$1" | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p"; }

# Each skipped test of a result file, and why.
skipped_tests() {
  awk '
    /<UnitTestResult .*outcome="NotExecuted"/ { name = $0; sub(/.* testName="/, "", name); sub(/".*/, "", name) }
    name != "" && /<Message>/ { why = $0; sub(/.*<Message>/, "", why); sub(/<\/Message>.*/, "", why); print name ": " why; name = "" }
    /<\/UnitTestResult>/ { if (name != "") print name; name = "" }
  ' "$1" | sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

# Each test of a result file with the seconds it took.
durations() {
  sed -n 's/.*<UnitTestResult .*testName="\([^"]*\)".* duration="\([0-9:.]*\)".*/\2 \1/p' "$1" |
    awk '{ split($1, t, ":"); sub(/^[^ ]* /, ""); printf "%.1f s  %s\n", t[1] * 3600 + t[2] * 60 + t[3], $0 }' |
    sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'
}

passed=0 failed=0 skipped=0
skips=()

run_project() {
  local project=$1 filter=${2-} name result log total status p f s
  name=$(basename "$project" .csproj)
  result=$work/$name.trx log=$work/$name.log
  echo
  echo "== $name"
  dotnet test "$project" -c "$configuration" --no-build ${filter:+--filter "$filter"} --logger "trx;LogFileName=$result" --logger "console;verbosity=minimal" </dev/null >"$log" 2>&1
  status=$?
  if [ ! -f "$result" ] || [ "$(count "$result" total)" = 0 ]; then
    cat "$log"
    echo "$name ran no test"
    failed=$((failed + 1))
    return
  fi

  total=$(count "$result" total)
  p=$(count "$result" passed) f=$(count "$result" failed) s=$((total - $(count "$result" executed)))
  if [ "$status" -ne 0 ]; then
    cat "$log"
    # It ended badly although no test did: a crash.
    [ "$f" -eq 0 ] && { echo "$name ended with exit code $status"; f=1; }
  fi

  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  while read -r skip; do [ -n "$skip" ] && skips+=("$skip"); done < <(skipped_tests "$result")
  echo "$p passed, $f failed, $s skipped in $name"
}

# Runs a command in a process of its own: what it prints and counts is kept under a name until add_aside.
aside() {
  local name=$1
  shift
  "$@" >"$work/$name.out" 2>&1
  { echo "$passed $failed $skipped"; printf '%s\n' ${skips[@]+"${skips[@]}"}; } >"$work/$name.counts"
}

add_aside() {
  local p f s skip
  cat "$work/$1.out"
  {
    read -r p f s
    while read -r skip; do [ -n "$skip" ] && skips+=("$skip"); done
  } <"$work/$1.counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# A minute of hostile input to every parser; counts as one test. What it finds is kept.
run_fuzz() {
  echo
  echo "== Postern.Fuzz"
  if dotnet run -c "$configuration" --no-build --project tests/Postern.Fuzz -- --seconds 60 </dev/null; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$quick" ]; then
  install_peers
  install_nodemailer
  unpack_exim
fi
echo "building"
if ! dotnet build Postern.slnx -c "$configuration" -v q </dev/null; then
  echo "the build failed"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi

if [ -n "$quick" ]; then
  # Two at a time: each has stretches in which one of its classes is all that runs.
  aside two run_project tests/Postern.Relay.Tests/Postern.Relay.Tests.csproj &
  run_project tests/Postern.Smtp.Tests/Postern.Smtp.Tests.csproj
  run_project tests/Postern.Sasl.Tests/Postern.Sasl.Tests.csproj
  run_project tests/Postern.Tests/Postern.Tests.csproj 'FullyQualifiedName!~.Process.&FullyQualifiedName!~.Samples.&FullyQualifiedName!~.Packages.'
  run_project tests/Postern.Web.Tests/Postern.Web.Tests.csproj 'FullyQualifiedName!~.Browser.'
  wait
  add_aside two
  echo
  echo "left out: Postern.Interop.Tests, the processes, samples and packages of Postern.Tests, the browser, the fuzzing; ./test.sh runs all"
else
  for project in tests/*.Tests/*.csproj; do
    run_project "$project"
  done
  run_fuzz
fi

if [ -n "$slowest" ]; then
  echo
  echo "the slowest:"
  for result in "$work"/*.trx; do durations "$result"; done | sort -rn | head -10 | cut -c1-200
fi

echo
for skip in ${skips[@]+"${skips[@]}"}; do
  echo "skipped: $skip"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
