package systemd

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestCompanions(t *testing.T) {
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"guard.service":         "[Service]\nExecStart=/bin/true\n[Install]\nAlias=old.service\n",
		"guard@.service":        "[Unit]\nPartOf=guard.service\n[Service]\nExecStart=/bin/guard\n",
		"guard@main.service":    "[Unit]\nPartOf=other.service\nBindsTo=guard.service other.service\n[Service]\nExecStart=/bin/guard\n",
		"guard-helper@.service": "[Unit]\nPartOf=guard@%i.service\n[Service]\nExecStart=/bin/helper\n",
		"w@.service":            "[Unit]\nPartOf=%i.service\n[Service]\nExecStart=/bin/w\n",
		"a-lone.service":        "[Unit]\nPartOf=%j.service\nPartOf=\n[Service]\nExecStart=/bin/a\n",
		"quoted.service":        "[Unit]\nPartOf=\"lone.service\"\n[Service]\nExecStart=/bin/q\n",
		"lone.socket":           "[Unit]\nPartOf=%p.service\n[Socket]\nService=far.service\n",
		"host.service":          "[Unit]\nPartOf=at-%H.service\n[Service]\nExecStart=/bin/h\n",
		"guard.timer":           "[Unit]\nPartOf=guard.service\n",
		"free.service":          "[Unit]\nPartOf=guard.target\nRequires=guard.service\n[Service]\nExecStart=/bin/true\n",
	} {
		fsys["usr/lib/systemd/system/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	units, err := ReadUnits(fsys)
	if err != nil {
		t.Fatal(err)
	}
	for service, want := range map[string][]string{
		"guard.service":    {"guard@.service", "guard@main.service", "w@guard.service"},
		"guard@.service":   {"guard-helper@.service"},
		"guard@x.service":  {"guard-helper@x.service", "w@guard@x.service"},
		"other.service":    {"guard@main.service", "w@other.service"},
		"lone.service":     {"a-lone.service", "quoted.service", "lone.socket", "w@lone.service"},
		"nonesuch.service": {"w@nonesuch.service"},
	} {
		got, err := units.Companions(service)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("Companions(%s): %v (-want +got):\n%s", service, err, d)
		}
	}
	if got, err := units.Companions("at-home.service"); err == nil || !slices.Contains(got, "host.service") || !strings.Contains(err.Error(), "host.service:2: PartOf=at-%H.service of host.service has a specifier") {
		t.Errorf("Companions(at-home.service) = %q, %v; want host.service, and that it is not known", got, err)
	}
	if d := cmp.Diff([]string{"guard.service"}, units.Aliases("old.service")); d != "" {
		t.Errorf("Aliases (-want +got):\n%s", d)
	}
}
