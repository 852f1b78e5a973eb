#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh BUILD - clang-tidy over every file of host/ that BUILD compiles; any warning of .clang-tidy's checks is an error.
set -eu
build=$1
output=$(mktemp)
trap 'rm -f "$output"' EXIT
if ! run-clang-tidy -quiet -p "$build" -j "$(nproc)" '/host/[^/]*/[^/]*\.c$' >"$output" 2>&1; then
  grep -E '(error|warning):' "$output" | sort -u >&2 || tail -n 40 "$output" >&2
  exit 1
fi
grep -q clang-tidy "$output" || { echo "clang-tidy looked at no file" >&2; exit 1; }
