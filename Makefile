# make build | demo | check | test | test-all | test-vm | golden | bench | fuzz | install | clean
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
# The folder that install takes them from, as they are, if it is set.
BUILT   ?=
CACHE    = .cache

# Everything is built, vetted and tested as it is installed: without C.
export CGO_ENABLED = 0

# Under CI nothing may be skipped but the machines of a release that moves.
ifdef CI
export RDGEN_REQUIRE ?= root,sh,s6,systemd,openrc,native-bookworm,native-trixie,vm-bookworm,vm-trixie,vm-alpine
endif
export RDGEN_OPENRC_ROOT ?= $(CURDIR)/$(CACHE)/openrc
export RDGEN_OPENSSH_ROOT ?= $(CURDIR)/$(CACHE)/openssh-server
export RDGEN_DAEMONS_ROOT ?= $(CURDIR)/$(CACHE)/daemons
export RDGEN_COMPANIONS_ROOT ?= $(CURDIR)/$(CACHE)/companions

.PHONY: all build demo check vet staticcheck deadcode short test test-all test-vm golden bench fuzz install install-bin install-openrc install-systemd tools fixtures clean sweep-openrc $(BINARIES)

all: build

build: $(BINARIES)

$(BINARIES): bin/%:
	@mkdir -p bin
	$(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/$*

# The fast layers: shape, unit, golden; and what reads the sources, side by side.
check:
	@$(MAKE) --no-print-directory -j4 --output-sync=target vet staticcheck deadcode short

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) tool staticcheck ./...

# What no program reaches; the tool says so and calls it success.
deadcode:
	@dead=$$($(GO) tool deadcode ./cmd/...) && [ -z "$$dead" ] || { echo "$$dead"; exit 1; }

# go test would run a part of go vet again.
short:
	$(GO) test -vet=off -short -json ./... | $(GO) run ./test/report

# The programs that tests share are built once, into the folder $RDGEN_BIN.
PROGRAMS = $(addprefix ./,cmd/rdgen cmd/rdomain cmd/rdexec test/vm/agent test/vm/probe test/native/keeper)
share = export RDGEN_BIN=$$(mktemp -d) && trap 'rm -rf "$$RDGEN_BIN"' EXIT && chmod 0755 "$$RDGEN_BIN" && \
	$(GO) build $(GOFLAGS_BUILD) -o "$$RDGEN_BIN/" $(PROGRAMS)

# Every layer, on what is built here; the machines last and alone, because they
# need both processors. test-all is every release and every step, where test takes
# some that stand for the others.
test: tools fixtures vet staticcheck deadcode
	@$(share) && { $(GO) test -vet=off -count=1 -timeout 30m -json $$($(GO) list ./... | grep -v /test/vm); \
	   $(GO) test -vet=off -count=1 -timeout 80m -json ./test/vm/...; } | $(GO) run ./test/report

test-all:
	@RDGEN_TEST_ALL=1 $(MAKE) test

# The test machines alone; their images are kept in ~/.cache/rdgen/vm.
test-vm: tools
	@$(share) && $(GO) test -vet=off -count=1 -timeout 80m -json ./test/vm/... | $(GO) run ./test/report

# Rewrite every golden file; review the difference.
golden:
	$(GO) test ./cmd/rdgen -run TestScripts -update
	$(GO) test ./cmd/rdexec -run TestDeps -update

# The budgets, and in a test machine what a domain costs (docs/performance.md).
bench: tools fixtures build
	$(GO) run ./test/bench
	$(GO) test -run '^$$' -bench Domains -benchtime 1x -timeout 60m ./test/vm

FUZZTIME ?= 60s
fuzz:
	@$(GO) list ./... | while read -r pkg; do \
		$(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz' | while read -r f; do \
			echo "== $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) "$$pkg" || exit 1; \
		done || exit 1; done

# The hook on every release of OpenRC: OPENRC_GIT is a clone of its repository.
sweep-openrc: tools fixtures
	OPENRC_GIT="$(OPENRC_GIT)" $(GO) run ./test/sweep

demo:
	@test/demo/run

install: install-bin install-openrc install-systemd

install-bin: $(if $(BUILT),,build)
	install -D -m 0755 $(or $(BUILT),bin)/rdgen $(DESTDIR)$(PREFIX)/bin/rdgen
	install -D -m 0755 $(or $(BUILT),bin)/rdomain $(DESTDIR)$(PREFIX)/sbin/rdomain
	install -D -m 0755 $(or $(BUILT),bin)/rdexec $(DESTDIR)$(PREFIX)/sbin/rdexec
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man8 man/*.8
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/share/man/man5 man/*.5
	$(or $(BUILT),bin)/rdgen man $(DESTDIR)$(PREFIX)/share/man/man8

# The hook that every OpenRC service passes, and the domains' init script.
install-openrc:
	install -D -m 0644 openrc/files/etc/rc.conf.d/50-rdgen.conf $(DESTDIR)/etc/rc.conf.d/50-rdgen.conf
	install -D -m 0644 -t $(DESTDIR)/usr/libexec/rdgen openrc/files/usr/libexec/rdgen/*.sh
	install -D -m 0755 openrc/files/etc/init.d/rdomain $(DESTDIR)/etc/init.d/rdomain
	# Since OpenRC 0.64 users' services read this folder instead of /etc/rc.conf.d.
	install -d $(DESTDIR)/etc/user/rc.conf.d
	ln -sf ../../rc.conf.d/50-rdgen.conf $(DESTDIR)/etc/user/rc.conf.d/50-rdgen.conf

# The domains' unit, the generator (rdgen itself, which knows by its arguments
# that it is one), and the rule that makes a deleted VRF again.
install-systemd:
	install -D -m 0644 systemd/rdomain@.service $(DESTDIR)/usr/lib/systemd/system/rdomain@.service
	install -D -m 0644 systemd/90-rdomain.rules $(DESTDIR)/usr/lib/udev/rules.d/90-rdomain.rules
	install -d $(DESTDIR)/usr/lib/systemd/system-generators
	ln -sf $(PREFIX)/bin/rdgen $(DESTDIR)/usr/lib/systemd/system-generators/rdgen

# The tools that the tests and the demonstration use, from the distribution.
tools:
	@test/tools

fixtures:
	@test/fixtures $(CACHE)

clean:
	rm -rf bin $(CACHE)
