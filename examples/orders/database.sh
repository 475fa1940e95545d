#!/bin/sh
# A fresh PostgreSQL for one run, in a folder that goes with it. $1 is how clients authenticate.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PATH=$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')
# PostgreSQL refuses to be root.
as=
if [ "$(id -u)" = 0 ]; then
  chown postgres "$folder"
  as='setpriv --reuid=postgres --regid=postgres --init-groups'
fi
cd "$folder"
echo secret >password
chmod a+r password
$as initdb -D data -U postgres --auth="$1" --pwfile=password --no-sync --no-locale -E UTF8 >/dev/null
echo "host all all all $1" >>data/pg_hba.conf
$as postgres -D data -c listen_addresses='*' -c unix_socket_directories='' -c fsync=off &
trap 'kill $!; wait $!; rm -rf "$folder"' TERM
wait $!
