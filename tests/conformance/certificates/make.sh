#!/bin/sh
# Makes the certificates of this directory anew, valid until 2126 but for the one that expired in 2020, with OpenSSL 3.
# They are for tests alone: their keys are known to everybody.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

authority() { # NAME
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" -subj "/CN=$1"
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n' > "$work/$1.ext"
    sign "$1" 20200101000000Z 21260101000000Z -selfsign -keyfile "$work/$1.key"
}

certificate() { # NAME AUTHORITY START END EXTENSION
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$work/$1.csr" -subj "/CN=$1"
    printf '%s\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n' "$5" > "$work/$1.ext"
    sign "$1" "$3" "$4" -cert "$2.pem" -keyfile "$work/$2.key"
}

sign() { # NAME START END OPTION...
    name=$1 start=$2 end=$3
    shift 3
    : > "$work/index.txt"
    printf '[ca]\ndefault_ca=d\n[d]\ndatabase=%s/index.txt\nnew_certs_dir=%s\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n' \
        "$work" "$work" > "$work/ca.cnf"
    openssl ca -batch -notext -config "$work/ca.cnf" -in "$work/$name.csr" -out "$name.pem" \
        -startdate "$start" -enddate "$end" -extfile "$work/$name.ext" "$@"
}

authority known
authority unknown
certificate server known 20200101000000Z 21260101000000Z "subjectAltName=IP:127.0.0.1"
certificate expired known 20200101000000Z 20200201000000Z "subjectAltName=IP:127.0.0.1"
certificate client known 20200101000000Z 21260101000000Z "extendedKeyUsage=clientAuth"
certificate stranger unknown 20200101000000Z 21260101000000Z "extendedKeyUsage=clientAuth"
