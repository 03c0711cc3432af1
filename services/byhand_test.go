package services

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/generators"
	"rdgen/runtime/domain"
)

// TestByHand: what units and source directories enter by themselves is known, each once, with
// its line; and what conf.d names is not among it.
func TestByHand(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"run/systemd/system/x":                      file(""),
		"etc/conf.d/sshd":                           file("netns=mgmt\n"),
		"usr/lib/systemd/system/sshd.service":       file("[Service]\nExecStart=/sbin/sshd\nNetworkNamespacePath=/run/netns/mgmt\n"),
		"usr/lib/systemd/system/web.service":        file("[Service]\nExecStart=/sbin/web\n"),
		"etc/systemd/system/web.service.d/a.conf":   file("[Service]\nNetworkNamespacePath=/run/netns/%N\n"),
		"usr/lib/systemd/system/reset.service":      file("[Service]\nExecStart=/sbin/x\nNetworkNamespacePath=/run/netns/a\n"),
		"etc/systemd/system/reset.service.d/a.conf": file("[Service]\nNetworkNamespacePath=\n"),
		"usr/lib/systemd/system/odd.service":        file("[Service]\nExecStart=/sbin/x\nNetworkNamespacePath=/proc/1/ns/net\n"),
		"usr/lib/systemd/system/dns.service":        file("[Service]\nExecStart=/sbin/dns\nBindNetworkInterface=red\n"),
		"etc/systemd/system/dns.service.d/a.conf":   file("[Service]\nBindNetworkInterface=blue\n"),
		"etc/systemd/system/sshd.service.d/a.conf":  file("[Service]\nBindNetworkInterface=blue\n"),
		"etc/s6-rc/source/mail/type":                file("longrun\n"),
		"etc/s6-rc/source/mail/run":                 file("#!/bin/sh\nexec 2>&1\nexec /usr/sbin/rdexec -n t1 -v blue -- maild\n"),
		"etc/s6-rc/source/sshd/run":                 file("#!/bin/execlineb -P\nrdexec -n mgmt --\nsshd\n"),
		"etc/s6-rc/source/plain/run":                file("#!/bin/sh\nexec plain\n"),
	}
	l := NewLoader(fsys, domain.Domain{})
	want := func(what string, list []generators.Service, want string) {
		t.Helper()
		var got []string
		for _, s := range list {
			got = append(got, s.Name+" "+s.Domain.ID()+" "+s.Pos.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s = %s; want %s", what, strings.Join(got, ", "), want)
		}
	}
	want("ByHand", l.ByHand([]string{"sshd"}), "web web /etc/systemd/system/web.service.d/a.conf:2, mail blue@t1 /etc/s6-rc/source/mail/run:3")
	want("Bound", l.Bound([]string{"sshd"}), "dns blue /etc/systemd/system/dns.service.d/a.conf:2")
}
