#!/bin/sh
# Makes the certificates of the TLS tests anew, valid for a hundred years: openssl is needed.
set -e
cd "$(dirname "$0")"
D=36500
ec() { openssl ecparam -genkey -name prime256v1 -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
ca() {
    ec "$1.key"
    openssl req -new -x509 -key "$1.key" -sha256 -days $D -subj "/CN=$1" -out "$1.crt"
}
leaf() { # name, CA, subject, extended key usage, hash
    ec "$1.key"
    openssl req -new -key "$1.key" -subj "$3" -out "$1.csr"
    printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n' "$4" > ext
    openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -days $D -"$5" -extfile ext \
        -set_serial "$6" -out "$1.crt"
    rm "$1.csr" ext
}
ca root_ca
ca other_ca
leaf server root_ca /CN=localhost serverAuth sha256 1001
leaf server_384 root_ca /CN=localhost serverAuth sha384 1002
leaf client root_ca "/O=Example, Inc/OU=Tests/CN=alice" clientAuth sha256 0x1234567890abcdef1234
leaf revoked root_ca /CN=alice clientAuth sha256 1003
leaf stranger other_ca /CN=alice clientAuth sha256 1004
cat > ca.conf <<C
[ca]
default_ca = d
[d]
database = index.txt
crlnumber = crlnumber
default_md = sha256
default_crl_days = $D
C
: > index.txt
echo 01 > crlnumber
openssl ca -config ca.conf -cert root_ca.crt -keyfile root_ca.key -revoke revoked.crt
openssl ca -config ca.conf -cert root_ca.crt -keyfile root_ca.key -gencrl -out root_ca.crl
rm -f ca.conf index.txt* crlnumber* root_ca.key other_ca.key
openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 10000 -passout pass:open -in server.key -out server_encrypted.key
cp server.crt server_encrypted.crt
