#!/usr/bin/env bash
# Runs a command beside a Postgres and a Redis of its own, on unix sockets in a private folder:
#   deploy/with-services.sh swift test
# The command finds them in TENURE_TEST_DATABASE_URL and TENURE_TEST_REDIS_URL, and Postgres' process
# in TENURE_TEST_POSTMASTER. Both end with it. TENURE_TEST_FOLDER says where the private folder is made,
# TENURE_TEST_POSTGRES_CONF which file of settings Postgres gets besides.
set -euo pipefail

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres)")
folder=$(mktemp -d "${TENURE_TEST_FOLDER:-/tmp}/tenure-test.XXXXXX")
as=()
if [ "$(id -u)" -eq 0 ]; then
  as=(runuser -u postgres --)
  chown postgres "$folder"
  chmod 711 "$folder"
fi

stop() {
  status=$?
  [ -f "$folder/redis.pid" ] && kill "$(cat "$folder/redis.pid")" 2>/dev/null || true
  "${as[@]}" "$bin/pg_ctl" -D "$folder/postgres" -m immediate -w stop >/dev/null 2>&1 || true
  rm -rf "$folder"
  exit $status
}
trap stop EXIT
trap 'exit 130' INT TERM

"${as[@]}" "$bin/initdb" -D "$folder/postgres" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 >/dev/null
cat >>"$folder/postgres/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
unix_socket_permissions = 0777
max_connections = 300
shared_buffers = 256MB
max_locks_per_transaction = 256
CONF
[ -z "${TENURE_TEST_POSTGRES_CONF:-}" ] || cat "$TENURE_TEST_POSTGRES_CONF" >>"$folder/postgres/postgresql.conf"
"${as[@]}" "$bin/pg_ctl" -D "$folder/postgres" -l "$folder/postgres.log" -w start >/dev/null
"${as[@]}" psql -h "$folder" -qc "create role tenure login createrole createdb" postgres

redis-server --port 0 --unixsocket "$folder/redis.sock" --unixsocketperm 777 --save '' \
  --appendonly no --dir "$folder" --pidfile "$folder/redis.pid" --daemonize yes >/dev/null

TENURE_TEST_POSTMASTER=$(head -n 1 "$folder/postgres/postmaster.pid")
export TENURE_TEST_POSTMASTER
export TENURE_TEST_DATABASE_URL="postgresql://tenure@/postgres?host=$folder"
export TENURE_TEST_REDIS_URL="redis+unix://$folder/redis.sock"
"$@"
