#!/usr/bin/env bash
# Brings a stack's DNS records to its name server (RFC 2136, signed with a TSIG key), then asks the server for them.
#   scripts/dns.sh STACK OUTPUTS      OUTPUTS is what `pulumi stack output --json --stack STACK` printed
# DNS_SERVER, DNS_ZONE, DNS_KEY_NAME, DNS_KEY_SECRET name the server, the zone and the key. DNS_PORT (53) and
# DNS_KEY_ALGORITHM (hmac-sha256) have defaults. Nothing is changed without `--doit` as a third word: then octoDNS's plan is only shown.
set -euo pipefail
cd "$(dirname "$0")/.."

stack=$1 outputs=$2
: "${DNS_SERVER:?the address of the name server}" "${DNS_ZONE:?the zone, such as example.org}"
: "${DNS_KEY_NAME:?the name of the TSIG key}" "${DNS_KEY_SECRET:?the secret of the TSIG key, base64}"

configuration=$(mktemp --directory)
trap 'rm -rf "$configuration"' EXIT
ops=(.venv/bin/python -m ops dns --records "$outputs" --owner "henhouse-$stack" --zone "$DNS_ZONE")
"${ops[@]}" --write "$configuration"
.venv/bin/octodns-sync --quiet --config-file "$configuration/octodns.yaml" "${@:3}"
if [[ ${3-} == --doit ]]; then
    "${ops[@]}" --resolver "$DNS_SERVER:${DNS_PORT:-53}" --transfer
fi
