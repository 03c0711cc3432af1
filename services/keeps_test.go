package services

import (
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
)

// TestReopen: by which commands a socket of the default domain is given up.
func TestReopen(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"FileDescriptorStoreMax=1\nFileDescriptorStoreMax=0\n":          "",
		"FileDescriptorStoreMax=4\n":                                    "systemctl daemon-reload && systemctl stop x.service && systemctl start x.service",
		"FileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\n":   "systemctl daemon-reload && systemctl stop x.service && systemctl clean --what=fdstore x.service && systemctl start x.service",
		"FileDescriptorStoreMax=16\nFileDescriptorStorePreserve=no\n\n": "systemctl daemon-reload && systemctl stop x.service && systemctl start x.service",
	} {
		fsys := fstest.MapFS{
			"etc/conf.d/x":                     {Data: []byte("netns=t1\n")},
			"usr/lib/systemd/system/x.service": {Data: []byte("[Service]\n" + text + "ExecStart=/bin/x\n")},
		}
		l := NewLoader(fsys, domain.Domain{})
		if got := l.trace(l.Systemd, "x").Reopen; got != want {
			t.Errorf("%q: %q; want %q", text, got, want)
		}
	}
}
