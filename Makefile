# make build | demo | check | test | test-all | test-vm | golden | bench | fuzz | clean
# make install | uninstall | dist | packages | release (packaging/README.md)
#
# install honours DESTDIR and each of these. The files that rdgen generates, and
# the shell, units and rules that are installed, name the programs and the shell
# where these say that they are. On the target everything that is configured is in
# /etc; SYSCONFDIR is only where install puts what belongs there.
PREFIX              ?= /usr
BINDIR              ?= $(PREFIX)/bin
SBINDIR             ?= $(PREFIX)/sbin
LIBEXECDIR          ?= $(PREFIX)/libexec
MANDIR              ?= $(PREFIX)/share/man
DOCDIR              ?= $(PREFIX)/share/doc/rdgen
BASHCOMPDIR         ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPDIR          ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPDIR         ?= $(PREFIX)/share/fish/vendor_completions.d
SYSCONFDIR          ?= /etc
SYSTEMDUNITDIR      ?= $(PREFIX)/lib/systemd/system
SYSTEMDGENERATORDIR ?= $(PREFIX)/lib/systemd/system-generators
UDEVRULESDIR        ?= $(PREFIX)/lib/udev/rules.d
# Empty where the target has no such functions for LSB scripts: all but Debian.
LSBFUNCTIONSDIR     ?= $(if $(wildcard $(DESTDIR)/lib/lsb/init-functions),/lib/lsb/init-functions.d)
SYSTEMCTL           ?= /bin/systemctl
DESTDIR             ?=

VERSION ?= $(shell cat VERSION)
GO      ?= go
# installed/ is the home of the paths; sed does to the other files what it does.
GOFLAGS_BUILD = -trimpath -buildvcs=false -ldflags '-s -w -buildid= -X main.version=$(VERSION) \
	-X rdgen/installed.sbin=$(SBINDIR) -X rdgen/installed.libexec=$(LIBEXECDIR)'
NAMES = sed -e 's|/usr/sbin/rdexec|$(SBINDIR)/rdexec|g' -e 's|/usr/sbin/rdomain|$(SBINDIR)/rdomain|g' \
	-e 's|/usr/libexec/rdgen|$(LIBEXECDIR)/rdgen|g' -e 's|/usr/libexec/rdomain-|$(LIBEXECDIR)/rdomain-|g' -e 's|/usr/bin/rdgen|$(BINDIR)/rdgen|g'
# Where programs are built.
O       ?= bin
BINARIES = $(O)/rdgen $(O)/rdomain $(O)/rdexec
# The folder that install takes them from, as they are, if it is set.
BUILT   ?=
CACHE    = .cache

# Everything is built, vetted and tested as it is installed: without C, and in one way,
# so that nothing is compiled twice.
export CGO_ENABLED = 0
export GOFLAGS := -trimpath $(filter-out -trimpath,$(shell $(GO) env GOFLAGS))

# Under CI nothing may be skipped but the machines of a release that moves.
ifdef CI
export RDGEN_REQUIRE ?= root,sh,s6,systemd,openrc,native-bookworm,native-trixie,vm-bookworm,vm-trixie,vm-alpine
endif
export RDGEN_OPENRC_ROOT ?= $(CURDIR)/$(CACHE)/openrc
export RDGEN_OPENSSH_ROOT ?= $(CURDIR)/$(CACHE)/openssh-server
export RDGEN_DAEMONS_ROOT ?= $(CURDIR)/$(CACHE)/daemons
export RDGEN_DHCP_ROOT ?= $(CURDIR)/$(CACHE)/dhcp
export RDGEN_READERS_ROOT ?= $(CURDIR)/$(CACHE)/readers
export RDGEN_GATEWAY_ROOT ?= $(CURDIR)/$(CACHE)/gateway
export RDGEN_KEA_ROOT ?= $(CURDIR)/$(CACHE)/kea
export RDGEN_ELOGIND_ROOT ?= $(CURDIR)/$(CACHE)/elogind
export RDGEN_CHARON_ROOT ?= $(CURDIR)/$(CACHE)/charon
export RDGEN_COMPANIONS_ROOT ?= $(CURDIR)/$(CACHE)/companions

.PHONY: all build demo check check-package compiled vet staticcheck deadcode short test layers test-all test-vm golden bench fuzz install install-bin install-doc install-openrc install-systemd uninstall paths dist packages release tools fixtures clean sweep-openrc $(BINARIES)

all: build

build: $(BINARIES)

$(BINARIES): $(O)/%: paths
	@mkdir -p $(O)
	$(GO) build $(GOFLAGS_BUILD) -o $@ ./cmd/$*

# The fast layers: shape, unit, golden; and what reads the sources, side by side.
# staticcheck is in make test: it is a quarter of the work where nothing is compiled yet.
check:
	@$(MAKE) --no-print-directory -j3 --output-sync=target vet deadcode short

# First, because side by side each of the others would compile the same.
compiled:
	@$(GO) list -export ./... >/dev/null

vet: compiled
	$(GO) vet ./...

staticcheck: compiled
	$(GO) tool staticcheck ./...

# What no program reaches; the tool says so and calls it success. It reads the sources as they
# are for a processor of 32 bits: not all that compiles for 64 does for that.
deadcode: compiled
	@tool=$$($(GO) tool -n deadcode) && dead=$$(GOARCH=arm "$$tool" ./cmd/...) && [ -z "$$dead" ] || { echo "$$dead"; exit 1; }

# go test would run a part of go vet again.
short: compiled
	$(GO) test -vet=off -short -json ./... | $(GO) run ./test/report

# What the recipes of packages run: neither root nor any tool but Go is needed.
check-package:
	$(GO) test -vet=off -short ./openrc ./generators ./services ./cmd/rdgen

# The programs that tests share are built once, into the folder $RDGEN_BIN.
PROGRAMS = $(addprefix ./,$(dir $(wildcard cmd/*/main.go test/*/*/main.go)))
# A make that a test runs knows nothing of this one.
share = unset MAKEFLAGS MFLAGS; export RDGEN_BIN=$$(mktemp -d) && trap 'rm -rf "$$RDGEN_BIN"' EXIT && chmod 0755 "$$RDGEN_BIN" && \
	$(GO) build $(GOFLAGS_BUILD) -o "$$RDGEN_BIN/" $(PROGRAMS)

# Every layer, on what is built here, side by side: what waits leaves the processors
# to the others. The machines begin first, because they end last. test-all is every
# release and every step, where test takes some that stand for the others.
test: tools
	@$(MAKE) --no-print-directory -j4 --output-sync=line vet staticcheck deadcode layers

layers: fixtures compiled
	@$(share) && $(GO) test -vet=off -count=1 -timeout 80m -p 4 -json ./test/vm ./test/native ./cmd/rdomain ./... | $(GO) run ./test/report

test-all:
	@RDGEN_TEST_ALL=1 $(MAKE) test

# The test machines alone; their images are kept in ~/.cache/rdgen/vm.
test-vm: tools
	@$(share) && $(GO) test -vet=off -count=1 -timeout 80m -json ./test/vm/... | $(GO) run ./test/report

# Rewrite every golden file; review the difference.
golden:
	$(GO) test ./cmd/rdgen -run TestScripts -update
	$(GO) test ./imports -run TestGolden -update
	$(GO) test ./cmd/rdexec -run TestDeps -update
	$(GO) test ./test/docs -run TestExamples -update

# The budgets, and in a test machine what a domain costs (docs/performance.md).
bench: tools fixtures build
	$(GO) run ./test/bench
	$(GO) test -run '^$$' -bench Domains -benchtime 1x -timeout 60m ./test/vm
	$(GO) test -run '^$$' -bench Start -benchtime 1x -timeout 60m ./test/native

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

install: install-bin install-doc install-openrc install-systemd

# What is written into shell, units and programs must be plain, and every folder absolute.
paths:
	@for dir in '$(BINDIR)' '$(SBINDIR)' '$(LIBEXECDIR)' '$(SYSTEMCTL)' '$(MANDIR)' '$(DOCDIR)' '$(BASHCOMPDIR)' '$(ZSHCOMPDIR)' \
		'$(FISHCOMPDIR)' '$(SYSCONFDIR)' '$(SYSTEMDUNITDIR)' '$(SYSTEMDGENERATORDIR)' '$(UDEVRULESDIR)' $(if $(LSBFUNCTIONSDIR),'$(LSBFUNCTIONSDIR)'); do case "$$dir" in \
		[!/]* | *[!A-Za-z0-9._+/-]* | */ | '') echo "make: \"$$dir\" is no absolute path of letters, digits and ._+/- without a slash at its end" >&2; exit 1 ;; \
	esac; done; case '$(DESTDIR)' in [!/]* | *\"*) echo 'make: DESTDIR=$(DESTDIR) is no absolute path' >&2; exit 1 ;; esac

# place COMMAND MODE TARGET: a file of what the command prints, by its name all at once. What reads
# it finds the old one or the new one, and the old one if the disk is full.
place = new="$(DESTDIR)$(dir $(3)).$(notdir $(3)).new" && install -d "$(DESTDIR)$(dir $(3))" && { $(1) >"$$new" && chmod $(2) "$$new" && mv -f "$$new" "$(DESTDIR)$(3)" || { rm -f "$$new"; false; }; }

# put MODE SOURCE TARGET: a text, with the paths that it names.
define put
$(call place,$(NAMES) $(2),$(1),$(3))

endef

# keep MODE SOURCE TARGET: a file as it is.
define keep
$(call place,cat $(2),$(1),$(3))

endef

install-bin: paths $(if $(BUILT),,build)
	$(call place,cat $(or $(BUILT),$(O))/rdgen,0755,$(BINDIR)/rdgen)
	$(call place,cat $(or $(BUILT),$(O))/rdomain,0755,$(SBINDIR)/rdomain)
	$(call place,cat $(or $(BUILT),$(O))/rdexec,0755,$(SBINDIR)/rdexec)
	$(call put,0755,cmd/rdomain/rdomain-exec,$(LIBEXECDIR)/rdomain-exec)
	install -d "$(DESTDIR)$(SYSCONFDIR)/rdomain" "$(DESTDIR)$(SYSCONFDIR)/conf.d"

# What rdgen writes of itself is written by an rdgen of the machine that builds.
# With an ID in it go links it once, and finds it again.
HOST = GOOS=$$($(GO) env GOHOSTOS) GOARCH=$$($(GO) env GOHOSTARCH) GOARM= $(GO) run $(subst -buildid= ,,$(GOFLAGS_BUILD)) ./cmd/rdgen
SELF = $(if $(BUILT),$(BUILT)/rdgen,$(HOST))

install-doc: paths
	$(foreach page,$(wildcard man/*.8),$(call put,0644,$(page),$(MANDIR)/man8/$(notdir $(page))))
	$(foreach page,$(wildcard man/*.5),$(call put,0644,$(page),$(MANDIR)/man5/$(notdir $(page))))
	$(SELF) man "$(DESTDIR)$(MANDIR)/man8"
	$(call place,$(SELF) completion bash,0644,$(BASHCOMPDIR)/rdgen)
	$(call place,$(SELF) completion zsh,0644,$(ZSHCOMPDIR)/_rdgen)
	$(call place,$(SELF) completion fish,0644,$(FISHCOMPDIR)/rdgen.fish)
	$(foreach program,rdomain rdexec,$(call put,0644,completion/rdomain.bash,$(BASHCOMPDIR)/$(program)))
	$(call put,0644,completion/_rdomain,$(ZSHCOMPDIR)/_rdomain)
	$(foreach program,rdomain rdexec,$(call put,0644,completion/$(program).fish,$(FISHCOMPDIR)/$(program).fish))
	$(foreach page,LICENSE README.md CHANGELOG.md $(wildcard docs/*.md) $(shell find examples -type f | sort),$(call put,0644,$(page),$(DOCDIR)/$(page)))
	$(foreach picture,$(wildcard docs/*.png),$(call keep,0644,$(picture),$(DOCDIR)/$(picture)))
	$(call place,GO="$(GO)" packaging/licences,0644,$(DOCDIR)/LICENSE.modules)

# The hook that every OpenRC service passes, and the domains' init scripts.
install-openrc: paths
	$(call put,0644,openrc/files/etc/rc.conf.d/50-rdgen.conf,$(SYSCONFDIR)/rc.conf.d/50-rdgen.conf)
	$(foreach part,$(wildcard openrc/files/usr/libexec/rdgen/*.sh),$(call put,0644,$(part),$(LIBEXECDIR)/rdgen/$(notdir $(part))))
	$(if $(LSBFUNCTIONSDIR),$(call put,0644,openrc/files/usr/lib/lsb/init-functions.d/50-rdgen,$(LSBFUNCTIONSDIR)/50-rdgen))
	$(call put,0755,openrc/files/etc/init.d/rdomain,$(SYSCONFDIR)/init.d/rdomain)
	$(call put,0755,openrc/files/etc/init.d/rdomain-watch,$(SYSCONFDIR)/init.d/rdomain-watch)
	# Since OpenRC 0.64 users' services read this folder instead of /etc/rc.conf.d.
	install -d "$(DESTDIR)$(SYSCONFDIR)/user/rc.conf.d"
	ln -sf ../../rc.conf.d/50-rdgen.conf "$(DESTDIR)$(SYSCONFDIR)/user/rc.conf.d/50-rdgen.conf"

# The domains' units, the generator (a shell whose child is rdgen), what holds the services
# when that one was killed, and the rule that makes a deleted VRF again.
install-systemd: NAMES += -e 's|/bin/systemctl|$(SYSTEMCTL)|g'
install-systemd: paths
	@case '$(SYSTEMDUNITDIR)' in /etc/* | /run/*) echo "make: SYSTEMDUNITDIR is not below /etc or /run: zzzz-rdgen.conf holds every service that conf.d names," \
		"and what ends that is in /run/systemd/generator, which would not win over it; /usr/local/lib/systemd/system does it" >&2; exit 1 ;; esac
	$(call put,0644,systemd/rdomain@.service,$(SYSTEMDUNITDIR)/rdomain@.service)
	$(call put,0644,systemd/rdomain-watch.service,$(SYSTEMDUNITDIR)/rdomain-watch.service)
	$(call put,0644,systemd/rdomain-services@.service,$(SYSTEMDUNITDIR)/rdomain-services@.service)
	$(call put,0755,systemd/rdomain-services,$(LIBEXECDIR)/rdomain-services)
	$(call put,0644,systemd/90-rdomain.rules,$(UDEVRULESDIR)/90-rdomain.rules)
	$(call put,0644,systemd/zzzz-rdgen.conf,$(SYSTEMDUNITDIR)/service.d/zzzz-rdgen.conf)
	$(call put,0644,systemd/zzzz-rdgen.conf,$(SYSTEMDUNITDIR)/socket.d/zzzz-rdgen.conf)
	$(call put,0644,systemd/rdgen-again.service,$(SYSTEMDUNITDIR)/rdgen-again.service)
	install -d "$(DESTDIR)$(SYSTEMDUNITDIR)/sysinit.target.wants"
	ln -sf ../rdgen-again.service "$(DESTDIR)$(SYSTEMDUNITDIR)/sysinit.target.wants/rdgen-again.service"
	# An older rdgen had 50-rdgen.conf here, which nothing ends now.
	rm -f $(foreach type,service socket,"$(DESTDIR)$(SYSTEMDUNITDIR)/$(type).d/50-rdgen.conf")
	$(call put,0755,systemd/rdgen-generator,$(SYSTEMDGENERATORDIR)/rdgen)
	# It does nothing as long as rdgen is there; a package leaves a copy in /etc when it is removed.
	$(call put,0755,systemd/rdgen-removed,$(SYSTEMDGENERATORDIR)/rdgen-removed)

# All that install makes with the same settings, and no file but that. A service
# that names a domain would start in the default one afterwards: so first the line
# in its conf.d goes.
uninstall: paths
	@$(SELF) list --root '$(or $(DESTDIR),/)' >$${list:=$$(mktemp)} && { [ ! -s "$$list" ] || \
		{ cat "$$list"; echo "make: remove the lines in conf.d first, and restart these services" >&2; false; }; }; ok=$$?; rm -f "$$list"; exit $$ok
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && $(MAKE) -s install DESTDIR="$$dir/root" LSBFUNCTIONSDIR='$(LSBFUNCTIONSDIR)' >/dev/null && cd "$$dir/root" && \
		find . ! -type d | while read -r file; do rm -f "$(DESTDIR)/$$file"; done && \
		for own in $$(find ./$(DOCDIR)/examples -depth -type d | cut -c 3-) $(DOCDIR)/docs $(DOCDIR) $(LIBEXECDIR)/rdgen $(SYSCONFDIR)/rdomain; do \
			rmdir "$(DESTDIR)$$own" 2>/dev/null || [ ! -d "$(DESTDIR)$$own" ] || echo "make: $(DESTDIR)$$own has files of others, and stays"; done && \
		for own in $(SYSTEMDUNITDIR)/service.d $(SYSTEMDUNITDIR)/socket.d $(SYSTEMDUNITDIR)/sysinit.target.wants \
			$(SYSCONFDIR)/user/rc.conf.d $(SYSCONFDIR)/user $(SYSCONFDIR)/rc.conf.d; do rmdir "$(DESTDIR)$$own" 2>/dev/null || :; done

# For packagers and for a release: packaging/README.md. They are of the last commit.
DIST ?= dist
dist:
	GO="$(GO)" packaging/dist $(DIST)

packages:
	GO="$(GO)" packaging/packages $(DIST) $(ARCHES)

release:
	GO="$(GO)" packaging/release $(DIST)

# The tools that the tests and the demonstration use, from the distribution.
tools:
	@test/tools

fixtures:
	@test/fixtures $(CACHE)

clean:
	rm -rf bin dist $(CACHE)
