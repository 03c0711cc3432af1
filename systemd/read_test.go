package systemd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/google/go-cmp/cmp"

	"rdgen/test/need"
)

func TestRead(t *testing.T) {
	const text = "\ufeffIgnored=before any section\n" +
		"# comment\n" +
		"[Unit]\n" +
		" Description = a = b  \r\n" +
		"; comment\n" +
		"not an assignment\n" +
		"\n" +
		"[Service]\n" +
		"ExecStart=/bin/a \\\n" +
		"# a comment does not end it\n" +
		"  one \\\n" +
		"\n" +
		"ExecStop=/bin/b two\\\\\n" +
		"ExecReload=/bin/c \\"
	want := []Setting{
		{"Unit", "Description", "a = b", "/x", 4},
		{"Service", "ExecStart", "/bin/a    one", "/x", 9},
		{"Service", "ExecStop", `/bin/b two\\`, "/x", 13},
		{"Service", "ExecReload", "/bin/c", "/x", 14},
	}
	if d := cmp.Diff(want, Read("/x", []byte(text))); d != "" {
		t.Errorf("Read (-want +got):\n%s", d)
	}
}

// TestReadLines: a line ends, and is empty at its ends, where systemd has it so. That systemd
// does is seen in the machines of TestSystemdReads.
func TestReadLines(t *testing.T) {
	for text, want := range map[string][]Setting{
		"[A]\r# x\rB=c\r":            {{"A", "B", "c", "/x", 3}},
		"[A]\n# x\x00B=c":            {{"A", "B", "c", "/x", 3}},
		"[A]\r\nB=c \\\r\n d\r\nE=f": {{"A", "B", "c   d", "/x", 2}, {"A", "E", "f", "/x", 4}},
		"[A]\n\rB=c\n\nE=f\x00\nG=":  {{"A", "B", "c", "/x", 2}, {"A", "E", "f", "/x", 4}, {"A", "G", "", "/x", 6}},
		"[A]\n\vB=c\n\u00a0E=f":      {{"A", "\vB", "c", "/x", 2}, {"A", "\u00a0E", "f", "/x", 3}},
		"[A]\nB=c\u00a0":             {{"A", "B", "c\u00a0", "/x", 2}},
		"[A]\nB=c \\ \nE=f":          {{"A", "B", `c \`, "/x", 2}, {"A", "E", "f", "/x", 3}},
		// Here systemd stops.
		"[A]\nB=c\nE=\xff\nG=h": {{"A", "B", "c", "/x", 2}},
		"[A]\nB=c\n[D\nG=h":     {{"A", "B", "c", "/x", 2}},
		"[A]\n# \xff\n;[D\nG=h": {{"A", "G", "h", "/x", 4}},
		// A byte order mark counts once, and is no blank.
		"[A]\n\ufeffB=c\n\ufeffE=f": {{"A", "B", "c", "/x", 2}, {"A", "\ufeffE", "f", "/x", 3}},
		"\ufeff# x \\\n[A]\nB=c":    nil,
		"[A]\nB=c \\\n\ufeff# d":    {{"A", "B", "c  # d", "/x", 2}},
	} {
		if d := cmp.Diff(want, Read("/x", []byte(text))); d != "" {
			t.Errorf("Read(%q) (-want +got):\n%s", text, d)
		}
	}
}

// TestReadOlder: a setting has the name of today, in whichever section it is one.
func TestReadOlder(t *testing.T) {
	const text = "[Unit]\nBindTo=a\nReadOnlyDirectories=b\n[Service]\nReadWriteDirectories=/c\nReadOnlyDirectories=/d\nInaccessibleDirectories=/e\nBindTo=f\n"
	var got []string
	for _, s := range Read("/x", []byte(text)) {
		got = append(got, s.Key+"="+s.Value)
	}
	want := []string{"BindsTo=a", "ReadOnlyDirectories=b", "ReadWritePaths=/c", "ReadOnlyPaths=/d", "InaccessiblePaths=/e", "BindTo=f"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Read (-want +got):\n%s", d)
	}
}

// TestReadLongLines: at a line that is too long, systemd stops.
func TestReadLongLines(t *testing.T) {
	const most = 1 << 20 // LONG_LINE_MAX
	begin := "A=" + strings.Repeat("y", most/2)
	left := most - len(begin) - 1 // the backslash is a blank
	for text, goesOn := range map[string]bool{
		"A=" + strings.Repeat("y", most-3):                  true,
		"A=" + strings.Repeat("y", most-2):                  false,
		"#" + strings.Repeat("y", most-2):                   true,
		"#" + strings.Repeat("y", most-1):                   false,
		begin + "\\\n" + strings.Repeat("z", left):          true,
		begin + "\\\n" + strings.Repeat("z", left+1):        false,
		begin + "\\\n# " + strings.Repeat("z", left+1):      true,
		begin + "\\\n" + strings.Repeat("z", left-1) + "\\": true,
	} {
		settings := Read("/x", []byte("[X]\n"+text+"\n\nB=c\n"))
		if got := len(settings) > 0 && settings[len(settings)-1].Key == "B"; got != goesOn {
			t.Errorf("%d bytes, %.5q...%q: read on: %v; want %v", len(text), text, text[len(text)-5:], got, goesOn)
		}
	}
}

// TestReadAgreesWithGoSystemd compares the reader with another one on every
// unit of this machine. The other keeps backslash and newline in a value.
func TestReadAgreesWithGoSystemd(t *testing.T) {
	files, _ := filepath.Glob("/usr/lib/systemd/system/*.s[eo][rc]*")
	if len(files) == 0 {
		need.Missing(t, need.Systemd, "no units in /usr/lib/systemd/system")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // an alias of what is not installed
		}
		theirs, err := unit.DeserializeOptions(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		var want, got []string
		for _, o := range theirs {
			want = append(want, o.Section+"."+o.Name+"="+strings.Join(strings.Fields(strings.ReplaceAll(o.Value, "\\\n", " ")), " "))
		}
		for _, s := range Read(file, data) {
			got = append(got, s.Section+"."+s.Key+"="+strings.Join(strings.Fields(s.Value), " "))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Read(%s) (-theirs +ours):\n%s", file, d)
		}
	}
	t.Logf("%d units", len(files))
}

func TestListsAreEmptiedByAnEmptyAssignment(t *testing.T) {
	u := Unit{Settings: Read("/x", []byte("[Service]\nExecStart=/a\nExecStart=\nExecStart=/b\nUser=c\n[Unit]\nUser=d\n"))}
	if got := u.All("Service", "ExecStart"); len(got) != 1 || got[0].Value != "/b" || got[0].Line != 4 {
		t.Errorf("All = %v; want /b alone", got)
	}
	if got := u.Last("Service", "User"); got != "c" {
		t.Errorf("Last = %q; want that of the section asked for", got)
	}
	if got := u.Last("Service", "Group"); got != "" {
		t.Errorf("Last of nothing = %q", got)
	}
}
