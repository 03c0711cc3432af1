package vm

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"rdgen/test/need"
)

// putDnsmasq puts the dnsmasq of the fixtures into the machine, with its libraries.
func putDnsmasq(t *testing.T, m *Machine) {
	t.Helper()
	root := os.Getenv("RDGEN_DHCP_ROOT")
	if _, err := os.Stat(root + "/usr/sbin/dnsmasq"); err != nil {
		need.Missing(t, need.VM, "RDGEN_DHCP_ROOT names no folder with dnsmasq; make fixtures makes one")
	}
	put := func(path, to string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m.Put(t, to, 0o755, data)
	}
	cmd := exec.Command("ldd", root+"/usr/sbin/dnsmasq")
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+root+"/usr/lib/x86_64-linux-gnu")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, lib := range regexp.MustCompile(`(\S+) => (/\S+) `).FindAllStringSubmatch(string(out), -1) {
		if lib[1] != "libc.so.6" { // the machine has a newer one
			put(lib[2], "/opt/dnsmasq/"+lib[1])
		}
	}
	put(root+"/usr/sbin/dnsmasq", "/opt/dnsmasq/dnsmasq")
	m.Put(t, "/usr/local/bin/dnsmasq", 0o755, []byte("#!/bin/sh\nLD_LIBRARY_PATH=/opt/dnsmasq exec /opt/dnsmasq/dnsmasq \"$@\"\n"))
}

// putRadvd puts the radvd of the fixtures into the machine.
func putRadvd(t *testing.T, m *Machine) {
	t.Helper()
	data, err := os.ReadFile(os.Getenv("RDGEN_GATEWAY_ROOT") + "/usr/sbin/radvd")
	if err != nil {
		need.Missing(t, need.VM, "RDGEN_GATEWAY_ROOT names no folder with radvd; make fixtures makes one")
	}
	m.Put(t, "/usr/local/bin/radvd", 0o755, data)
}
