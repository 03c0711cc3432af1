package status

import (
	"slices"
	"strings"
	"testing"

	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
)

// counted is a machine with a VPN, whose service is where it should be, or not.
func counted(t *testing.T, at identify.Location, state string) Report {
	t.Helper()
	return Of(Machine{Services: []Declared{web(t)}, Processes: []Seen{proc(10, 1, 1, "/openrc.web", at)},
		Domains: []lifecycle.Entry{{ID: "blue", Kind: "netns", State: state,
			Interfaces: []lifecycle.Interface{{Name: `wg"0`, Kind: "wireguard", Up: true, Traffic: lifecycle.Traffic{ReceivedBytes: 1 << 40, SentDropped: 3},
				Peers: []lifecycle.Peer{{Key: "K+=", Handshake: "2026-11-27T12:00:00Z"}, {Key: "L"}}}},
			Leases: []lifecycle.Leased{{Link: "eth0"}, {Link: "eth0"}, {Link: "eth1", Address: "192.0.2.9/24", Expires: "2026-11-27T13:00:00+01:00"},
				{Link: "eth2", Address: "192.0.2.10/24"}}}}})
}

func printed(t *testing.T, m Metrics) string {
	t.Helper()
	var text strings.Builder
	if err := m.Print(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestMetrics: what is counted, and what of it has changed.
func TestMetrics(t *testing.T) {
	fine := counted(t, in("blue"), "up").Metrics(noon)
	text := printed(t, fine)
	for _, line := range []string{
		`rdgen_domain_up{domain="blue"} 1`,
		`rdgen_service_running{domain="blue",service="web"} 1`,
		`rdgen_service_drift{domain="blue",service="web",kind="elsewhere"} 0`,
		`rdgen_link_received_bytes_total{domain="blue",link="wg\"0"} 1099511627776`,
		`rdgen_link_sent_dropped_total{domain="blue",link="wg\"0"} 3`,
		`rdgen_peer_handshake_timestamp_seconds{domain="blue",link="wg\"0",peer="K+="} 1795780800`,
		`rdgen_peer_handshake_timestamp_seconds{domain="blue",link="wg\"0",peer="L"} 0`,
		`rdgen_lease_expiry_timestamp_seconds{domain="blue",link="eth0",address=""} 0`,
		`rdgen_lease_expiry_timestamp_seconds{domain="blue",link="eth1",address="192.0.2.9/24"} 1795780800`,
		"rdgen_looked_timestamp_seconds 1795780800",
		"rdgen_unseen 0",
	} {
		if strings.Count(text, line+"\n") != 1 {
			t.Errorf("it has %d times %s", strings.Count(text, line), line)
		}
	}
	refusing := Of(Machine{Domains: []lifecycle.Entry{{ID: "red", Kind: "vrf", State: "up", Refused: new(uint32(7))}}})
	if text := printed(t, refusing.Metrics(noon)); !strings.Contains(text, "rdgen_vrf_refused_packets_total{domain=\"red\"} 7\n") {
		t.Errorf("what is refused is not in\n%s", text)
	}
	if strings.Contains(text, "eth2") {
		t.Error("a lease that never ends has an end")
	}
	for _, c := range []struct {
		before string
		now    Report
		want   []string
	}{
		{text, counted(t, in("blue"), "up"), nil},
		{"", counted(t, in("blue"), "up"), []string{"blue: up, netns", "web is running", `blue: link wg"0 is up`}},
		{text, counted(t, in(""), "partial"), []string{"blue: partial, netns", "web: process 10 (webd) is in the default domain and not in netns blue"}},
		{text, Report{}, []string{`there is no domain domain="blue" any more`, `there is no link domain="blue",link="wg\"0" any more`,
			`there is no service domain="blue",service="web" any more`}},
		{printed(t, counted(t, in(""), "up").Metrics(noon)), counted(t, in("blue"), "up"), []string{"web: no drift of the kind elsewhere any more"}},
	} {
		if got := c.now.Metrics(noon).Changes(c.before); !slices.Equal(got, c.want) {
			t.Errorf("changes %q; want %q", got, c.want)
		}
	}
}

// TestMetricsOfOddNames: a name of a file can have any byte but two. None does anything to a
// terminal, and no two names become one, for which Prometheus would refuse the file.
func TestMetricsOfOddNames(t *testing.T) {
	for name, want := range map[string]string{
		"web": "web", "a\x1b[2J": `a\\x1b[2J`, "a\xff": `a\\xff`, "a\xfe": `a\\xfe`, `a"b\c`: `a\"b\\c`,
		"a\nb": `a\nb`, "a\u202eb": `a\\u202eb`, "größe": "größe",
	} {
		if got := (sample{labels: []string{"service", name}}).key("x"); got != `x{service="`+want+`"}` {
			t.Errorf("%q is %s; want %s", name, got, want)
		}
	}
}
