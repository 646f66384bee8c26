# `make help` lists what can be done. Everything builds with cargo, gcc, make and python3 with pip.

SHELL := /bin/sh
# Where bindgen finds libclang.
CLANG := eval "$$(tools/libclang.sh)" &&
PORT ?= 5432
DATA ?= data
# Where cargo puts what it builds.
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
PERDURA ?= $(TARGET)/release/perdura

.DEFAULT_GOAL := help
.PHONY: $(shell sed -n "s,^\([a-z0-9-]*\):.*\#\# .*,\1,p" Makefile)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 17

build: ## the release build
	$(CLANG) cargo build --release --package perdura

run: build ## builds, then serves ./data on port 5432 (DATA=, PORT=)
	@echo "connect with: psql -h 127.0.0.1 -p $(PORT) -U postgres"
	@exec $(PERDURA) serve -D $(DATA) -p $(PORT)

test: ## the whole suite: check, every test, five rounds of kill -9, 10 s of fuzz-wire
	$(CLANG) cargo xtask check
	$(CLANG) cargo test --workspace --quiet
	cargo test --quiet --package supervise --features sigchld --tests
	$(CLANG) cargo xtask oracle diff
	$(CLANG) cargo build --quiet --package perdura
	@$(CLANG) PERDURA="$(TARGET)/debug/perdura" ROUNDS=5 SEED=1 WHAT=both \
	  cargo run --quiet --package testkit --bin kill9
	@$(CLANG) PERDURA="$(TARGET)/debug/perdura" SECS=10 \
	  cargo run --quiet --package testkit --bin fuzz_wire

test-sql: ## tests/sql against Perdura (AREA=area or area/topic)
	$(CLANG) AREA="$(AREA)" cargo test --quiet --package testkit --test sql

test-wine: ## the crate supervise for Windows, by Debian's rustc and Wine
	tools/wine.sh test

check: ## formatting, clippy, layers, sizes, names, docs
	$(CLANG) cargo xtask check

facts: ## writes facts/*.tsv from PostgreSQL 18
	$(CLANG) cargo xtask facts

record: ## writes the expected output of tests/sql from PostgreSQL 18 (AREA=)
	$(CLANG) cargo xtask oracle record $(AREA)

kill9: build ## kill -9 under load against a ledger (ROUNDS=100 SEED=n WHAT=server|all|both)
	@PERDURA=$(PERDURA) ROUNDS=$(or $(ROUNDS),5) SEED=$(or $(SEED),1) WHAT=$(or $(WHAT),both) \
	  cargo run --quiet --release --package testkit --bin kill9

sim: ## the storage on a simulated disk (SEEDS= STEPS= SEED= SIM_SECONDS= NEXT_XID=)
	@SEEDS=$(or $(SEEDS),1000) STEPS=$(or $(STEPS),10000) $(foreach v,SEED SIM_SECONDS NEXT_XID,$(if $($(v)),$(v)=$($(v)))) \
	  cargo test --quiet --package recovery --test simulation after_any_crash -- --nocapture

sim-mutants: ## six broken builds of the storage, each of which the simulator must notice
	@cargo test --quiet --package recovery --features mutants --test simulation every_mistake -- --nocapture

fuzz-wire: build ## clients that mean ill against a server (SECS=60 SEED=n)
	@PERDURA=$(PERDURA) SECS=$(or $(SECS),60) $(if $(SEED),SEED=$(SEED)) \
	  cargo run --quiet --release --package testkit --bin fuzz_wire

soak-hot: build ## UPDATES=10000000 updates of 1,000 rows beside an old snapshot
	@PERDURA=$(PERDURA) cargo run --quiet --release --package testkit --bin soak_hot

bench-recovery: build ## kill -9 after TRANSACTIONS=500000 of TPC-B, beside PostgreSQL 18
	@PERDURA=$(PERDURA) cargo run --quiet --release --package testkit --bin bench -- recovery

EDGES := 3 2147482648 4294966296 8589934592 281474976710656 9223372036853775808

test-edges: ## SQL, isolation and crash suites where transaction ids have another length
	$(CLANG) cargo build --quiet --package perdura
	@$(CLANG) cargo test --quiet --package testkit --test edges -- --include-ignored
	@for xid in $(EDGES); do echo "next transaction id $$xid"; \
	  NEXT_XID=$$xid AREA="$(AREA)" cargo test --quiet --package testkit --test sql || exit 1; \
	  NEXT_XID=$$xid SEEDS=20 STEPS=3600 cargo test --quiet --package recovery --test simulation after_any_crash || exit 1; \
	  NEXT_XID=$$xid PERDURA="$(TARGET)/debug/perdura" ROUNDS=3 SEED=1 WHAT=both KILL9_DIR="$(TARGET)/edges/$$xid" \
	    cargo run --quiet --package testkit --bin kill9 || exit 1; \
	done

bench: build ## Perdura beside PostgreSQL 18 (GROUP="throughput sessions startup" SECS= REPS= SCALE=)
	@PERDURA=$(PERDURA) cargo run --quiet --release --package testkit --bin bench -- $(GROUP)

bench-memory: ## memory contexts beside malloc, mimalloc, bumpalo and PostgreSQL's palloc
	@cd crates/memory/bench && CARGO_TARGET_DIR=$(TARGET)/bench cargo run --quiet --release

asan: ## the tests of crate memory under AddressSanitizer (nightly)
	@RUSTFLAGS=-Zsanitizer=address RUSTDOCFLAGS=-Zsanitizer=address CARGO_TARGET_DIR=$(TARGET)/asan \
	  cargo +nightly test --quiet --package memory --target x86_64-unknown-linux-gnu

valgrind: ## the tests of crate memory under valgrind
	@CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind --quiet --error-exitcode=9 \
	  --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --fair-sched=yes" \
	  cargo test --quiet --package memory --tests

fuzz: ## the allocators under libFuzzer for SECS seconds (nightly)
	@cd crates/memory/fuzz && RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module \
	  -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
	  -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing" CARGO_TARGET_DIR=$(TARGET)/fuzz \
	  cargo +nightly run --quiet --release --target x86_64-unknown-linux-gnu -- \
	  -max_total_time=$(or $(SECS),60) -max_len=3000 -artifact_prefix=$(TARGET)/fuzz/

bench-sessions: build ## ten thousand sessions, with targets (GROUP="idle connect tpcb mix crash flood" SECS= REPS= SCALE= SESSIONS= WARM=)
	@PERDURA=$(PERDURA) cargo run --quiet --release --package testkit --bin bench_sessions -- $(GROUP)

bench-supervise: ## waiting for 300, 1,000 and 10,000 children: memory, threads, time (N="300 1000" WINE=1)
	cargo build --quiet --release --package supervise --bins
	@$(TARGET)/release/supervise_bench $(N)
	@$(if $(WINE),tools/wine.sh bench $(N))

soak-memory: build ## large statements under memory_limit = 512 MB; draws docs/soak-memory.svg (ROWS= SESSIONS=)
	@PERDURA=$(PERDURA) ROWS=$(or $(ROWS),3000000) SESSIONS=$(or $(SESSIONS),12) \
	  cargo run --quiet --release --package testkit --bin soak_memory

soak-extremes: build ## statements that want far more memory than there is (MEMORY_MB= ROWS= CLASSES= TEMPORARY_MB= LOCKED_ROWS=)
	@PERDURA=$(PERDURA) cargo run --quiet --release --package testkit --bin soak_extremes

soak-caches: build ## the memory of sessions with 100 prepared statements that touch 500 tables (SESSIONS=1000)
	@PERDURA=$(PERDURA) SESSIONS=$(or $(SESSIONS),1000) \
	  cargo run --quiet --release --package testkit --bin soak_caches
