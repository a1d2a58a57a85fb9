#!/bin/sh
# Publishes Postern, and makes the accounts database once: a start then copies it, so that only the server counts in a cold start.
set -e
source=$(cd "$(dirname "$0")/../.." && pwd)
cd "$BENCH_PREFIX"
rm -rf postern prepared
dotnet publish "$source/src/Postern" -c Release -o postern -v q --nologo

mkdir -m 700 prepared
cat > prepared/postern.yaml <<C
server: { hostname: postern.bench.test, data: $BENCH_PREFIX/prepared/data }
C
postern() { dotnet postern/postern.dll "$@" --config prepared/postern.yaml; }
postern domain add bench.test
postern account add bench --address sender@bench.test --domain bench.test
echo bench-secret | postern credential add bench --password-stdin
