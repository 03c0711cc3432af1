package packaging

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rdgen/test/guest"
	"rdgen/test/need"
)

// processors are those that the tests build for: make test-all takes all.
func processors() string {
	if need.All() {
		return "amd64 riscv64 arm64 arm7"
	}
	return "amd64"
}

// compression is that of each .deb: make test-all takes that of a release, which takes nfpm four
// fifths of its time.
func compression() string {
	if need.All() {
		return "xz"
	}
	return "gzip"
}

// released makes a release, once, and returns the folder of the
// sources that it was made of. It is below dist there. Packages of version 0.2.0 for
// amd64 are in .git/later, signed by the keys in .git/keys.
var released = sync.OnceValues(func() (dir, out string) {
	temp, err := os.MkdirTemp("", "rdgen-release-")
	if err != nil {
		return "", err.Error()
	}
	made, dir = temp, filepath.Join(temp, "sources")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return dir, err.Error()
	}
	nfpm, err := guest.Packager(temp)
	if err != nil {
		return dir, err.Error()
	}
	out, err = in(top, copySources(dir)+`
		ln -s `+nfpm+` .git/nfpm
		export NFPM=$PWD/.git/nfpm RDGEN_MAINTAINER='A B <ab@debian.org>' RDGEN_DEB_COMPRESSION=`+compression()+`
		ARCHES='`+processors()+`' CHECK=true make -s release
		mkdir -m 0700 .git/keys && export GNUPGHOME=$PWD/.git/keys
		gpg --batch -q --passphrase '' --quick-gen-key 'A B <ab@debian.org>' rsa2048
		gpg --batch -q --export-secret-keys >.git/keys/secret
		gpg --batch -q --armor --export >.git/keys/public
		openssl genrsa -out .git/keys/rsa 2048 2>/dev/null
		openssl rsa -in .git/keys/rsa -pubout -out .git/keys/rsa.pub 2>/dev/null
		RDGEN_SIGN_GPG=$PWD/.git/keys/secret RDGEN_SIGN_RSA=$PWD/.git/keys/rsa VERSION=0.2.0 make -s packages ARCHES=amd64 DIST=.git/later
		gpgconf --kill all`)
	if err == nil {
		out += "\n" + done
	}
	return dir, out
})

const done = "the release is made"

// made is what TestMain removes.
var made string

func release(t *testing.T) (dir, out string) {
	t.Helper()
	need.Tools(t, need.Sh, "git", "make", "tar", "sha256sum", "gpg", "openssl")
	dir, out = released()
	if !strings.HasSuffix(out, done) {
		t.Fatal(out)
	}
	return dir, out
}

// TestMain removes the release.
func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(made)
	os.Exit(code)
}

// TestProcessors: each package says for which processor it is, and has programs for that.
func TestProcessors(t *testing.T) {
	tools := need.Tools(t, need.Sh, "dpkg-deb", "rpm", "bsdtar")
	dir, _ := release(t)
	for kind, c := range map[string]struct {
		field, data string // of "$1"
		names       []string
	}{
		"*.deb":         {tools[0] + ` -f "$1" Architecture`, tools[0] + ` --fsys-tarfile "$1"`, []string{"amd64", "riscv64", "arm64", "armhf"}},
		"*.rpm":         {tools[1] + ` -qp --qf '%{ARCH}' "$1"`, `rpm2cpio "$1"`, []string{"x86_64", "riscv64", "aarch64", "armv7hl"}},
		"*.apk":         {tools[2] + ` -xOf "$1" .PKGINFO | sed -n 's/^arch = //p'`, `cat "$1"`, []string{"x86_64", "riscv64", "aarch64", "armv7"}},
		"*.pkg.tar.zst": {tools[2] + ` -xOf "$1" .PKGINFO | sed -n 's/^arch = //p'`, `cat "$1"`, []string{"x86_64", "riscv64", "aarch64", "armv7h"}},
	} {
		machines := map[string]elf.Machine{c.names[0]: elf.EM_X86_64, c.names[1]: elf.EM_RISCV, c.names[2]: elf.EM_AARCH64, c.names[3]: elf.EM_ARM}
		packages, _ := filepath.Glob(dir + "/dist/" + kind)
		seen := map[string]bool{}
		for _, file := range packages {
			arch := strings.TrimSpace(sh(t, dir, "set -- "+file+"\n"+c.field))
			seen[arch] = true
			if strings.Contains(filepath.Base(file), "openrc") {
				continue // it has shell alone
			}
			sh(t, dir, "rm -rf .git/out; mkdir .git/out; set -- "+file+"\n"+c.data+" | "+tools[2]+" -xf - -C .git/out '*bin/rdexec'")
			for _, program := range files(t, dir+"/.git/out") {
				f, err := elf.Open(dir + "/.git/out" + program)
				if err != nil || machines[arch] == 0 || f.Machine != machines[arch] {
					t.Errorf("%s says %q and has %v, %v", filepath.Base(file), arch, f, err)
				}
			}
		}
		if want := len(strings.Fields(processors())); len(seen) != want {
			t.Errorf("%s: made for %v; want %q", kind, seen, c.names[:want])
		}
	}
}

// TestSigned: with a key packages are signed as each package manager reads it.
func TestSigned(t *testing.T) {
	need.Tools(t, need.Sh, "ar", "gpg", "rpm", "openssl")
	dir, _ := release(t)
	for _, script := range []string{
		`for deb in later/*.deb; do ar p $deb _gpgorigin >sig; ar p $deb $(ar t $deb | grep -v _gpg) | gpg --batch -q --verify sig -; done`,
		`mkdir -p db; rpm --dbpath $PWD/db --import keys/public; rpm --dbpath $PWD/db -Kv later/*.rpm | tee said; grep -Eq '^ *Header.* Signature.*: OK' said`,
		`for file in later/*.zst; do gpg --batch -q --verify $file.sig $file; done`,
	} {
		sh(t, dir+"/.git", "export GNUPGHOME=$PWD/keys\n"+script)
		sh(t, dir+"/.git", "GNUPGHOME=$PWD/keys gpgconf --kill all")
	}
	// apk: a first archive has the signature of the second, as it stands there compressed.
	packages, _ := filepath.Glob(dir + "/.git/later/*.apk")
	if len(packages) != 1 {
		t.Fatalf("packages: %q", packages)
	}
	data, err := os.ReadFile(packages[0])
	if err != nil {
		t.Fatal(err)
	}
	first := member(t, data)
	second := data[first:]
	write(t, dir+"/.git/apk/control", string(second[:member(t, second)]))
	write(t, dir+"/.git/apk/sig.tgz", string(data[:first]))
	sh(t, dir+"/.git/apk", `tar -xzf sig.tgz; openssl dgst -sha1 -verify ../keys/rsa.pub -signature .SIGN.RSA.* control`)
}

// member returns the length of the first of several compressed parts.
func member(t *testing.T, data []byte) int {
	t.Helper()
	r := bytes.NewReader(data)
	z, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	if _, err := io.Copy(io.Discard, z); err != nil {
		t.Fatal(err)
	}
	return len(data) - r.Len()
}

// TestManagers: rpm, pacman, dpkg and Gentoo's ebuild install, upgrade, take back, remove
// (dpkg: purge) and install again in a root of their own, with the scripts of the
// packages. A service that names a domain is held while rdgen is gone.
func TestManagers(t *testing.T) {
	need.Uid0(t)
	need.Tools(t, need.Sh, "rpm", "pacman", "dpkg", "busybox", "bash", "ldd", "chroot")
	dir, _ := release(t)
	for manager, commands := range map[string]string{
		"rpm": `add() { rpm --root "$root" -U --oldpackage --nodeps "$dir/$1"/rdgen-$2-1.x86_64.rpm; }
			del() { rpm --root "$root" -e rdgen; }
			whole() { rpm --root "$root" -V --nodeps rdgen; }`,
		"pacman": `printf '[options]\nArchitecture = x86_64\nSigLevel = Never\n' >$root/pacman.conf
			mkdir -p $root/var/lib/pacman $root/var/cache
			pac() { pacman --config $root/pacman.conf --root $root --dbpath $root/var/lib/pacman --cachedir $root/var/cache --logfile $root/log --noconfirm "$@"; }
			add() { pac -U "$dir/$1"/rdgen-$2-1-x86_64.pkg.tar.zst "$dir/$1"/rdgen-openrc-$2-1-x86_64.pkg.tar.zst; }
			del() { pac -R rdgen-openrc rdgen; }
			whole() { pac -Qkk rdgen rdgen-openrc; }
			openrc=1`,
		"dpkg": `mkdir -p $root/var/lib/dpkg/info $root/var/lib/dpkg/updates; : >$root/var/lib/dpkg/status
			add() { dpkg --root="$root" -i "$dir/$1"/rdgen_$2-1_amd64.deb "$dir/$1"/rdgen-openrc_$2-1_amd64.deb; }
			del() { dpkg --root="$root" -P rdgen-openrc rdgen; }
			whole() { dpkg --root="$root" -V rdgen rdgen-openrc; }
			half() { dpkg --root="$root" --unpack "$dir/$1"/*_$2-1_amd64.deb && dpkg --root="$root" --configure rdgen; }
			mkdir cut; printf '#!/bin/sh\ncase "$*" in *fsys-tarfile*) %s "$@" | head -c 3000000; kill -9 $PPID ;; esac\nexec %s "$@"\n' \
				$(command -v dpkg-deb) $(command -v dpkg-deb) >cut/dpkg-deb; chmod +x cut/dpkg-deb; cut=$PWD/cut
			killed() { (PATH=$cut:$PATH; add "$@"); }
			openrc=1`,
		// There is no Portage here: portage.sh runs the ebuild's phases in its order.
		"portage": `portage() { (cd $here/../.. && bash test/packaging/portage.sh $1 $root packaging/gentoo/rdgen-$(cat VERSION).ebuild "${2-}" "${3-}"); }
			add() { mkdir -p $root/../built.$2; dpkg-deb --fsys-tarfile "$dir/$1"/rdgen_$2-1_amd64.deb |
				tar -x --transform 's,.*/,,' -C $root/../built.$2 --wildcards '*bin/rd*'; portage add $(realpath $root/../built.$2) $2; }
			del() { portage del; }
			whole() { (cd $root && sha256sum --quiet -c var/db/pkg/net-misc/sums); }
			openrc=1`,
	} {
		t.Run(manager, func(t *testing.T) {
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			out, err := in(t.TempDir(), "here="+here+" dir="+dir+" root=$PWD/root openrc=\nmkdir root\n"+commands+"\n. $here/manager.sh\n")
			if err != nil || strings.Contains(out, "not ok: ") || !strings.HasSuffix(out, "\nthe end\n") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
