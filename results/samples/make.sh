#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make.sh - make the samples beside this file anew: one real audit of this machine, and the same evidence judged against
# examples/claim.yaml. About two minutes; needs the release build, and for the pictures pdftoppm and chromium.
#
# Folders: pass/ the honest claim, fail/ the claim of 500 PFLOPS for 400 MW, each with certificate.json, report.html and
# report.pdf; fail/report.zh.html and .zh.pdf are the same certificate in Chinese. report*.png is the PDF's first page,
# report*.html.png the top of the HTML page as a browser shows it. evidence.db is too large to keep: the certificates
# can be checked in themselves, not against it.
set -eu
here=$(cd "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
petaudit=$here/../../build/release/petaudit
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Run petaudit and insist on its exit status.
expect() {
  local wanted=$1 status=0
  shift
  "$petaudit" "$@" || status=$?
  [ "$status" -eq "$wanted" ] || { echo "petaudit $1 ended with $status, not $wanted" >&2; exit 1; }
}

(umask 077 && expect 0 keygen "$work/key")
# Longer than the policy's 60 s: on a busy machine an epoch may come out shorter than it was planned.
expect 0 audit "$here/../../examples/this-machine.yaml" --duration 72s --key "$work/key" --out "$work/pass"
expect 1 judge "$work/pass/evidence.db" --claim "$here/../../examples/claim.yaml" --key "$work/key" --out "$work/fail"
expect 0 report "$work/fail/certificate.json" --pdf "$work/report.zh.pdf" --html "$work/fail/report.zh.html" --lang zh --key "$work/key"
# The top of a page, as high as the first sheet.
picture() {
  chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/browser" --window-size=860,1290 \
    --screenshot="$1.png" "file://$1" >/dev/null 2>&1
  [ -s "$1.png" ] || { echo "chromium made no picture of $1" >&2; exit 1; }
}

for sample in pass fail; do
  expect 0 verify "$work/$sample/certificate.json" --evidence "$work/pass/evidence.db" --trust "$work/key.pub"
  mkdir -p "$here/$sample"
  cp "$work/$sample/certificate.json" "$work/$sample"/report*.html "$work/$sample/report.pdf" "$here/$sample/"
  pdftoppm -r 60 -singlefile -png "$work/$sample/report.pdf" "$here/$sample/report"
done
cp "$work/report.zh.pdf" "$here/fail/"
pdftoppm -r 60 -singlefile -png "$work/report.zh.pdf" "$here/fail/report.zh"
for page in pass/report.html fail/report.html fail/report.zh.html; do
  picture "$here/$page"
done
cp "$work/key.pub" "$here/signer.pub"
