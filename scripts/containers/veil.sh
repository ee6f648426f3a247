#!/bin/bash
# veil.sh VERB...: in a container of the API, as `veil`: runs a verb of its command line with its settings and secrets.
exec /opt/veil/scripts/service.sh /var/lib/veil api cli "$@"
