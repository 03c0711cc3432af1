# Copyright 2026 the rdgen authors
# Distributed under the terms of the ISC License

EAPI=8

inherit go-module systemd udev

DESCRIPTION="Routing domains (VRF, network namespace) for services"
HOMEPAGE="https://example.org/rdgen"
# The tarball of `make dist`, with all modules.
SRC_URI="https://example.org/rdgen/${P}.tar.gz"

LICENSE="ISC Apache-2.0 BSD MIT"
SLOT="0"
KEYWORDS="~amd64 ~arm ~arm64 ~riscv"

BDEPEND=">=dev-lang/go-1.26"

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
	emake check-package
}

src_install() {
	# Both init systems may be installed here, and each part does nothing without its own.
	paths install DESTDIR="${D}"
	keepdir /etc/rdomain
	# The scripts of the other packages, for the phases that have no sources any more:
	# the package manager keeps the environment.
	RDGEN_POSTINST=$(<packaging/scripts/postinst)
	RDGEN_PRERM=$(<packaging/scripts/prerm)
	RDGEN_POSTRM=$(<packaging/scripts/postrm)
}

# within SCRIPT: runs it where the package is; 0 says that no other version is or comes.
within() {
	chroot "${ROOT:-/}" /bin/sh -c "${1}" rdgen 0 || die "a script of rdgen failed"
}

pkg_postinst() {
	udev_reload
	within "${RDGEN_POSTINST}"
	elog "No service was restarted. A line vrf=NAME or netns=NAME in /etc/conf.d counts"
	elog "from the next start of its service; 'rdgen check' says what it finds."
}

# Without rdgen a service that names a domain must not start in the default one.
pkg_prerm() {
	[[ -n ${REPLACED_BY_VERSION} ]] || within "${RDGEN_PRERM}"
}

pkg_postrm() {
	udev_reload
	[[ -n ${REPLACED_BY_VERSION} ]] || within "${RDGEN_POSTRM}"
}
