package compile

import (
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"rdgen/s6"
)

// copied reads what becomes part of a longrun's service directory.
func (c *checker) copied(d *definition) {
	number := func(name string) (n int, found bool) {
		file := d.dir() + "/" + name
		data, err := c.read(file)
		if c.isMissing(err) {
			return 0, false
		}
		if err == nil {
			text, _, _ := strings.Cut(string(data[:min(len(data), 11)]), "\n")
			var u uint64
			u, err = strconv.ParseUint(text, 10, 32)
			if err == nil {
				return int(u), true
			}
			err = errInvalid
		}
		c.system(file, "read "+file, err)
		return 0, false
	}
	ready, hasReady := number("notification-fd")
	if hasReady && ready < 3 {
		c.warn(d.dir()+"/notification-fd", "longrun %s has a notification-fd of %d", d.name, ready)
	}
	if lock, found := number("lock-fd"); found {
		switch {
		case lock < 3:
			c.warn(d.dir()+"/lock-fd", "longrun %s has a lock-fd of %d", d.name, lock)
		case hasReady && lock == ready:
			c.fail(d.dir()+"/lock-fd", "longrun %s has the same value for notification-fd and lock-fd", d.name)
		}
	}
	for _, name := range []string{"timeout-kill", "timeout-finish", "max-death-tally"} {
		number(name)
	}
	for _, name := range []string{"template", "data", "env"} {
		folder := d.dir() + "/" + name
		info, err := c.stat(folder)
		switch {
		case c.isMissing(err):
			if _, err := fs.Lstat(c.fsys, s6.Below(folder)); err == nil {
				c.silent(folder, "is a symbolic link to nothing, and left out")
			}
		case err != nil:
			c.system(folder, "stat "+folder, err)
		case !info.IsDir():
			c.fail(folder, "%s is not a directory", folder)
		}
	}
	for _, name := range []string{"down-signal", "reload-signal"} {
		file := d.dir() + "/" + name
		if data, err := c.read(file); err == nil && !s6.ValidSignal(string(data)) {
			c.silent(file, "is not a signal, and s6-supervise will not use it")
		}
	}
}

// known are the files that mean something, by type.
var known = map[string][]string{
	"bundle":  {"type", "contents", "contents.d", "flag-essential", "flag-recommended"},
	"oneshot": {"type", "up", "down", "reload", "dependencies", "dependencies.d", "timeout-up", "timeout-down", "flag-essential", "flag-recommended"},
	"longrun": {"type", "run", "finish", "dependencies", "dependencies.d", "timeout-up", "timeout-down", "flag-essential", "flag-recommended",
		"notification-fd", "lock-fd", "timeout-kill", "timeout-finish", "max-death-tally", "down-signal", "reload-signal",
		"flag-timeout-killpg", "flag-newpidns", "template", "data", "env", "producer-for", "consumer-for", "pipeline-name"},
}

// dropped names the files that s6-rc-compile leaves out without a word.
func (c *checker) dropped(d *definition) {
	entries, err := c.list(d.dir())
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && !slices.Contains(known[d.kind], e.Name()) {
			c.silent(d.dir()+"/"+e.Name(), "is not a file of a %s; s6-rc-compile ignores it", d.kind)
		}
	}
}
