#!/usr/bin/env bash
# Starts ejabberd in the foreground. Needs the settings, TLS_DIR, RUN_DIR (the only directory written to) and
# the secrets DB_EJABBERD_PASSWORD, XMPP_COMPONENT_SECRET and TURN_SECRET, each as NAME or NAME_FILE.
#
# It runs the virtual machine itself instead of ejabberdctl: no root, no cookie, no node name, no epmd daemon.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib/template.sh
. "$here/../scripts/lib/template.sh"

read_secret DB_EJABBERD_PASSWORD
read_secret XMPP_COMPONENT_SECRET
read_secret TURN_SECRET

export UPLOAD_MAX_DAYS=$UPLOAD_DAYS
[ "$UPLOAD_DAYS" != 0 ] || UPLOAD_MAX_DAYS=infinity

# A list of quoted words for YAML.
XMPP_TRUSTED_PROXIES=${TRUSTED_PROXIES// /}
export XMPP_TRUSTED_PROXIES=${XMPP_TRUSTED_PROXIES:+\"${XMPP_TRUSTED_PROXIES//,/\",\"}\"}

# Configuration, certificates and uploads are nobody else's.
umask 077
mkdir -p "$RUN_DIR"/{etc,spool,log,upload}
render "$here/ejabberd.yml" "$RUN_DIR/etc/ejabberd.yml"

# Where the package keeps the Erlang applications, whatever the machine's architecture.
applications=(/usr/lib/*/ejabberd-*/ebin)

modules=()
for module in veil_passwords veil_turn; do
  modules+=(-eval "{ok, M, Code} = compile:file(\"$here/$module.erl\", [binary]), {module, M} = code:load_binary(M, [], Code)")
done

# A clean environment: the secrets have no business there, and a crash dump would write them to disk.
cd "$RUN_DIR"
exec env -i \
  PATH=/usr/bin:/bin \
  HOME="$RUN_DIR" \
  LANG=C.UTF-8 \
  ERL_LIBS="${applications[0]%/ejabberd-*}" \
  ERL_INETRC="$here/inetrc" \
  ERL_CRASH_DUMP_BYTES=0 \
  EJABBERD_CONFIG_PATH="$RUN_DIR/etc/ejabberd.yml" \
  EJABBERD_LOG_PATH="$RUN_DIR/log/ejabberd.log" \
  erl -noinput +P 250000 -mnesia dir "\"$RUN_DIR/spool\"" \
  -eval "ok = file:eval(\"$here/log_filter.erl\")" \
  "${modules[@]}" \
  -s ejabberd \
  -eval 'ok = veil_passwords:register(), ok = veil_turn:register()' \
  -eval "ok = file:eval(\"$here/account_removal.erl\")" \
  -eval "ok = file:eval(\"$here/push_service.erl\")"
