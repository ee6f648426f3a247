#!/bin/bash
# Succeeds when the API answers through the proxy.
exec curl --silent --fail --insecure --max-time 3 --output /dev/null "https://127.0.0.1:$XMPP_HTTPS_PORT/health"
