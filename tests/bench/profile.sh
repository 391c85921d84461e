#!/usr/bin/env bash
# What a step of the default policy, and a poll with nothing to do, spend their instructions on:
# counted by callgrind, written to docs/profile-step.txt and docs/profile-poll.txt. Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

cargo build --release --locked --package lifeline --example profile_subject
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# $1: the subject; $2: how often beyond a first time, which is subtracted; $3: what it is.
profile() {
  local total few many
  for count in 1 $(($2 + 1)); do
    valgrind --quiet --tool=callgrind --callgrind-out-file="$folder/$1-$count" \
      target/release/examples/profile_subject "$1" "$count" 2>"$folder/$1-$count.log"
  done
  few=$(sed -n 's/^summary: //p' "$folder/$1-1")
  many=$(sed -n 's/^summary: //p' "$folder/$1-$(($2 + 1))")
  total=$(((many - few) / $2))
  {
    echo "$3: $total instructions each (tests/bench/profile.sh, callgrind, $2 times)."
    echo "Below: all $2 of them, with the start of the process; without the functions they call."
    echo
    callgrind_annotate --threshold=95 "$folder/$1-$(($2 + 1))" |
      sed -n '/^Ir/,$p' |
      sed -E 's/ \[[^]]*\]$//; s#\?\?\?:##; s#[^ ]*/(rustc|registry|\.cargo)/[^ :]*/##g' |
      sed -n '1,50p'
  } >"docs/profile-$1.txt"
}

profile step 500 "A tick of the default policy, each in a fresh sandbox"
profile poll 5000 "A poll with nothing to do"
head -3 docs/profile-step.txt docs/profile-poll.txt
