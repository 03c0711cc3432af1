package native

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
)

// starts are services that BenchmarkStart starts, each in a domain and without one.
var starts = []struct{ what, name, text string }{
	{"one command", "bare", "[Service]\nType=exec\nExecStart=/bin/sleep infinity\n"},
	{"one command in a sandbox", "boxed", "[Service]\nType=exec\nDynamicUser=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\n" +
		"ProtectKernelTunables=yes\nProtectControlGroups=yes\nRestrictNamespaces=yes\nSystemCallFilter=@system-service\nExecStart=/bin/sleep infinity\n"},
	{"Debian's nginx", "web", ""},
}

// wheres are the ways in which each is started: without a domain, in a namespace, and,
// to see where the time goes, with NetworkNamespacePath= alone, with all that the drop-in has
// but the look, and without a domain and with a first command that is true(1).
var wheres = []struct{ name, what string }{{"netns", "in a domain"}, {"alone", "in the namespace, and nothing else"},
	{"unseen", "in a domain, without the look"}, {"true", "without, and true(1) before it"}}

// BenchmarkStart compares systemctl start of a service in a namespace with one
// that has no domain, in turns, on each systemd as pid 1 of namespaces: the medians of the time
// and of the processors' time, which is all that the machine computed, and which the load
// of the host does not change. docs/performance.md has the table.
func BenchmarkStart(b *testing.B) {
	for _, s := range systemds {
		b.Run(s.String(), func(b *testing.B) {
			m := Boot(b, s)
			m.Install(b)
			for _, u := range starts {
				text := u.text
				if text == "" {
					text = m.Sh(b, "systemctl stop nginx; cat /usr/lib/systemd/system/nginx.service")
				}
				for _, where := range []string{"none", "netns", "alone", "unseen", "true"} {
					m.Put(b, "/etc/systemd/system/"+u.name+"-"+where+".service", 0o644, []byte(text))
				}
				m.Put(b, "/etc/systemd/system/"+u.name+"-true.service.d/x.conf", 0o644, []byte("[Service]\nExecStartPre=\nExecStartPre=+/bin/true\n"+earlier(text)))
				m.Put(b, "/etc/systemd/system/"+u.name+"-alone.service.d/x.conf", 0o644, []byte("[Service]\nNetworkNamespacePath=/run/netns/same\n"))
				m.Sh(b, "mkdir -p /etc/conf.d; echo netns=same >/etc/conf.d/"+u.name+"-netns")
			}
			// In turns, and each once more at the start, which counts for nothing.
			m.Put(b, "/usr/local/lib/starts.sh", 0o644, []byte(script(b, "starts")))
			m.Sh(b, "systemctl daemon-reload; rdomain up same; systemctl start rdomain@same")
			for _, u := range starts {
				m.Sh(b, "d=/etc/systemd/system/"+u.name+"-unseen.service.d; mkdir $d; grep -v rdexec /run/systemd/generator/"+u.name+"-netns.service.d/zz-rdomain.conf >$d/x.conf")
			}
			m.Sh(b, "systemctl daemon-reload")
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
			for _, u := range starts {
				took, used := map[string][]float64{}, map[string][]float64{}
				for line := range strings.Lines(m.Sh(b, "bash /usr/local/lib/starts.sh "+u.name)) {
					var where string
					var us, computed float64
					if _, err := fmt.Sscan(line, &where, &us, &computed); err != nil {
						b.Fatalf("%q: %v", line, err)
					}
					took[where], used[where] = append(took[where], us), append(used[where], computed)
				}
				for _, where := range wheres {
					fmt.Fprintf(w, "| %s\t| %s\t| %s\t", m.Name, u.what, where.what)
					for _, times := range []map[string][]float64{took, used} {
						ours, theirs := middle(times[where.name]), middle(times["none"])
						fmt.Fprintf(w, "| %.1f ms\t| %.1f ms\t| %.2f\t", ours/1e3, theirs/1e3, ours/theirs)
					}
					fmt.Fprintln(w, "|")
				}
			}
			w.Flush()
		})
	}
}

// earlier returns the unit's own first commands.
func earlier(text string) (lines string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "ExecStartPre=") {
			lines += line
		}
	}
	return lines
}

func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}
