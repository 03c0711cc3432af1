package systemd

import "testing"

func TestVersion(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  int
	}{
		{nil, 0},
		{[]string{"usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so: "}, 252},
		{[]string{"usr/lib/systemd/libsystemd-shared-257.3-1.so: "}, 257},
		{[]string{"lib/systemd/libsystemd-shared-249.so: "}, 249},
		{[]string{"usr/lib64/systemd/libsystemd-shared-262~rc1-1.fc45.so: "}, 262},
		{[]string{"usr/lib/systemd/libsystemd-core-257.so: ", "usr/lib/systemd/libsystemd-shared-x.so: "}, 0},
		{[]string{"usr/lib/systemd/libsystemd-shared-255.so: ", "usr/lib/systemd/libsystemd-shared-261.so: "}, 261},
	} {
		if got := Version(tree(c.files...)); got != c.want {
			t.Errorf("Version(%q) = %d; want %d", c.files, got, c.want)
		}
	}
}
