package record

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// What a domain was brought up with is root's alone, and what an older rdomain wrote is read.
func TestWas(t *testing.T) {
	s, a := store(t), id(t, "a")
	if err := s.Save(a, &Record{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Was(a); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Was of nothing = %v; want fs.ErrNotExist", err)
	}
	text := []byte("[Domain]\nDescription=\xc3\xa9\n")
	for _, w := range []Was{
		{text, map[string][]byte{"/etc/a.nft": []byte("# \xe9\n"), "/etc/b": {}}},
		{text, map[string][]byte{}},
		{nil, map[string][]byte{}},
		{text, nil}, // taken back, it is written as it was
	} {
		if err := s.SaveWas(a, w); err != nil {
			t.Fatal(err)
		}
		got, err := s.Was(a)
		if err != nil || !got.Equal(w) || (got.Notes == nil) != (w.Notes == nil) {
			t.Errorf("Was after SaveWas(%q) = %q, %v", w, got, err)
		}
		if info, err := os.Stat(Dir + "/a.was"); err != nil || info.Mode() != 0o600 {
			t.Errorf("a.was: %v, %v", info, err)
		}
	}
	for _, old := range []string{"", string(text), "# {\n[Domain]\n"} {
		if err := os.WriteFile(Dir+"/a.was", []byte(old), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Was(a); err != nil || string(got.Text) != old || got.Notes != nil {
			t.Errorf("Was of the text %q = %q, %v", old, got, err)
		}
	}
	for _, bad := range []string{`{`, `{"version":2,"text":"","notes":{}}`, `{"version":1,"text":""}`} {
		if err := os.WriteFile(Dir+"/a.was", []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Was(a); err == nil {
			t.Errorf("Was of %s = %q", bad, got)
		}
	}
	one := Was{text, map[string][]byte{"/etc/a.nft": []byte("1")}}
	for _, o := range []Was{{text, nil}, {nil, one.Notes}, {text, map[string][]byte{"/etc/a.nft": []byte("2")}}, {text, map[string][]byte{"/etc/b.nft": []byte("1")}}} {
		if one.Equal(o) || o.Equal(one) {
			t.Errorf("%q is equal to %q", one, o)
		}
	}
}
