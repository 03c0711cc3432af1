package services

import (
	"strings"
	"testing"
	"testing/fstest"

	"rdgen/runtime/domain"
)

// TestReopenSocket: a socket is not restarted while its service runs, so both are stopped, and the
// service starts with its socket.
func TestReopenSocket(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		"etc/conf.d/x":                     {Data: []byte("netns=t1\n")},
		"usr/lib/systemd/system/x.service": {Data: []byte("[Service]\nExecStart=/bin/x\n")},
		"usr/lib/systemd/system/x.socket":  {Data: []byte("[Socket]\nListenStream=1\n")},
	}, domain.Domain{})
	const want = "systemctl daemon-reload && systemctl stop x.socket x.service && systemctl start x.socket x.service"
	if got := l.trace(l.Systemd, "x").Reopen; got != want {
		t.Errorf("%q; want %q", got, want)
	}
}

// TestReopenOfSeen: a companion that does not run is not started beside the sockets; and what
// serves one connection is stopped, which nothing but its socket starts.
func TestReopenOfSeen(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		"etc/conf.d/x":                        {Data: []byte("netns=t1\n")},
		"usr/lib/systemd/system/x.service":    {Data: []byte("[Service]\nExecStart=/bin/x\n")},
		"usr/lib/systemd/system/y.service":    {Data: []byte("[Unit]\nPartOf=x.service\n[Service]\nExecStart=/bin/y\n")},
		"usr/lib/systemd/system/x.socket":     {Data: []byte("[Socket]\nListenStream=1\n")},
		"etc/conf.d/one":                      {Data: []byte("netns=t1\n")},
		"usr/lib/systemd/system/one@.service": {Data: []byte("[Service]\nExecStart=/bin/x\n")},
		"usr/lib/systemd/system/one.socket":   {Data: []byte("[Socket]\nListenStream=2\nAccept=yes\n")},
	}, domain.Domain{})
	for want, got := range map[string]string{
		"systemctl daemon-reload && systemctl stop x.socket x.service && systemctl start x.socket x.service":                     l.trace(l.Systemd, "x").ReopenOf([]string{"x.service"}),
		"systemctl daemon-reload && systemctl stop x.socket x.service y.service && systemctl start x.socket x.service y.service": l.trace(l.Systemd, "x").ReopenOf(nil),
		"systemctl daemon-reload && systemctl stop one@3-1.service":                                                              l.trace(l.Systemd, "one").RestartOf([]string{"one@3-1.service"}),
		"systemctl daemon-reload && systemctl stop one.socket one@3-1.service && systemctl start one.socket":                     l.trace(l.Systemd, "one").ReopenOf([]string{"one@3-1.service"}),
	} {
		if got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

// TestReopenTemplate: a template does not run, so there is nothing to stop.
func TestReopenTemplate(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		"etc/conf.d/x@":                     {Data: []byte("netns=t1\n")},
		"usr/lib/systemd/system/x@.service": {Data: []byte("[Service]\nFileDescriptorStoreMax=1\nExecStart=/bin/x\n")},
	}, domain.Domain{})
	if got := l.trace(l.Systemd, "x@").Reopen; got != "" {
		t.Errorf("%q; want no command", got)
	}
}

// The note of a template had systemctl stop x@.service, which systemd refuses.
func TestKeepsOfTemplate(t *testing.T) {
	l := NewLoader(fstest.MapFS{
		"usr/lib/systemd/system/x@.service": {Data: []byte("[Service]\nFileDescriptorStoreMax=1\nFileDescriptorStorePreserve=yes\nExecStart=/bin/x\n")},
	}, domain.Domain{})
	units, err := l.Systemd.units()
	if err != nil {
		t.Fatal(err)
	}
	unit, err := units.Unit("x@.service")
	if err != nil {
		t.Fatal(err)
	}
	const want = "systemctl daemon-reload && systemctl stop x@INSTANCE.service && { systemctl clean --what=fdstore x@INSTANCE.service; systemctl start x@INSTANCE.service; }"
	if _, notes := l.Systemd.keeps(unit, domain.Domain{}); len(notes) != 1 || !strings.HasSuffix(notes[0], ": "+want) {
		t.Errorf("%q; want %s at the end", notes, want)
	}
}

// TestReopen: by which commands a socket of the default domain is given up.
func TestReopen(t *testing.T) {
	for text, want := range map[string]string{
		"": "",
		"FileDescriptorStoreMax=1\nFileDescriptorStoreMax=0\n":          "",
		"FileDescriptorStoreMax=4\n":                                    "systemctl daemon-reload && systemctl stop x.service && systemctl start x.service",
		"FileDescriptorStoreMax=4\nFileDescriptorStorePreserve=yes\n":   "systemctl daemon-reload && systemctl stop x.service && { systemctl clean --what=fdstore x.service; systemctl start x.service; }",
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
