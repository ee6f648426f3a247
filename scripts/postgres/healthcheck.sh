#!/bin/bash
# Succeeds when PostgreSQL accepts connections.
exec pg_isready -q -t 2 -h 127.0.0.1 -p "$DB_PORT" -U veil_api -d veil
