# WIM-Z live video: `make` lists what there is to make.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO        ?= go
BIN       := .bin
FUZZTIME  ?= 10s
BENCHTIME ?= 1s
PACKAGES  := $(shell $(GO) list ./... 2>/dev/null | grep -v '/e2e')
VERSION   ?= 0.1~$(shell git log -1 --date=format:%Y%m%d%H%M%S --format=%cd.%h 2>/dev/null || echo 0)
LDFLAGS   := -s -w -X wimz.dev/live/relay/cli.version=$(VERSION)
NFPM      := github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2
PI        := GOOS=linux GOARCH=arm64
# The codec libraries have other names in each release of Debian.
STATIC    := -tags netgo,osusergo,v4l2 -ldflags '$(LDFLAGS) -linkmode external -extldflags "-static -lm"'

.PHONY: help setup demo build build-pi robot-pi deb test unit e2e soak lint check bench bench-aiortc fuzz picture recording golden image coturn-image clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building and testing need (Debian packages, linter)
	@.ci/setup test

demo: ## show live video in your browser: relay, TURN server, robot and viewer on this machine
	@.ci/setup demo
	@$(MAKE) --no-print-directory build
	@$(GO) build -o $(BIN)/ ./e2e/cmd/demo
	@$(BIN)/demo

build: ## build the four programs into .bin
	@echo "Building (the first time takes some minutes)"
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./relay/cmd/relay ./fakecloudflare/cmd/fakecloudflare
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./robot/cmd/robot ./simapp/cmd/simapp

build-pi: robot-pi ## build relay and robot for a Raspberry Pi (arm64) into .bin/arm64, and test the robot under qemu
	$(PI) CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/arm64/ ./relay/cmd/relay

robot-pi:
	@.ci/setup pi
	@mkdir -p $(BIN)/arm64
	$(PI) CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc PKG_CONFIG_LIBDIR=/usr/lib/aarch64-linux-gnu/pkgconfig \
		$(GO) build $(STATIC) -o $(BIN)/arm64/ ./robot/cmd/robot
	timeout -s KILL 2m qemu-aarch64-static $(BIN)/arm64/robot selftest --for 1s --config testdata/config/robot_good_small.yaml

deb: robot-pi ## build the robot's Debian packages for arm64 and amd64 into .bin, and try one in a root of its own
	@mkdir -p $(BIN)/amd64
	$(GO) build $(STATIC) -o $(BIN)/amd64/ ./robot/cmd/robot
	@for arch in arm64 amd64; do \
		ARCH=$$arch VERSION='$(VERSION)' BIN=$(BIN)/$$arch \
			$(GO) run $(NFPM) package -f robot/deploy/nfpm.yaml -p deb -t $(BIN)/ || exit 1; \
	done
	.ci/try-deb '$(BIN)/wimz-robot_$(VERSION)_amd64.deb'

test: setup lint unit e2e deb ## everything that must be green: lint, unit tests, end-to-end suites, the package

check: lint unit ## what to run before a commit

lint: ## vet, format and style
	$(BIN)/golangci-lint run ./...
	$(BIN)/golangci-lint fmt --diff ./...

# What depends on how fast this machine is runs by itself, with the suites.
ALONE     := ^TestSqueeze$$

unit: ## unit tests under the race detector
	$(GO) test -race -tags v4l2 -timeout 10m -skip '$(ALONE)' $(PACKAGES)

# Most specs wait for something most of the time, so two run at once. What measures
# time, or takes the whole machine, is Serial.
GINKGO    := $(GO) run github.com/onsi/ginkgo/v2/ginkgo --no-color

e2e: build ## Ginkgo suites: in-process and as binaries, with real TURN servers
	@if docker info >/dev/null 2>&1; then .ci/coturn-image && .ci/relay-image; fi
	$(GO) test -race ./e2e/harness
	$(GO) test -race -run '$(ALONE)' ./robot/internal/peer
	$(GINKGO) -race -procs 2 -timeout 20m $(E2E_ARGS) ./e2e
	$(GINKGO) -race -timeout 10m $(E2E_ARGS) ./e2e/networks

soak: build ## a thousand sessions: does the robot's memory stay flat, do its goroutines end
	cd e2e && SOAK_SESSIONS=1000 $(GO) test -race -timeout 30m -args -ginkgo.focus 'two viewers come and go'

bench: ## benchmarks; compare two runs with benchstat
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

bench-aiortc: build ## what the robot costs beside one on aiortc: one viewer and two, in a minute
	$(GO) build -o $(BIN)/ ./e2e/cmd/beside
	$(BIN)/beside

fuzz: ## every fuzz target for FUZZTIME (10s) each
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(grep -rhoP --include='*_test.go' '^func \KFuzz\w+' $$package | sort -u); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
		done; \
	done

picture: build ## take the README's picture anew, with the browser suite
	$(GO) test ./e2e -count 1 -args -ginkgo.focus 'sees the robot.s picture move'
	cp e2e/artifacts/viewer.png .docs/viewer.png

recording: build ## record the README's terminal anew: a real session in a real shell, as an animated SVG
	$(GO) run ./e2e/cmd/record -o .docs/terminal.svg

golden: ## write the golden files anew after a wanted change
	$(GO) test ./relay/wire ./robot/internal/overlay -run Golden -update

image: ## build the relay's container image wimz/relay:local without a registry
	LDFLAGS='$(LDFLAGS)' .ci/relay-image

coturn-image: ## build the image wimz/coturn:local without a registry
	.ci/coturn-image

clean: ## remove what was built
	rm -rf $(BIN) .demo
