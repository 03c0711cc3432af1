package native

import (
	"os"
	"strings"
	"testing"

	"rdgen/test/guest"
)

// TestOverlapPage has the files of docs/overlap.md, with a service at each site, and boots once
// more: both sites are there, each with its own host at the address that both have.
func TestOverlapPage(t *testing.T) {
	each(t, append(systems(guest.Systemd), openrcs...), func(t *testing.T, m *Machine) {
		page, err := os.ReadFile("../../docs/overlap.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"site-a", "site-b"} {
			path := "/etc/rdomain/" + name + ".conf"
			_, text, found := strings.Cut(string(page), "\n    # "+path+"\n")
			if !found {
				t.Fatalf("the page has no %s", path)
			}
			var conf strings.Builder
			for line := range strings.Lines(text) {
				line, code := strings.CutPrefix(line, "    ")
				if !code && line != "\n" {
					break
				}
				conf.WriteString(line)
			}
			m.Put(t, path, 0o644, []byte(conf.String()))
		}
		init := "init=" + string(m.Init) + "\n"
		m.Put(t, "/usr/local/bin/fetch", 0o755, []byte(guest.Fetch))
		m.Put(t, "/usr/local/lib/network.sh", 0o644, []byte(guest.Await+guest.Network))
		m.Sh(t, init+guest.Part(t, scripts, "overlap-page", "prepare"))
		m.Verdicts(t, "sites\n"+init+guest.Part(t, scripts, "overlap-page", "sites"))
		m.Reboot(t)
		m.Verdicts(t, "sites\n"+init+guest.Part(t, scripts, "overlap-page", "sites"))
	})
}
