#!/usr/bin/env bash
# Builds the crate supervise for Windows with Debian's rustc 1.63 and runs it under Wine.
#   tools/wine.sh test [TEST ARGUMENTS...]    its tests
#   tools/wine.sh bench [N...]                its benchmark with N children
# Needs Debian's packages rustc, cargo, libstd-rust-dev-windows, gcc-mingw-w64-x86-64 and wine64; the
# newer cargo in PATH fetches the libraries, because Debian's does not know today's registry.
set -euo pipefail
what=${1:?test or bench}
shift
crate=$(cd "$(dirname "$0")/../crates/supervise" && pwd)
build=${CARGO_TARGET_DIR:-$crate/../../target}/wine
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
for program in /usr/bin/rustc /usr/bin/cargo /usr/bin/x86_64-w64-mingw32-gcc "$wine"; do
  [ -x "$program" ] || { echo "$program is missing: apt install rustc cargo libstd-rust-dev-windows gcc-mingw-w64-x86-64 wine64" >&2; exit 1; }
done
# A copy outside of the workspace, whose manifest Debian's cargo could not read.
mkdir -p "$build/crate"
rm -rf "$build/crate/src" "$build/crate/tests"
cp -r "$crate/src" "$crate/tests" "$build/crate/"
if ! cmp -s "$crate/Cargo.toml" "$build/Cargo.toml.seen"; then
  { cat "$crate/Cargo.toml"; printf '\n[workspace]\n'; } >"$build/crate/Cargo.toml"
  rm -rf "$build/crate/vendor" "$build/crate/.cargo" "$build/crate/Cargo.lock"
  mkdir -p "$build/crate/.cargo"
  (cd "$build/crate" && CARGO_RESOLVER_INCOMPATIBLE_RUST_VERSIONS=fallback \
    cargo vendor --quiet vendor)
  printf '[source.crates-io]\nreplace-with = "vendored"\n[source.vendored]\ndirectory = "vendor"\n' \
    >"$build/crate/.cargo/config.toml"
  cp "$crate/Cargo.toml" "$build/Cargo.toml.seen"
fi
cd "$build/crate"
unset CARGO RUSTUP_TOOLCHAIN RUSTC_WRAPPER CARGO_BUILD_TARGET
export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc CARGO_TARGET_DIR=$build/target CARGO_NET_OFFLINE=true
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=/usr/bin/x86_64-w64-mingw32-gcc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine
export WINEPREFIX=${WINEPREFIX:-$build/prefix} WINEDEBUG=${WINEDEBUG:--all}
case $what in
  test)
    exec /usr/bin/cargo test --quiet --offline --target x86_64-pc-windows-gnu --tests -- "$@" ;;
  bench)
    /usr/bin/cargo build --quiet --offline --release --target x86_64-pc-windows-gnu --bins
    exec "$wine" "$CARGO_TARGET_DIR/x86_64-pc-windows-gnu/release/supervise_bench.exe" "$@" ;;
  *) echo "test or bench, not $what" >&2; exit 2 ;;
esac
