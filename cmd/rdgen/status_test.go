package main

import (
	"net"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"rdgen/runtime/process"
	"rdgen/status"
	"rdgen/test/need"
)

// TestListening: a socket that a process was given is of the namespace that it was made in,
// not of the process's.
func TestListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, at := range []struct{ away, vrf bool }{{false, false}, {true, false}, {false, true}, {true, true}} {
		cmd := exec.Command("sleep", "infinity")
		cmd.ExtraFiles = []*os.File{file}
		if at.away {
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
		}
		if err := cmd.Start(); err != nil {
			need.Missing(t, need.Root, err.Error())
		}
		got, err := listening{outside: "thread-self", known: map[string]map[uint64]process.Listener{}}.of(cmd.Process.Pid, at.vrf)
		cmd.Process.Kill()
		cmd.Wait()
		want := []status.Listener{{Protocol: "tcp", Address: l.Addr().String(), Outside: at.away || at.vrf}} // it is bound to no link
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("listens at %v, %v; want %v", got, err, want)
		}
	}
}

// TestStatusJSONIsDocumented: rdgen-status(8) names each field of the JSON, but those of
// rdomain list, which rdomain(8) has.
func TestStatusJSONIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../man/rdomain.8")
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	var walk func(of reflect.Type, text string)
	walk = func(of reflect.Type, text string) {
		for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for f := range of.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous {
				walk(f.Type, string(page))
				continue
			}
			if fields[name] = true; name == "" || !regexp.MustCompile(`\b`+name+`\b`).MatchString(text) {
				t.Errorf("the field %q of %v is documented nowhere", name, of)
			}
			walk(f.Type, text)
		}
	}
	walk(reflect.TypeFor[status.Report](), statusJSON)
	if len(fields) < 30 {
		t.Errorf("%d fields; want all", len(fields))
	}
}
