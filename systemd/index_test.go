package systemd

import (
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
		"guard.service":    {"guard@.service", "guard@main.service"},
		"guard@.service":   {"guard-helper@.service"},
		"guard@x.service":  {"guard-helper@x.service"},
		"other.service":    {"guard@main.service"},
		"free.service":     nil,
		"nonesuch.service": nil,
	} {
		if d := cmp.Diff(want, units.Companions(service)); d != "" {
			t.Errorf("Companions(%s) (-want +got):\n%s", service, d)
		}
	}
	if d := cmp.Diff([]string{"guard.service"}, units.Aliases("old.service")); d != "" {
		t.Errorf("Aliases (-want +got):\n%s", d)
	}
}
