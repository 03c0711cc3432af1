package main

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
	"rdgen/services"
)

// TestAskSystemd: which units are stopped and started is decided by what systemd says of them.
func TestAskSystemd(t *testing.T) {
	const stop, reload, run = "ExecStop={ path=/bin/x }\n", "systemctl daemon-reload", "ActiveState=active\n"
	loader := services.NewLoader(fstest.MapFS{
		"etc/conf.d/vpn@own":                  {Data: []byte("netns=red\n")},
		"usr/lib/systemd/system/vpn@.service": {Data: []byte("[Service]\nExecStart=/bin/x\n")},
	}, domain.Domain{})
	for name, row := range map[string]struct {
		units string
		shown map[string]string
		want  string
	}{
		"runs":                     {"a.service b.service", map[string]string{"a.service": run}, reload + " && systemctl restart a.service"},
		"nothing runs":             {"a.service", nil, reload},
		"a name as options":        {"-a.service", map[string]string{"-a.service": run}, reload + " && systemctl restart -- -a.service"},
		"between starts":           {"a.service", map[string]string{"a.service": "ActiveState=activating\nSubState=auto-restart\n"}, reload + " && systemctl restart a.service"},
		"stops by commands":        {"a.service", map[string]string{"a.service": run + stop}, "systemctl stop a.service && " + reload + " && systemctl start a.service"},
		"of one that does not run": {"a.service b.service", map[string]string{"a.service": run, "b.service": stop}, reload + " && systemctl restart a.service"},
		"a socket": {"a.service a.socket", map[string]string{"a.service": run, "a.socket": run},
			reload + " && systemctl stop a.socket a.service && systemctl start a.socket a.service"},
		"an idle socket": {"a.service a.socket", map[string]string{"a.service": run}, reload + " && systemctl restart a.service"},
		"instances": {"vpn@.service", map[string]string{"vpn@a.service": run, "vpn@b.service": "", `vpn@c\x2d.service`: run, "vpn@own.service": run, "x.service": run},
			reload + ` && systemctl restart vpn@a.service 'vpn@c\x2d.service'`},
		"a socket by connections": {"one@.service one.socket", map[string]string{"one.socket": run + "Accept=yes\n", "one@3-1.service": run + stop},
			reload + " && systemctl stop one.socket && systemctl start one.socket"},
		"a template's socket": {"four@.service four@.socket", map[string]string{"four@7405.socket": run},
			reload + " && systemctl stop four@7405.socket && systemctl start four@7405.socket"},
		"keeps sockets": {"a.service", map[string]string{"a.service": run + "FileDescriptorStoreMax=4\n"}, reload + " && systemctl stop a.service && systemctl start a.service"},
		"while it is stopped": {"a.service", map[string]string{"a.service": run + "FileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\n"},
			reload + ` && systemctl stop a.service && { failed=; systemctl clean --what=fdstore a.service || failed=1; systemctl start a.service; } && [ -z "$failed" ]`},
		"stopped with it": {"a.service", map[string]string{"a.service": run + stop + "ConsistsOf=hub@a.service hub.socket idle.service\n", "hub@a.service": run + "BoundBy=more.service\n", "hub.socket": run, "more.service": run},
			"systemctl stop a.service && " + reload + " && systemctl start hub.socket a.service hub@a.service more.service"},
		"by a restart": {"a.service", map[string]string{"a.service": run + "ConsistsOf=hub@a.service\n", "hub@a.service": run}, reload + " && systemctl restart a.service"},
		"a start by hand is refused": {"nss.service nss.socket", map[string]string{"nss.service": run + "RefuseManualStart=yes\n", "nss.socket": run},
			reload + " && systemctl stop nss.socket nss.service && systemctl start nss.socket"},
		"of it alone": {"nss.service", map[string]string{"nss.service": run + "RefuseManualStart=yes\n"}, reload + " && systemctl stop nss.service"},
		"a stop by hand is refused": {"auditd.service", map[string]string{"auditd.service": run + "RefuseManualStop=yes\n"},
			"auditd.service cannot be stopped by hand (RefuseManualStop=): systemctl daemon-reload, and then reboot, or kill its main process"},
		"and it does not run": {"auditd.service", map[string]string{"auditd.service": "RefuseManualStop=yes\n"}, reload},
	} {
		ask := func(words ...string) (string, error) {
			var lines []string
			if words[0] == "list-units" {
				for unit := range row.shown {
					lines = append(lines, unit+" loaded active running it")
				}
				slices.Sort(lines)
				return strings.Join(lines, "\n"), nil
			}
			return row.shown[words[len(words)-1]], nil
		}
		members, err := askSystemd(ask, loader, "vpn@", strings.Fields(row.units))
		if got := services.Take(members).Strict(); err != nil || got != row.want {
			t.Errorf("%s: %v\n%s; want\n%s", name, err, got, row.want)
		}
	}
}
