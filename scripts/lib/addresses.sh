# shellcheck shell=bash
# Addresses of this machine.

# own_address PUBLIC: the IPv4 address of this machine under which it is reached at PUBLIC: that one, or behind NAT the first.
own_address() {
  local addresses
  read -ra addresses <<< "$(hostname -I)"
  case "$1 ${addresses[*]} " in
    127.* | *" $1 "*) echo "$1" ;;
    *) printf '%s\n' "${addresses[@]}" | grep -m1 -F . ;;
  esac
}
