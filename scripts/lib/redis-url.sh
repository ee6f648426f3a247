# shellcheck shell=bash
# The parts of a REDIS_URL as we make them: redis://:PASSWORD@HOST:PORT, nothing in it written as %XX.

# split_redis_url URL: exports REDIS_PASSWORD, REDIS_HOST and REDIS_PORT; fails when it is another kind of URL.
split_redis_url() {
  [[ $1 =~ ^redis://:([^:@/%]+)@([^:@/%]+):([0-9]+)/?$ ]] || { echo 'REDIS_URL is not redis://:PASSWORD@HOST:PORT' >&2; return 1; }
  export REDIS_PASSWORD=${BASH_REMATCH[1]} REDIS_HOST=${BASH_REMATCH[2]} REDIS_PORT=${BASH_REMATCH[3]}
}
