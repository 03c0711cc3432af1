# make build | demo | check | test | golden | bench | fuzz | install | clean
#
# install honours DESTDIR and PREFIX. The files that rdgen generates name
# /usr/sbin/rdexec and /usr/sbin/rdomain, so PREFIX is /usr unless a packager
# knows better.

PREFIX  ?= /usr
DESTDIR ?=
VERSION ?= 0.1.0

GO      ?= go
GOFLAGS_BUILD = -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION)'
BINARIES = bin/rdgen bin/rdomain bin/rdexec
CACHE    = .cache

# Under CI nothing may be skipped but the virtual machines' layer.
ifdef CI
export RDGEN_REQUIRE ?= root,sh,s6,systemd,openrc
endif
export RDGEN_OPENRC_ROOT ?= $(CURDIR)/$(CACHE)/openrc
export RDGEN_OPENSSH_ROOT ?= $(CURDIR)/$(CACHE)/openssh-server

.PHONY: all build demo check test golden bench fuzz install install-bin install-openrc install-systemd tools fixtures clean $(BINARIES)

all: build

build: $(BINARIES)

$(BINARIES): bin/%:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/$*

# The fast layers: shape, unit, golden.
check:
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -short -json ./... | $(GO) run ./test/report

# Every layer, on what is built here.
test: tools fixtures build
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -count=1 -timeout 30m -json ./... | $(GO) run ./test/report

# Rewrite every golden file; review the difference.
golden:
	$(GO) test ./testdata/... -update
	$(GO) test ./cmd/rdexec -run Golden -update

bench: tools build
	$(GO) run ./test/bench

FUZZTIME ?= 60s
fuzz:
	@$(GO) list ./... | while read -r pkg; do \
		$(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' | while read -r f; do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; \
		done || exit 1; done

demo:
	@test/demo/run

install: install-bin install-openrc install-systemd

install-bin: build
	install -D -m 0755 bin/rdgen $(DESTDIR)$(PREFIX)/bin/rdgen
	install -D -m 0755 bin/rdomain $(DESTDIR)$(PREFIX)/sbin/rdomain
	install -D -m 0755 bin/rdexec $(DESTDIR)$(PREFIX)/sbin/rdexec
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 man/*.8
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 man/*.5

# The tools that the tests and the demonstration use, from the distribution.
tools:
	@test/tools

fixtures:
	@test/fixtures $(CACHE)

clean:
	rm -rf bin $(CACHE)
