# Lectern's commands. `make` prints them; each installs what it needs when it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

HTTP ?= 127.0.0.1:8080
# HTTP's address without its port: whoever opens one door to the network means the others, too.
HTTP_HOST = $(patsubst %:$(lastword $(subst :, ,$(HTTP))),%,$(HTTP))
HTTPS ?= $(HTTP_HOST):8443
RTC ?= $(HTTP_HOST):8189
STATE ?= ./var
export STATE HTTP HTTPS RTC

LECTERND := target/release/lecternd
UI_SOURCES := $(shell find web/ui -path web/ui/node_modules -prune -o -path web/ui/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help build run test test-player test-media test-crash test-interop hwtest fuzz bench lint deps deps-test deps-bench ui image image-test

help: ## what each command does
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: deps ui target/sample/welcome.mp4 ## the product: target/release/lecternd
	@cargo build --release --locked -p lecternd

run: build ## serve Lectern from ./var (make run HTTP=0.0.0.0:8080 serves the LAN)
	@exec $(LECTERND) serve --state $(STATE) --http $(HTTP) --https $(HTTPS) --rtc $(RTC)

# Without `build`: the tests build lecternd for themselves, with features of their own; all of ours twice is five minutes.
test: deps deps-test ui target/sample/welcome.mp4 target/models/ggml-base.bin ## everything that a change can break
	@.ci/test

lint: deps deps-test ui ## formatting, clippy, types, linters, licences
	@.ci/lint

test-media: deps deps-test build target/models/ggml-base.bin ## the media worker on many kinds of files
	@cargo build --release --locked --workspace --examples
	@rm -rf target/kinds
	@LECTERN_KEEP=$(CURDIR)/target/kinds cargo test --release --locked --workspace --test worker --test foreign_readers -- --include-ignored
	@cd web/ui && node e2e/kinds.mjs ../../target/kinds

hwtest: deps ## what this machine can code, how fast, how well: target/hwtest-report/report.html
	@cargo build --release --locked --workspace --bin hwtest
	@target/release/hwtest media --out target/hwtest-report

test-player: deps deps-test build ## what is watched is what is recorded, in a real Chromium, by the clock
	@cd web/ui && node e2e/player.mjs && node e2e/watch.mjs

test-crash: deps build ## kill -9 at many moments, long form
	@cargo build --release --locked --workspace --examples
	@LECTERN_CRASH_ROUNDS=100 cargo test --release --locked --workspace --test crash -- --nocapture
	@LECTERN_CRASH_ROUNDS=100 cargo test --release --locked --workspace --test worker kills -- --nocapture

test-interop: deps deps-test build ## third-party record stores and clients
	@.ci/interop

fuzz: deps ## every parser of outside bytes, for a bounded time
	@.ci/fuzz

bench: deps deps-bench build target/models/ggml-base.bin ## ratios against peers, side by side in one run
	@.ci/bench

image: ## the appliance's disk image (comes with the box issue)
	@echo "There is no image yet: it comes with the box issue." >&2; exit 1

image-test: ## boots that image (comes with the box issue)
	@echo "There is no image to test yet: it comes with the box issue." >&2; exit 1

deps:
	@.ci/deps build

deps-test:
	@.ci/deps test

deps-bench:
	@.ci/deps bench

ui: web/ui/dist/index.html

web/ui/node_modules/.package-lock.json: web/ui/package-lock.json
	@cd web/ui && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/ui/dist/index.html: web/ui/node_modules/.package-lock.json $(UI_SOURCES)
	@cd web/ui && npm run --silent build
	@touch $@

target/sample/welcome.mp4: $(wildcard media/vod/lecture/*)
	@media/vod/lecture/make target/sample

# For tests and benches alone: what a box hears with, IT brings.
target/models/ggml-base.bin: .ci/speech-model
	@.ci/speech-model target/models
	@touch $@
