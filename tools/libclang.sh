#!/bin/sh
# Finds a libclang for bindgen, which the crate `parse` needs at build time, and prints the
# environment that makes a build find it, as lines of `export NAME=value`:
#
#     eval "$(tools/libclang.sh)"
#
# Tried in this order: LIBCLANG_PATH, the system's library, Debian's packages (as root), the PyPI
# wheel (kept in build/libclang). What was tried goes to stderr. PERDURA_LIBCLANG=system|apt|wheel
# tries only that one.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
wheel_dir=$root/build/libclang
only=${PERDURA_LIBCLANG:-}

say() { echo "libclang.sh: $*" >&2; }

# The folder of the newest libclang below the given folders, if there is one.
newest_in() {
    for dir in "$@"; do
        for file in "$dir"/libclang.so "$dir"/libclang.so.* "$dir"/libclang-[0-9]*.so* "$dir"/libclang.dylib; do
            [ -e "$file" ] && { echo "$dir"; break; }
        done
    done | sort -V | tail -n 1
}

system_dir() {
    cached=$(ldconfig -p 2>/dev/null | sed -n 's/.*=> \(.*\)\/libclang\(-[0-9][0-9.]*\)\{0,1\}\.so.*/\1/p' | sort -V | tail -n 1)
    if [ -n "$cached" ]; then echo "$cached"; else newest_in /usr/lib/llvm-*/lib /usr/lib64 /usr/local/lib; fi
}

# The folder of a library that comes without clang's own headers: gcc's stand in for them.
print_exports() {
    echo "export LIBCLANG_PATH='$1'"
    for headers in "$1"/clang/*/include "$1"/../lib/clang/*/include /usr/lib/llvm-*/lib/clang/*/include /usr/lib/clang/*/include; do
        if [ "$1" != "$wheel_dir/clang/native" ] && [ -e "$headers/stddef.h" ]; then return; fi
    done
    echo "export BINDGEN_EXTRA_CLANG_ARGS='-I$(gcc -print-file-name=include)'"
}

try_system() {
    dir=$(system_dir)
    [ -n "$dir" ] && print_exports "$dir"
}

try_apt() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
    say "installing libclang1-14 with apt-get"
    { apt-get install -y -q libclang1-14 libclang-common-14-dev ||
        { apt-get update -q && apt-get install -y -q libclang1-14 libclang-common-14-dev; }; } >&2 || return 1
    try_system
}

try_wheel() {
    if [ -z "$(newest_in "$wheel_dir/clang/native")" ]; then
        say "installing the PyPI wheel libclang into $wheel_dir"
        python3 -m pip install --quiet --disable-pip-version-check --target "$wheel_dir" libclang >&2 || return 1
    fi
    dir=$(newest_in "$wheel_dir/clang/native")
    [ -n "$dir" ] && print_exports "$dir"
}

if [ -z "$only" ] && [ -n "${LIBCLANG_PATH:-}" ]; then
    echo "export LIBCLANG_PATH='$LIBCLANG_PATH'"
    [ -z "${BINDGEN_EXTRA_CLANG_ARGS:-}" ] || echo "export BINDGEN_EXTRA_CLANG_ARGS='$BINDGEN_EXTRA_CLANG_ARGS'"
    exit 0
fi
for way in ${only:-system apt wheel}; do
    case $way in
    system | apt | wheel) if "try_$way"; then exit 0; fi ;;
    *) say "PERDURA_LIBCLANG must be system, apt or wheel"; exit 2 ;;
    esac
done
say "no libclang: install libclang1-14 and libclang-common-14-dev, or pip install libclang, or set LIBCLANG_PATH"
exit 1
