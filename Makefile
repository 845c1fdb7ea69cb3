# The two commands of a newcomer are `make demo` and `make test`.

CARGO        ?= cargo
FUZZ_SECONDS ?= 30
FUZZ_TARGETS ?= $$($(CARGO) fuzz list)

WIRESIFT := target/release/wiresift
DEMO_DB  := target/demo.wsdb
SKIPPED  := target/tmp/skipped-tests.txt

BENCHES  := classify digests exchange extract lookup scan

# Properties are tried with the same cases each time, so that what passes here passes there.
# `make test PROPTEST_RNG_SEED=7 PROPTEST_CASES=20000` tries others.
export PROPTEST_RNG_SEED ?= 20261124

# What the tests are built with: each feature that needs no further library of the system. One build
# serves `make test`, `make test-peers` and `make bench-check`. Lints check the default and the other sets.
TESTED := kafka,postgres

.PHONY: help demo build guided deb tarball install-deps test test-kafka test-peers lint doc fuzz
.PHONY: fuzz-replay
.PHONY: licences advisories
.PHONY: bench bench-check peers packets subscriptions daemon ruleset exchange instructions
.PHONY: instructions-accept

help:
	@echo 'make demo         install what is missing, build, and show alerts from a log and a capture'
	@echo 'make test         install what is missing, format, lints, docs, all tests, the fuzz corpus'
	@echo 'make test-kafka   the tests of Kafka, with a broker that it installs'
	@echo 'make test-peers   all of them, also against heavier programs, which it installs first'
	@echo 'make guided       a binary that is optimised by a profile of itself: target/guided/release/wiresift'
	@echo 'make deb          a package for Debian and Ubuntu: target/wiresift_VERSION_ARCH.deb (needs cargo-deb)'
	@echo 'make tarball      an archive for any Linux with glibc 2.17 or later'
	@echo 'make lint         format and lints alone'
	@echo 'make doc          the documentation of the library, broken links denied'
	@echo 'make fuzz         every fuzz target for $(FUZZ_SECONDS) s each (FUZZ_SECONDS=n, FUZZ_TARGETS=…)'
	@echo 'make fuzz-replay  the seeds of the fuzzers with the bounds of the fuzzers, without cargo-fuzz'
	@echo 'make bench        criterion in quick mode, then the bars: peers, packets, subscriptions'
	@echo 'make bench-check  every bench once, unmeasured: only its counts'
	@echo 'make peers        the table of bars alone (PEERS_FLAGS=…, see benches/peers/run.sh --help)'
	@echo 'make packets      what a packet costs, with verdicts (benches/packets/run.sh --help)'
	@echo 'make subscriptions  what an update of the feeds costs, with verdicts'
	@echo 'make daemon       cost and limits of run and tail, with verdicts (DAEMON_FLAGS=--quick: in minutes)'
	@echo 'make ruleset      cost and precision of judging a rule set, with verdicts'
	@echo 'make exchange     cost and waits of an exchange, with verdicts (EXCHANGE_FLAGS=--small: in seconds)'
	@echo 'make instructions instruction counts against the committed baseline; fails beyond 3%'
	@echo 'make instructions-accept  accepts the current counts as the baseline'
	@echo 'make licences     licences and banned crates (needs cargo-deny)'
	@echo 'make advisories   known vulnerabilities of what we depend on (needs cargo-deny, fetches the list)'
	@echo 'make install-deps what building needs from the system'

install-deps:
	@.ci/install-deps

build: install-deps
	$(CARGO) build --release --locked

guided: install-deps
	benches/guided/build.sh

# Fails before it builds for minutes.
# A package has everything that a feature can add.
deb: cargo-deb install-deps
	@.ci/install-deps --for-all-features
	$(CARGO) build --release --locked --all-features
	packaging/deb.sh $(WIRESIFT) target

tarball: install-deps
	@.ci/install-deps --for-tarball
	packaging/tarball.sh target

demo: build
	@echo
	@echo '== 1. compile the indicators of testdata/indicators into one database'
	$(WIRESIFT) compile -o $(DEMO_DB) --internal testdata/indicators
	@echo
	@echo '== 2. a log that a resolver wrote'
	$(WIRESIFT) scan --db $(DEMO_DB) --format text testdata/logs/named_query.log
	@echo
	@echo '== 3. a capture of DNS, HTTP and TLS'
	$(WIRESIFT) scan --db $(DEMO_DB) --format text testdata/captures/dns_http_tls.pcap

lint: install-deps
	@.ci/install-deps --for-all-features
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets --locked -- -D warnings
	$(CARGO) clippy --all-targets --locked --no-default-features -- -D warnings
	$(CARGO) clippy --all-targets --locked --all-features -- -D warnings
	@for script in .ci/run .ci/install-deps benches/*/*.sh fuzz/*.sh packaging/*.sh; do bash -n $$script || exit 1; done

doc: install-deps
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --no-deps --locked --document-private-items

# What a test could not do here it writes to $(SKIPPED), which is shown at the end.
test: lint doc
	@.ci/install-deps --for-tests
	@rm -f $(SKIPPED)
	$(CARGO) test --locked --features $(TESTED)
	$(CARGO) test --locked --no-default-features --lib
	@if [ -s $(SKIPPED) ]; then echo; sort -u $(SKIPPED); fi

test-kafka: install-deps
	@.ci/install-deps --for-peers
	WIRESIFT_PEERS=required $(CARGO) test --locked --features $(TESTED) --test suite -- kafka

# Tests against programs that are too heavy for every run. What they need is installed, and
# what is missing then is an error and not a reason to skip.
test-peers: install-deps
	@.ci/install-deps --for-peers
	@rm -f $(SKIPPED)
	WIRESIFT_PEERS=required $(CARGO) test --locked --features $(TESTED) --test suite -- \
	  tshark exchanges daemon_ receivers kafka browser exchange::
	@if [ -s $(SKIPPED) ]; then echo; sort -u $(SKIPPED); fi

bench:
	$(CARGO) bench --locked $(BENCHES:%=--bench %) -- --quick --noplot
	$(MAKE) peers packets subscriptions

bench-check:
	$(CARGO) test --locked --quiet --features $(TESTED) $(BENCHES:%=--bench %)

peers: build
	benches/peers/run.sh $(PEERS_FLAGS)

packets: build
	benches/packets/run.sh $(PACKETS_FLAGS)

subscriptions: build
	benches/feeds/measure.py $(SUBSCRIPTIONS_FLAGS)

daemon: build
	benches/daemon/measure.py $(DAEMON_FLAGS)

ruleset: build
	benches/ruleset/measure.py $(RULESET_FLAGS)

exchange: install-deps
	$(CARGO) build --release --locked --features exchange --bin wiresift --example exchange_load
	benches/exchange/measure.py $(EXCHANGE_FLAGS)

instructions:
	benches/instructions/count.sh compare

instructions-accept:
	benches/instructions/count.sh accept

# cargo-fuzz asks for a nightly compiler; RUSTC_BOOTSTRAP lets a stable one do it.
fuzz:
	@$(CARGO) fuzz --version >/dev/null 2>&1 || { \
	  echo 'cargo-fuzz is not installed: cargo install cargo-fuzz --locked' >&2; exit 1; }
	@for target in $(FUZZ_TARGETS); do \
	  fuzz/run.sh $$target $(FUZZ_SECONDS) || exit 1; \
	done

# The seeds once more, in a build whose bounds are those of the fuzzers.
fuzz-replay:
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/fuzz/shrunk.sh $(CARGO) test --target-dir target/shrunk --test suite fuzz_corpus

licences: cargo-deny
	$(CARGO) deny check bans licenses sources

advisories: cargo-deny
	$(CARGO) deny check advisories

.PHONY: cargo-deny
cargo-deny:
	@$(CARGO) deny --version >/dev/null 2>&1 || { \
	  echo 'cargo-deny is not installed: cargo install cargo-deny --locked' >&2; exit 1; }

.PHONY: cargo-deb
cargo-deb:
	@$(CARGO) deb --version >/dev/null 2>&1 || { \
	  echo 'cargo-deb is not installed: cargo install cargo-deb --locked' >&2; exit 1; }
