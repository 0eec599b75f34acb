# Commands for people. `make` alone lists them. Extra words for a program go into ARGS:
#   make run ARGS="--port 9000"        make bench ARGS="--shape small --runs 5"

BINARY := target/release/hfdepot
HAS_WEB := $(wildcard web/package.json)
WEB_SOURCES := $(shell find web -type d \( -name node_modules -o -name dist -o -name tests -o -name screenshots \) -prune -o -type f -print 2>/dev/null)

.PHONY: help run test test-rust test-crash test-clients test-web fuzz simulate bench bench-resume bench-limit bench-durability bench-live bench-api fmt lint docs web release sqlx-data setup

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

run: release ## build everything and start the service on http://127.0.0.1:8080
	$(BINARY) serve $(ARGS)

test: setup test-rust test-web test-crash test-clients ## run all tests, installing what they need

test-rust: ## formatting, lints, Rust tests, recorded queries, documentation
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo test --locked
	cargo sqlx-data --check
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

test-crash: release ## kill -9, power cuts and failing system calls
	python3 tests/crash/kill_loop.py --kills 20 --hfdepot $(BINARY)
	# 77: the machine cannot do it (not root, no loop device), and the line above said why.
	python3 tests/crash/power_cut.py --cuts 5 --hfdepot $(BINARY) || test $$? -eq 77
	# 77 here: strace is missing or may not trace.
	python3 tests/crash/disk_faults.py --limit 240 --hfdepot $(BINARY) || test $$? -eq 77

test-clients: release ## the real huggingface_hub, curl, jq, websockets and schemathesis against hfdepot
	python3 tests/clients/real_hub_clients.py --hfdepot $(BINARY)
	# One seed, so that the same tree always gets the same requests; without it each run looks elsewhere.
	python3 tests/clients/api_fuzz.py --seed 1 --hfdepot $(BINARY)

test-web: release ## unit and browser tests of the web pages
ifneq ($(HAS_WEB),)
	# npm leaves a copy of the lock file behind; an older one is of other packages.
	cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund; } && npm test
endif

FUZZ_SECONDS := 60
fuzz: ## fuzz every parser of foreign bytes; FUZZ_SECONDS=600 ARGS="tree gguf"
	fuzz/run.sh $(FUZZ_SECONDS) $(ARGS)

SEEDS := 2000
simulate: ## run queue and engine in simulated time with so many seeds each; SEEDS=10000
	HFDEPOT_SEEDS=$(SEEDS) cargo test --locked --release --test all -- simulation --nocapture

bench: setup release ## compare with curl, aria2c and hf; ARGS="--quick" takes two minutes
	python3 tests/bench/bench.py --hfdepot $(BINARY) $(ARGS)

bench-resume: setup release ## kill -9 in the middle of 2 GiB, once and three times: what is fetched again
	python3 tests/bench/resume.py --hfdepot $(BINARY) $(ARGS)

bench-limit: setup release ## what a bandwidth limit lets through on the line, second by second (root)
	python3 tests/bench/limit.py --hfdepot $(BINARY) $(ARGS)

bench-durability: setup release ## what the syncs cost at 1 Gbit/s, on the file system of the checkout
	python3 tests/bench/durability.py --hfdepot $(BINARY) $(ARGS)

bench-live: release ## the live feed with 1,000 WebSockets: memory of each, age of an update
	python3 tests/bench/live.py --hfdepot $(BINARY) $(ARGS)

bench-api: release ## the API with 10,000 jobs, a repo of 100,000 files, a cache of 1,000 repos; ARGS="--quick"
	python3 tests/bench/api.py --hfdepot $(BINARY) $(ARGS)

fmt: ## format the Rust code
	cargo fmt --all

lint: ## clippy, warnings are errors
	cargo clippy --locked --workspace --all-targets -- -D warnings

docs: ## build and open the documentation of the code
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --open

web: $(if $(HAS_WEB),web/dist/index.html) ## build the web pages into web/dist

# Only when a source is newer: a new bundle makes cargo build the binary again.
web/dist/index.html: $(WEB_SOURCES)
	cd web && npm ci --no-audit --no-fund && npm run build

release: web ## build the release binary with the web pages inside
	cargo build --locked --release

sqlx-data: ## record the SQL queries anew, after a change of SQL or migrations
	cargo sqlx-data

setup: ## install what the tests need (Debian, root), or say what is missing
	@sh tests/setup.sh
