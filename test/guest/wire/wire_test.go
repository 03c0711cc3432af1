package wire

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Bytes that are no text, and lines, arrive as they were sent; the next request is read
// from where they end.
func TestBytes(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	go Serve(there)
	answers := json.NewDecoder(here)
	answer := func() (r Reply) {
		t.Helper()
		if err := answers.Decode(&r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	answer() // the greeting
	data, path := "\x00\xff\n{\"ID\":7}\n", filepath.Join(t.TempDir(), "file")
	for _, r := range []Request{
		{ID: 1, Put: path, Mode: 0o600, Data: []byte(data)},
		{ID: 2, Argv: []string{"cat", path, "-"}, Stdin: []byte("\nmore" + data)},
		{ID: 3, Argv: []string{"cat"}},
	} {
		if err := r.Send(here); err != nil {
			t.Fatal(err)
		}
		want := Reply{ID: r.ID}
		if r.ID == 2 {
			want.Stdout = []byte(data + "\nmore" + data)
		}
		if got := answer(); got.ID != r.ID || got.Error != "" || string(got.Stdout) != string(want.Stdout) {
			t.Errorf("request %d: %+v; want %+v", r.ID, got, want)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != data {
		t.Errorf("the file has %q (%v); want %q", text, err, data)
	}
}
