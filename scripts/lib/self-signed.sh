#!/bin/bash
# self-signed.sh DIRECTORY NAME...: keeps a certificate for the names (host names and addresses) in DIRECTORY, signed by
# an authority of our own that clients may trust: ca.crt, server.crt, server.key, server.pem (key, certificate, authority).
# It is renewed when the names change and 30 days before it expires. Without ca.key but with server.crt, the
# certificate is the operator's own and stays as it is.
set -euo pipefail
umask 077

CA_DAYS=3650
SERVER_DAYS=397
RENEW_BEFORE_SECONDS=$((30 * 86400))

main() {
  local directory=$1
  shift
  install -d -m 0755 "$directory"
  cd "$directory"
  if [ -f ca.key ] || [ ! -f server.crt ]; then
    renew "$(alternative_names "$@")"
  fi
  [ -f ca.crt ] || install -m 0644 server.crt ca.crt
  cat server.key server.crt ca.crt | replace server.pem 0600
}

renew() {
  if ! is_current ca.crt; then create_authority; fi
  if ! is_current server.crt || ! is_signed || ! has_names "$1"; then create_certificate "$1"; fi
}

is_current() { [ -f "$1" ] && openssl x509 -noout -checkend "$RENEW_BEFORE_SECONDS" -in "$1" > /dev/null; }

is_signed() { openssl verify -CAfile ca.crt server.crt > /dev/null 2>&1; }

has_names() { [ "$(cat server.names 2> /dev/null)" = "$1" ]; }

# subjectAltName as openssl reads it: `DNS:a,IP:127.0.0.1`.
alternative_names() {
  local name list=''
  while IFS= read -r name; do
    if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then name="IP:$name"; else name="DNS:$name"; fi
    list+="${list:+,}$name"
  done < <(printf '%s\n' "$@" | awk '!seen[$0]++')
  echo "$list"
}

create_authority() {
  new_key ca.key
  openssl req -x509 -new -key ca.key -sha256 -days "$CA_DAYS" -subj '/CN=Veil self-signed authority' \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' |
    replace ca.crt 0644
}

create_certificate() {
  new_key server.key
  openssl req -new -key server.key -subj '/CN=Veil server' |
    openssl x509 -req -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16)" -sha256 -days "$SERVER_DAYS" \
      -extfile <(certificate_extensions "$1") 2> /dev/null |
    replace server.crt 0644
  echo "$1" | replace server.names 0644
}

certificate_extensions() {
  echo "subjectAltName = $1"
  echo 'basicConstraints = critical, CA:FALSE'
  echo 'keyUsage = critical, digitalSignature'
  echo 'extendedKeyUsage = serverAuth, clientAuth'
}

new_key() { openssl ecparam -genkey -noout -name prime256v1 | replace "$1" 0600; }

# replace FILE MODE: stdin becomes FILE at once or not at all.
replace() {
  cat > "$1.new"
  [ -s "$1.new" ]
  chmod "$2" "$1.new"
  mv "$1.new" "$1"
}

[ $# -ge 2 ] || { echo "usage: self-signed.sh DIRECTORY NAME..." >&2; exit 2; }
main "$@"
