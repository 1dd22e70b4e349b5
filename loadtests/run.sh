#!/usr/bin/env bash
# Everything that measures load, in one run on one machine: upserts against the bare web framework
# and the disk, rows by every door, the feed, memory and restarts, then searches. Takes about half an
# hour; what it prints is told in README.md beside it. Arguments are passed to all measurements.
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${LOAD_PROFILE:-release}
records=${LOAD_RECORDS:-1000000}

cargo build --locked --profile "$profile" --bin upsertd --example load
load=target/$profile/examples/load

for kind in create mixed; do
  "$load" --kind "$kind" "$@"
  echo
done
"$load" --rows "$@"
echo
"$load" --feed "$@"
echo
"$load" --restart "$records" "$@"
echo
"$load" --search "$records" "$@"
