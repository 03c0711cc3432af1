package main

import (
	"encoding/json"
	"os"
	"testing"

	"rdgen/test/need"
)

// kea starts a real one that serves one address, in place of one that runs. What it knows of
// leases stays.
func kea(t *testing.T, s *server, net, address, dns string) {
	t.Helper()
	s.stop()
	type m map[string]any
	type list []m
	conf, err := json.Marshal(m{"Dhcp4": m{
		// A link that has just been set up is not ready at once.
		"interfaces-config": m{"interfaces": []string{"s0"}, "service-sockets-max-retries": 1000, "service-sockets-retry-wait-time": 10},
		"loggers":           list{{"name": "kea-dhcp4", "severity": "ERROR", "output_options": list{{"output": "stderr"}}}},
		"lease-database":    m{"type": "memfile", "name": s.dir + "/leases", "lfc-interval": 0},
		"authoritative":     true,
		"valid-lifetime":    120,
		"renew-timer":       5,
		"subnet4": list{{"id": 1, "subnet": net + ".0/24", "pools": list{{"pool": net + "." + address + "/32"}}, "option-data": list{
			{"name": "routers", "data": net + ".1"},
			{"name": "domain-name-servers", "data": dns},
			{"name": "domain-search", "data": "lan.example.org"},
		}}},
	}})
	if err == nil {
		err = os.WriteFile(s.dir+"/kea.conf", conf, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Newer ones read and write in these folders only.
	for _, name := range []string{"KEA_PIDFILE_DIR", "KEA_LOCKFILE_DIR", "KEA_DHCP_DATA_DIR"} {
		t.Setenv(name, s.dir)
	}
	t.Setenv("LD_LIBRARY_PATH", os.Getenv("RDGEN_KEA_ROOT")+"/usr/lib/x86_64-linux-gnu")
	t.Setenv("KEA_LOGGER_DESTINATION", s.dir+"/log") // until it has read the file
	s.run(os.Getenv("RDGEN_KEA_ROOT")+"/usr/sbin/kea-dhcp4", "-c", s.dir+"/kea.conf")
}

// The lease of a third server, which records one that is given back as a line without a time.
func TestLeaseOfKea(t *testing.T) {
	need.Whole(t)
	if _, err := os.Stat(os.Getenv("RDGEN_KEA_ROOT") + "/usr/sbin/kea-dhcp4"); err != nil {
		need.Missing(t, need.Root, "RDGEN_KEA_ROOT names no folder with Kea; RDGEN_TEST_ALL=1 make fixtures makes one")
	}
	start(t)
	s := lan(t)
	leaseOf(t, s, func(net, address, dns string) { kea(t, s, net, address, dns) },
		"tail -n 1 "+s.dir+"/leases | grep -q '^10.6.0.60,[^,]*,[^,]*,0,'")
}
