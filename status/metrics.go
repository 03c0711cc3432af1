package status

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Metrics are the numbers of a report, in the text format of Prometheus.
type Metrics []metric

// metric is a name with its samples.
type metric struct {
	name, kind, help string
	samples          []sample
}

// sample is one number. The labels are KEY, VALUE, and so on.
type sample struct {
	labels []string
	value  float64
	// says is the sentence for the journal where the number has changed, "" for one that
	// changes all the time.
	says string
}

// Metrics returns the numbers of a report of that time.
func (r Report) Metrics(at time.Time) Metrics {
	m := Metrics{
		{name: "rdgen_domain_up", kind: "gauge", help: "Whether the domain is as its file says, or as somebody else made it."},
		{name: "rdgen_service_running", kind: "gauge", help: "Whether the service has a process."},
		{name: "rdgen_service_drift", kind: "gauge", help: "How many processes of the service are where they should not be, by the kind of drift."},
		{name: "rdgen_link_up", kind: "gauge", help: "Whether the link is set up."},
		{name: "rdgen_link_received_bytes_total", kind: "counter", help: "What the link received."},
		{name: "rdgen_link_received_dropped_total", kind: "counter", help: "Packets that were received and dropped."},
		{name: "rdgen_link_sent_bytes_total", kind: "counter", help: "What the link sent."},
		{name: "rdgen_link_sent_dropped_total", kind: "counter", help: "Packets that were to be sent and were dropped."},
		{name: "rdgen_vrf_refused_packets_total", kind: "counter", help: "Packets of the VRF's sockets that were refused, by links of other domains."},
		{name: "rdgen_peer_handshake_timestamp_seconds", kind: "gauge", help: "When the last handshake with the peer was, 0 for never."},
		{name: "rdgen_lease_expiry_timestamp_seconds", kind: "gauge", help: "When the lease of DHCP ends, 0 where there is none."},
		{name: "rdgen_unfollowed", kind: "gauge", help: "How many files of services cannot be followed."},
		{name: "rdgen_looked_timestamp_seconds", kind: "gauge", help: "When rdgen looked at the machine."},
		{name: "rdgen_unseen", kind: "gauge", help: "How many things could not be seen."},
	}
	for _, d := range r.Domains {
		m.domain(d)
	}
	m.add("rdgen_looked_timestamp_seconds", float64(at.Unix()), "")
	m.add("rdgen_unfollowed", float64(len(r.Broken)), fmt.Sprintf("%d files of services cannot be followed", len(r.Broken)))
	m.add("rdgen_unseen", float64(len(r.Unseen)), fmt.Sprintf("%d things of services cannot be seen", len(r.Unseen)))
	return m
}

func (m Metrics) domain(d Domain) {
	m.add("rdgen_domain_up", number(d.State == "up" || d.State == "foreign"), heading(d), "domain", d.ID)
	for _, s := range d.Services {
		m.service(d.ID, s)
	}
	for _, i := range d.Interfaces {
		link := []string{"domain", d.ID, "link", i.Name}
		m.add("rdgen_link_up", number(i.Up), fmt.Sprintf("%s: link %s is %s", d.ID, i.Name, upDown(i.Up)), link...)
		m.add("rdgen_link_received_bytes_total", float64(i.ReceivedBytes), "", link...)
		m.add("rdgen_link_received_dropped_total", float64(i.ReceivedDropped), "", link...)
		m.add("rdgen_link_sent_bytes_total", float64(i.SentBytes), "", link...)
		m.add("rdgen_link_sent_dropped_total", float64(i.SentDropped), "", link...)
		for _, p := range i.Peers {
			m.add("rdgen_peer_handshake_timestamp_seconds", seconds(p.Handshake), "", append(slices.Clone(link), "peer", p.Key)...)
		}
	}
	if d.Refused != nil {
		m.add("rdgen_vrf_refused_packets_total", float64(*d.Refused), "", "domain", d.ID)
	}
	for _, l := range d.Leases {
		if l.Address == "" || l.Expires != "" { // one that never ends has no time
			m.add("rdgen_lease_expiry_timestamp_seconds", seconds(l.Expires), "", "domain", d.ID, "link", l.Link, "address", l.Address)
		}
	}
}

func (m Metrics) service(domain string, s Service) {
	m.add("rdgen_service_running", number(s.State == "running"), s.Name+" is "+s.State, "domain", domain, "service", s.Name)
	for _, kind := range Kinds {
		n, says := 0, fmt.Sprintf("%s: no drift of the kind %s any more", s.Name, kind)
		for _, d := range s.Drift {
			if d.Kind == kind {
				n, says = n+1, d.What
			}
		}
		m.add("rdgen_service_drift", float64(n), says, "domain", domain, "service", s.Name, "kind", string(kind))
	}
}

func (m Metrics) add(name string, value float64, says string, labels ...string) {
	at := slices.IndexFunc(m, func(of metric) bool { return of.name == name })
	of := &m[at]
	if n := len(of.samples); n > 0 && slices.Equal(of.samples[n-1].labels, labels) {
		return // two that have no lease of one link
	}
	of.samples = append(of.samples, sample{labels, value, says})
}

func number(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// seconds is a time as Prometheus has it, 0 for none.
func seconds(text string) float64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0
	}
	return float64(at.Unix())
}

// visible writes what nobody sees in a name, such as ESC, and what is no UTF-8, as Go has it in
// a string: two names that differ stay two.
func visible(s string) string {
	var b strings.Builder
	for i, size := 0, 0; i < len(s); i += size {
		_, size = utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		if !strings.Contains("\n\"\\", piece) {
			piece = strings.Trim(strconv.Quote(piece), `"`)
		}
		b.WriteString(piece)
	}
	return b.String()
}

// escape is for a label's value.
var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace

// key is the sample's name and labels, as they are written.
func (s sample) key(name string) string {
	var list []string
	for pair := range slices.Chunk(s.labels, 2) {
		list = append(list, pair[0]+`="`+escape(visible(pair[1]))+`"`)
	}
	if list == nil {
		return name
	}
	return name + "{" + strings.Join(list, ",") + "}"
}

func (s sample) text() string { return strconv.FormatFloat(s.value, 'f', -1, 64) }

// Print writes the numbers.
func (m Metrics) Print(w io.Writer) error {
	var b strings.Builder
	for _, of := range m {
		if len(of.samples) == 0 {
			continue
		}
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", of.name, of.help, of.name, of.kind)
		for _, s := range of.samples {
			fmt.Fprintf(&b, "%s %s\n", s.key(of.name), s.text())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// Changes returns a sentence for each state that is another one than it was when before was
// printed. What was not there was 0.
func (m Metrics) Changes(before string) (list []string) {
	was := map[string]string{}
	for line := range strings.Lines(before) {
		if at := strings.LastIndexByte(line, ' '); at >= 0 && line[0] != '#' {
			was[line[:at]] = strings.TrimSpace(line[at:])
		}
	}
	for _, of := range m {
		for _, s := range of.samples {
			key := s.key(of.name)
			if s.says != "" && s.text() != cmp.Or(was[key], "0") {
				list = append(list, s.says)
			}
			delete(was, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		name, labels, _ := strings.Cut(key, "{")
		if noun := nouns[name]; noun != "" {
			list = append(list, fmt.Sprintf("there is no %s %s any more", noun, strings.TrimSuffix(labels, "}")))
		}
	}
	return list
}

// nouns are what has a state.
var nouns = map[string]string{"rdgen_domain_up": "domain", "rdgen_service_running": "service", "rdgen_link_up": "link"}
