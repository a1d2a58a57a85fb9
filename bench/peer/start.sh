#!/bin/sh
set -e
if [ "$BENCH_USER:$BENCH_PASS" != bench:bench-secret ]; then
  echo "install.sh has prepared the account bench with the password bench-secret" >&2
  exit 1
fi

mkdir -m 700 "$BENCH_STATE/data"
cp "$BENCH_PREFIX"/prepared/data/directory.db* "$BENCH_STATE/data/"
# changed from the defaults for the measurement:
#  one client address holds all connections: no lower limit for an address than for all
cat > "$BENCH_STATE/postern.yaml" <<C
server: { hostname: postern.bench.test, data: $BENCH_STATE/data }
tls: { certificate: $BENCH_CERT, key: $BENCH_KEY }
listeners:
  - { name: submissions, listen: ["127.0.0.1:27465"], tls: implicit }
  - { name: submission, listen: ["127.0.0.1:27587"], tls: starttls }
limits: { connections: 20000, connections_per_address: 20000 }
delivery:
  routes:
    - { to: "*", via: "smtp://127.0.0.1:$BENCH_SINK_PORT?tls=none" }
C
# The events are in the log files; the copy on standard output would be a second log, which no other server writes.
exec dotnet "$BENCH_PREFIX/postern/postern.dll" serve --config "$BENCH_STATE/postern.yaml" > /dev/null
