#!/bin/sh
# Runs once, on an empty database: the role that owns the tables and the role that runs.
set -eu
psql --username "$POSTGRES_USER" --set ON_ERROR_STOP=1 \
    --set owner="$OWNER_PASSWORD" --set app="$APP_PASSWORD" <<'SQL'
CREATE ROLE afterglow_app LOGIN PASSWORD :'app';
CREATE ROLE afterglow LOGIN PASSWORD :'owner';
CREATE DATABASE afterglow OWNER afterglow;
SQL
