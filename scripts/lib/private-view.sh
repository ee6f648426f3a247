#!/bin/bash
# private-view.sh CHECKOUT STATE CLOSED... -- COMMAND...: runs COMMAND with each CLOSED directory replaced by an open one
# that holds only CHECKOUT and STATE. Runs in a mount namespace of its own: see reachable.sh.
set -euo pipefail

main() {
  local checkout=$1 state=$2 closed=() paths=() descriptors=() index
  shift 2
  while [ "$1" != -- ]; do
    closed+=("$1")
    shift
  done
  shift
  # The checkout may be the closed directory itself: what it holds is mounted one by one.
  paths=("$checkout"/*)
  case $state/ in "$checkout"/*) ;; *) paths+=("$state") ;; esac
  hold_open
  for index in "${!closed[@]}"; do
    mount -t tmpfs -o mode=0755 veil "${closed[index]}"
  done
  for index in "${!paths[@]}"; do
    show "${descriptors[index]}" "${paths[index]}"
  done
  cd "$checkout"
  exec "$@"
}

# An open descriptor still leads to what the mounts will hide.
hold_open() {
  local path descriptor
  for path in "${paths[@]}"; do
    exec {descriptor}< "$path"
    descriptors+=("$descriptor")
  done
}

# show DESCRIPTOR PATH: binds what the descriptor leads to at its usual path, unless it is still there.
show() {
  local descriptor=$1
  if [ ! "/proc/self/fd/$descriptor" -ef "$2" ]; then
    make_place "/proc/self/fd/$descriptor" "$2"
    mount --no-canonicalize --bind "/proc/self/fd/$descriptor" "$2"
  fi
  exec {descriptor}<&-
}

make_place() {
  if [ -d "$1" ]; then
    mkdir -p "$2"
  else
    mkdir -p "$(dirname "$2")"
    touch "$2"
  fi
}

main "$@"
