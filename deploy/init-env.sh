#!/bin/sh
# Writes the .env file that docker-compose.yml reads, with fresh secrets and mode 0600.
# Usage: sh deploy/init-env.sh [file]        An existing file is left as it is.
set -eu

file=${1:-"$(dirname "$0")/../.env"}
if [ -e "$file" ]; then
  echo "Cannot write $file: it exists already. Its secrets may be in use; move it away to begin anew." >&2
  exit 1
fi

random_hex() {
  od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}

umask 077
# Written under another name first: a script that is stopped halfway leaves no half-filled .env.
cat > "$file.new" <<SETTINGS
COMPOSE_PROJECT_NAME=vmx
# Secrets of this installation. Keep a copy in a safe place: without VMX_ENCRYPTION_KEY the stored
# credentials cannot be opened again.
POSTGRES_PASSWORD=$(random_hex 24)
REDIS_PASSWORD=$(random_hex 24)
VMX_ENCRYPTION_KEY=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
# Bearer token of the administrator for the management API.
VMX_ADMIN_TOKEN=$(random_hex 32)
# Read at the first run only: the password of "admin" and the first API key.
VMX_ADMIN_PASSWORD=$(random_hex 12)
VMX_BOOTSTRAP_API_KEY=$(random_hex 32)
# Address the gateway is published at, and the URL people and applications reach it by.
VMX_PUBLISH=127.0.0.1:3000
VMX_PUBLIC_URL=http://127.0.0.1:3000
SETTINGS
mv "$file.new" "$file"
echo "Wrote $file"
