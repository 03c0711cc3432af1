package bpf

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func testMaps(t *testing.T) (m Maps) {
	t.Helper()
	loaded(t, Bind(4, bit)) // skips where there is no BPF
	for _, c := range []struct {
		fd   *int
		make func() (int, error)
	}{{&m.Homes, MakeHomes}, {&m.Members, MakeMembers}} {
		fd, err := c.make()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		*c.fd = fd
	}
	return m
}

// The verifier takes the programs, and says which maps they use.
func TestHold(t *testing.T) {
	m := testMaps(t)
	id, err := MapID(m.Homes)
	if err != nil || id == 0 {
		t.Fatal(id, err)
	}
	for _, look := range []bool{true, false} {
		for _, p := range Hold(m, look) {
			info, err := Read(loaded(t, p))
			if err != nil || info.Name != p.Name || !slices.Contains(info.Maps, id) {
				t.Errorf("Read(%s) = %+v, %v; want its name and map %d", p.Name, info, err, id)
			}
		}
	}
}

func TestMembers(t *testing.T) {
	m := testMaps(t)
	want := []Member{{1, 2, 3}, {1, 2, 4}, {7, 2, 3}, Address(1, 2, [4]byte{10, 0, 0, 1})}
	for _, e := range slices.Concat(want, want) {
		if err := e.Add(m.Members, e.Link); err != nil {
			t.Fatal(err)
		}
	}
	has := func(want ...Member) {
		t.Helper()
		got, err := AllMembers(m.Members)
		for _, e := range want {
			if !slices.Contains(got, e) {
				t.Errorf("AllMembers = %v; want %v", got, e)
			}
		}
		if err != nil || len(got) != len(want) {
			t.Errorf("AllMembers = %v, %v; want %v", got, err, want)
		}
	}
	has(want...)
	for range 2 {
		if err := want[0].Remove(m.Members); err != nil {
			t.Fatal(err)
		}
	}
	has(want[1:]...)
	for e, of := range map[Member]bool{want[1]: true, want[3]: true, want[2]: false, {1, 3, 3}: false} {
		if e.IsOf(1, 2) != of {
			t.Errorf("%v.IsOf(1, 2) = %v", e, !of)
		}
	}
}

// A pinned program is found again by a name that says what it does.
func TestDigest(t *testing.T) {
	seen := map[string]string{}
	add := func(what string, p Program, maps ...uint32) {
		t.Helper()
		d := p.Digest(maps...)
		if seen[d] != "" {
			t.Errorf("%s and %s: both %s", what, seen[d], d)
		}
		seen[d] = what
	}
	for _, look := range []bool{true, false} {
		for i, p := range Hold(Maps{5, 6}, look) {
			if look || i == 1 || i == 3 { // home and in are the same
				add(p.Name, p)
			}
		}
	}
	out := Hold(Maps{5, 6}, true)[1]
	add("other maps", out, 1, 2)
	add("maps the other way round", out, 2, 1)
	changed := out
	changed.Insns = append(slices.Clone(out.Insns), Exit())
	add("longer", changed)
	changed.Insns = slices.Clone(out.Insns)
	changed.Insns[3].Imm++
	add("another number", changed)
	if again := Hold(Maps{7, 8}, true)[1].Digest(); seen[again] != OutName {
		t.Errorf("with other descriptors of maps the name is %s", again)
	}
}
