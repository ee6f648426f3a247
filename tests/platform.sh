# shellcheck shell=bash
# The tests' own platform, apart from one that may run on this machine: `. tests/platform.sh BASE DIRECTORY`
# exports the settings of scripts/up.sh for the ports BASE..BASE+399 and the state directory DIRECTORY.

if [ $# -ne 2 ]; then
  echo 'usage: . tests/platform.sh BASE_PORT DIRECTORY' >&2
  return 2
fi

export VEIL_VAR
VEIL_VAR=$(realpath -m "$2")

# The domain resolves nowhere: what clients connect to is localhost, as the certificate says too.
export XMPP_DOMAIN=veil.test XMPP_HOST=localhost XMPP_WS_URL='' HTTP_UPLOAD_DOMAIN=''
export SIP_DOMAIN='' SIP_HOST='' TURN_DOMAIN=localhost
export BIND_ADDRESS=127.0.0.1 SERVER_IP=127.0.0.1 MEDIA_IP=127.0.0.2

export API_PORT=$(($1)) API_INTERNAL_PORT=$(($1 + 1)) DB_PORT=$(($1 + 2))
export XMPP_PORT=$(($1 + 3)) XMPP_TLS_PORT=$(($1 + 4)) XMPP_WS_PORT=$(($1 + 5)) XMPP_HTTPS_PORT=$(($1 + 6))
export XMPP_API_PORT=$(($1 + 7)) XMPP_COMPONENT_PORT=$(($1 + 8))
export SIP_PORT=$(($1 + 9)) SIP_TLS_PORT=$(($1 + 10)) SIP_WSS_PORT=$(($1 + 11)) SIP_RPC_PORT=$(($1 + 12))
export RTPENGINE_NG_PORT=$(($1 + 13)) TURN_PORT=$(($1 + 14)) TURN_TLS_PORT=$(($1 + 15))
export RTP_MIN_PORT=$(($1 + 100)) RTP_MAX_PORT=$(($1 + 299))
export TURN_MIN_PORT=$(($1 + 300)) TURN_MAX_PORT=$(($1 + 399))

# Nothing in the tests outlives a power cut.
export DB_FSYNC=off

# A call that nobody answers is over soon.
export RING_SECONDS=8

# Every story comes from one address.
export RATE_LIMIT_FACTOR=1000
