#!/bin/sh
# Checks this folder with sha256sum, base64 and openssl (3.0 or later); Placet is not needed.
# Vérifie ce dossier avec sha256sum, base64 et openssl (3.0 ou plus récent) ; Placet n'est pas nécessaire.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

hash() { openssl dgst -sha256 -binary; }

refuse() {
    echo "NO / NON: $1" >&2
    exit 1
}

# Walks from the leaf's hash in $work/node up to the root, as RFC 9162 section 2.1.3.2 has it.
walk() {
    sed '/^$/,$d' "$1.tlog-proof" >"$work/head"
    sed '1,/^$/d' "$1.tlog-proof" | cmp -s - "$1.checkpoint" || refuse "$1.checkpoint"
    index=$(sed -n 's/^index //p' "$work/head")
    position=$index
    last=$(($(sed -n 2p "$1.checkpoint") - 1))
    [ "$position" -le "$last" ] || refuse "$1: index"
    sed '1,/^index /d' "$work/head" >"$work/path"
    while read -r sibling; do
        [ "$last" -gt 0 ] || refuse "$1: path"
        echo "$sibling" | base64 -d >"$work/sibling"
        if [ $((position % 2)) = 1 ] || [ "$position" = "$last" ]; then
            { printf '\001'; cat "$work/sibling" "$work/node"; } | hash >"$work/next"
            while [ $((position % 2)) = 0 ] && [ "$position" -gt 0 ]; do
                position=$((position / 2))
                last=$((last / 2))
            done
        else
            { printf '\001'; cat "$work/node" "$work/sibling"; } | hash >"$work/next"
        fi
        mv "$work/next" "$work/node"
        position=$((position / 2))
        last=$((last / 2))
    done <"$work/path"
    [ "$last" = 0 ] || refuse "$1: path"
    sed -n 3p "$1.checkpoint" | base64 -d | cmp -s - "$work/node" || refuse "$1: root"
    echo "$1: entry $index of the log / entrée $index du journal: OK"
}

# Checks the log's signature: of the text up to the empty line, by the key in log-key.pem.
signed() {
    sed '/^$/,$d' "$1.checkpoint" >"$work/text"
    sed -n 's/^log \([^+]*\)+.*/\1/p' keys.txt >"$work/name"
    [ "$(sed -n 1p "$work/text")" = "$(cat "$work/name")" ] || refuse "$1.checkpoint: origin"
    for line in $(sed '1,/^$/d' "$1.checkpoint" | awk -v name="$(cat "$work/name")" '$2 == name { print $3 }'); do
        echo "$line" | base64 -d | tail -c +5 >"$work/signature"
        if openssl pkeyutl -verify -pubin -inkey log-key.pem -rawin -in "$work/text" \
            -sigfile "$work/signature" >"$work/said" 2>&1; then
            echo "$1.checkpoint: signed / signé: OK"
            return
        fi
    done
    refuse "$1.checkpoint: signature"
}

# Checks the time stamp of RFC 3161, where there is one; the authority's certificates are in authority.pem.
stamped() {
    [ -e "$1.tsr" ] || return 0
    if [ ! -e authority.pem ]; then
        echo "$1.tsr: not checked, no authority.pem / non vérifié, authority.pem manque"
        return 0
    fi
    openssl ts -verify -token_in -in "$1.tsr" -data "$1.checkpoint" -CAfile authority.pem >"$work/said" 2>&1 ||
        refuse "$1.tsr: $(cat "$work/said")"
    openssl ts -reply -token_in -in "$1.tsr" -text 2>"$work/said" | sed -n "s/^Time stamp: /$1.tsr: OK, /p"
}

sha256sum --quiet -c SHA256SUMS || refuse SHA256SUMS
sha256sum --quiet -c CONTENTS.sha256 || refuse CONTENTS.sha256
while read -r digest _; do
    grep -qF "\"$digest\"" manifest.json || refuse "manifest.json: $digest"
done <CONTENTS.sha256
[ "$(grep -oE '"[0-9a-f]{64}"' manifest.json | wc -l)" -eq "$(wc -l <CONTENTS.sha256)" ] || refuse manifest.json
echo "contents/: as manifest.json says / conforme à manifest.json: OK"

{ printf '\000\003'; hash <manifest.json; } | hash >"$work/node"
walk manifest
signed manifest
stamped manifest
if [ -e receipt.json ]; then
    sed -n 's/^extra //p' receipt.tlog-proof | base64 -d >"$work/extra"
    tail -c +33 "$work/extra" | cmp -s - receipt.json || refuse receipt.json
    { printf 'consent-ledger/v1\n'; cat "$work/extra"; } | hash >"$work/commitment"
    { printf '\000\001'; cat "$work/commitment"; } | hash >"$work/node"
    walk receipt
    signed receipt
    stamped receipt
fi
echo "All is right. / Tout est exact."
