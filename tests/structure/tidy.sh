#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tidy.sh BUILD shallow|deep - clang-tidy over every file of host/ that BUILD compiles; any warning of .clang-tidy's checks
# is an error. Deep, its analyzer follows calls into other functions and takes four times as long.
set -eu
build=$1
depth=$2
case $depth in shallow | deep) ;; *) echo "tidy.sh: shallow or deep, not $depth" >&2; exit 64 ;; esac
output=$(mktemp)
trap 'rm -f "$output"' EXIT
if ! run-clang-tidy -quiet -p "$build" -j "$(nproc)" -extra-arg=-Xclang -extra-arg=-analyzer-config -extra-arg=-Xclang \
  -extra-arg=mode="$depth" '/host/[^/]*/[^/]*\.c$' >"$output" 2>&1; then
  grep -E '(error|warning):' "$output" | sort -u >&2 || tail -n 40 "$output" >&2
  exit 1
fi
grep -q clang-tidy "$output" || { echo "clang-tidy looked at no file" >&2; exit 1; }
