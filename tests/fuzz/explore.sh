#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# explore.sh TARGET CORPUS FOUND SECONDS - run a libFuzzer target from a corpus. New inputs and a crash go to FOUND,
# never into the tree; a crash, a leak, a hang of 20 s or 2 GiB of memory is a failure.
set -eu
target=$1 corpus=$2 found=$3 seconds=$4
mkdir -p "$found/inputs" "$found/crashes"
[ -n "$(ls -A "$corpus")" ] || { echo "the corpus $corpus is empty" >&2; exit 1; }
log=$found/log
if ! "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -seed=1 -print_final_stats=1 \
    -artifact_prefix="$found/crashes/" "$found/inputs" "$corpus" >"$log" 2>&1; then
  tail -n 60 "$log" >&2
  echo "the input is kept in $found/crashes" >&2
  exit 1
fi
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
[ "${runs:-0}" -gt 0 ] || { echo "nothing was executed" >&2; exit 1; }
echo "$(basename "$target"): $runs executions in $seconds s, $(find "$found/inputs" -type f | wc -l) inputs kept, no crash"
