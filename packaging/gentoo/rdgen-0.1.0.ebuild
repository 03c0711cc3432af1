# Copyright 2026 the rdgen authors
# Distributed under the terms of the ISC License

EAPI=8

inherit go-module shell-completion systemd udev

DESCRIPTION="Routing domains (VRF, network namespace) for services"
HOMEPAGE="https://example.org/rdgen"
# The tarball of `make dist`, with all modules.
SRC_URI="${HOMEPAGE}/${P}.tar.gz"

LICENSE="ISC Apache-2.0 BSD MIT"
SLOT="0"
KEYWORDS="~amd64 ~arm ~arm64 ~riscv"

BDEPEND=">=dev-lang/go-1.26"

DOCS=( README.md CHANGELOG.md docs )

paths() {
	emake "$@" PREFIX="${EPREFIX}/usr" SYSCONFDIR="${EPREFIX}/etc" \
		DOCDIR="${EPREFIX}/usr/share/doc/${PF}" \
		SYSTEMDUNITDIR="$(systemd_get_systemunitdir)" \
		SYSTEMDGENERATORDIR="$(systemd_get_systemgeneratordir)" \
		UDEVRULESDIR="${EPREFIX}$(get_udevdir)/rules.d"
}

src_compile() {
	paths build
}

src_test() {
	ego test -short ./openrc ./generators ./services ./cmd/rdgen
}

src_install() {
	# Both init systems may be installed here, and each part does nothing without its own.
	paths install DESTDIR="${D}"
	keepdir /etc/rdomain
}

pkg_postinst() {
	udev_reload
	elog "No service was restarted. A line vrf=NAME or netns=NAME in /etc/conf.d counts"
	elog "from the next start of its service; 'rdgen check' says what it finds."
}

pkg_postrm() {
	udev_reload
}
