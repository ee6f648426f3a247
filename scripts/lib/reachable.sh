# shellcheck shell=bash
# The servers' users must reach the checkout and the state. When a directory above them is closed to others (a home
# like /root, a directory of mktemp), supervisord and its servers run in a mount namespace of their own, in which that
# directory is an empty, open one that holds nothing but the checkout and the state, at their usual paths. Nothing
# changes outside of it. Needs ROOT, VEIL_VAR and log.sh.

# A private umask makes git keep the files from others: what the servers read holds no secret and is opened.
open_checkout() {
  [ -z "$(find "$ROOT/scripts/service.sh" -not -perm -o=rx)" ] ||
    chmod -R go+rX "$ROOT"/{api,coturn,ejabberd,kamailio,rtpengine,scripts,node_modules,package.json}
}

# run_reachable COMMAND...: runs it where the servers' users can reach everything they need.
run_reachable() {
  local closed
  mapfile -t closed < <({ closed_directory "$ROOT" && closed_directory "$VEIL_VAR"; } | sort -u)
  if [ ${#closed[@]} -eq 0 ]; then
    "$@"
    return
  fi
  unshare --mount true 2> /dev/null || fail "${closed[0]} is closed to the servers' users, and mount namespaces are not" \
    "permitted here: move the checkout to a directory that everybody can enter, for instance below /srv"
  unshare --mount --propagation private \
    "$ROOT/scripts/lib/private-view.sh" "$ROOT" "$VEIL_VAR" "${closed[@]}" -- "$@"
}

# Prints the topmost directory of a path that the servers' users can't enter, if there is one.
closed_directory() {
  local directory='' part
  while IFS= read -r part; do
    directory+="/$part"
    setpriv --reuid=veil --regid=veil --clear-groups test -x "$directory" && continue
    echo "$directory"
    return
  done < <(tr / '\n' <<< "${1#/}")
}
