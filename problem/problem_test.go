package problem

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"
)

func TestError(t *testing.T) {
	at := Pos{File: "/etc/conf.d/sshd", Line: 7}
	for _, c := range []struct {
		err        *Error
		text, json string
	}{
		{New(at, "vrf=%q is no name", "a b").WithHint("write vrf=NAME"), `/etc/conf.d/sshd:7: vrf="a b" is no name`,
			`{"file":"/etc/conf.d/sshd","line":7,"what":"vrf=\"a b\" is no name","hint":"write vrf=NAME"}`},
		{New(Pos{File: "/etc/conf.d/sshd"}, "is empty"), "/etc/conf.d/sshd: is empty", `{"file":"/etc/conf.d/sshd","what":"is empty"}`},
		{&Error{Msg: "no verb given"}, "no verb given", `{"what":"no verb given"}`},
		{&Error{Pos: at, Msg: "busy", Temporary: true}, "/etc/conf.d/sshd:7: busy",
			`{"file":"/etc/conf.d/sshd","line":7,"what":"busy","temporary":true}`},
	} {
		data, err := json.Marshal(c.err)
		if got := c.err.Error(); got != c.text || string(data) != c.json || err != nil {
			t.Errorf("got %q and %s, %v; want %q and %s", got, data, err, c.text, c.json)
		}
	}
}

func TestCause(t *testing.T) {
	missing := &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}
	linked := &os.LinkError{Op: "rename", Old: "a", New: "b", Err: fs.ErrExist}
	for _, c := range []struct {
		err  *Error
		is   error
		text string
	}{
		{New(Pos{File: "/x"}, "%w", missing), fs.ErrNotExist, "/x: open /x: file does not exist"},
		{Unreadable("/x", missing), fs.ErrNotExist, "/x: cannot be read: file does not exist"},
		{Unreadable("/x", fmt.Errorf("list: %w", linked)), fs.ErrExist, "/x: cannot be read: file already exists"},
		{New(Pos{File: "/x"}, "a link to %v", missing), nil, "/x: a link to open /x: file does not exist"},
	} {
		if got := c.err.Error(); got != c.text || c.is != nil && !errors.Is(c.err, c.is) || c.is == nil && c.err.Err != nil {
			t.Errorf("got %q with the cause %v; want %q with %v", got, c.err.Err, c.text, c.is)
		}
	}
	if err := errors.New("x"); Cause(err) != err {
		t.Error("Cause changed an error that names no path")
	}
}

func TestList(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	for _, c := range []struct {
		err  error
		want []error
	}{{nil, nil}, {a, []error{a}}, {errors.Join(a, errors.Join(b, c), nil), []error{a, b, c}}} {
		if got := List(c.err); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("List(%q) = %q; want %q", c.err, got, c.want)
		}
	}
}
