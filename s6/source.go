package s6

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Source is the folder that generated source directories go into. s6-rc-compile
// is given its source folders by name, so any folder does; flavours of
// distributions have others.
const Source = "/etc/s6-rc/source"

// File is one file of a source directory.
type File struct {
	// Name is relative to the folder of all services: "sshd/run".
	Name string
	// Executable is true for run and finish.
	Executable bool
	Data       []byte
}

// Oneshot is a service that is a command to bring it up and one to take it down.
type Oneshot struct {
	Name string
	// Up, Down and Reload are one command line each, in execlineb's syntax:
	// s6-rc-compile splits it into words, and no shell ever sees it. s6-rc before 0.7
	// ignores Reload, which may be nil.
	Up, Down, Reload []byte
	// TimeoutUp is in milliseconds; 0 means that it may take for ever.
	TimeoutUp int
	// Dependencies are services that are up before Up runs.
	Dependencies []string
}

// Longrun is a service that is a process, supervised.
type Longrun struct {
	Name string
	// Run is the text of the run script, which must start with "#!"; Finish, which
	// may be nil, is executed after each end of Run.
	Run, Finish  []byte
	Dependencies []string
	// ProducerFor is the service that reads what Run writes to its stdout.
	ProducerFor string
	// ConsumerFor are the services whose stdout is the stdin of Run.
	ConsumerFor []string
	// PipelineName, on the last consumer, names the bundle of the whole pipeline.
	PipelineName string
	// NotificationFD is the descriptor to which Run writes a newline when it is
	// ready; 0 means that it does not.
	NotificationFD int
	// TimeoutUp is how long it may take to be ready, TimeoutKill after which time it
	// gets a SIGKILL, and TimeoutDown after which s6-rc has the stop as failed, in
	// milliseconds; 0 is for ever.
	TimeoutUp, TimeoutKill, TimeoutDown int
	// TimeoutFinish is how long Finish may take, in milliseconds: 0 is 5 s, and less is
	// for ever.
	TimeoutFinish int
	// DownSignal stops it (SIGTERM for ""), ReloadSignal makes it read its
	// configuration again (s6 2.15.1; SIGHUP for "").
	DownSignal, ReloadSignal string
}

// Files returns the source directory of o, or an error if s6-rc-compile would
// refuse it.
func (o Oneshot) Files() ([]File, error) {
	d := directory{name: o.Name}
	d.text("type", "oneshot")
	d.data("up", o.Up, false)
	d.data("down", o.Down, false)
	if o.Reload != nil {
		d.data("reload", o.Reload, false)
	}
	d.number("timeout-up", o.TimeoutUp)
	d.dependencies(o.Dependencies)
	return d.files, d.err
}

// Files returns the source directory of l, or an error if s6-rc-compile would
// refuse it.
func (l Longrun) Files() ([]File, error) {
	d := directory{name: l.Name}
	d.text("type", "longrun")
	l.supervised(&d)
	d.dependencies(l.Dependencies)
	d.names("producer-for", l.ProducerFor)
	d.names("consumer-for", l.ConsumerFor...)
	d.names("pipeline-name", l.PipelineName)
	d.number("timeout-up", l.TimeoutUp)
	d.number("timeout-down", l.TimeoutDown)
	return d.files, d.err
}

// ServiceDir returns the service directory of l for an s6-svscan without s6-rc,
// which knows no dependencies and pipes Run's stdout to log.
func (l Longrun) ServiceDir(log *Longrun) ([]File, error) {
	d := directory{name: l.Name}
	l.supervised(&d)
	if log != nil {
		d.name += "/log"
		log.supervised(&d)
	}
	return d.files, d.err
}

// supervised adds the files that s6-supervise reads.
func (l Longrun) supervised(d *directory) {
	if !strings.HasPrefix(string(l.Run), "#!") {
		d.fail(errors.New("run does not start with \"#!\""))
	}
	d.data("run", l.Run, true)
	if l.Finish != nil {
		d.data("finish", l.Finish, true)
	}
	d.number("notification-fd", l.NotificationFD)
	d.number("timeout-kill", l.TimeoutKill)
	if l.TimeoutFinish < 0 {
		d.text("timeout-finish", "0")
	} else {
		d.number("timeout-finish", l.TimeoutFinish)
	}
	for name, signal := range map[string]string{"down-signal": l.DownSignal, "reload-signal": l.ReloadSignal} {
		if signal == "" {
			continue
		}
		if !ValidSignal(signal) {
			d.fail(fmt.Errorf("%s: %q is not a signal", name, signal))
		}
		d.text(name, signal)
	}
}

// directory collects the files of one service, and the first error.
type directory struct {
	name  string
	files []File
	err   error
}

func (d *directory) fail(err error) {
	if d.err == nil {
		d.err, d.files = fmt.Errorf("s6-rc service %s: %w", d.name, err), nil
	}
}

func (d *directory) data(name string, data []byte, executable bool) {
	if err := CheckName(strings.TrimSuffix(d.name, "/log")); err != nil {
		d.fail(err)
	}
	if d.err == nil {
		d.files = append(d.files, File{d.name + "/" + name, executable, data})
	}
}

func (d *directory) text(name, line string) { d.data(name, []byte(line+"\n"), false) }

// number writes nothing for 0, which is the default of every number.
func (d *directory) number(name string, n int) {
	if n != 0 {
		d.text(name, strconv.Itoa(n))
	}
}

// names writes one name a line, and nothing where there is none.
func (d *directory) names(name string, names ...string) {
	if strings.Join(names, "") == "" {
		return
	}
	for _, n := range names {
		if err := CheckName(n); err != nil {
			d.fail(err)
		}
	}
	d.text(name, strings.Join(names, "\n"))
}

func (d *directory) dependencies(names []string) {
	for _, n := range names {
		if err := CheckName(n); err != nil {
			d.fail(err)
		}
		d.data("dependencies.d/"+n, nil, false)
	}
}

// CheckName reports why s6-rc-compile would not take name as a service's, or
// would skip it.
func CheckName(name string) error {
	switch {
	case name == "":
		return errors.New("name is empty")
	case len(name) > 255:
		return fmt.Errorf("name %.64q... is longer than 255 bytes", name)
	case strings.ContainsAny(name, "/\n\x00"):
		return fmt.Errorf("name %q contains a slash, a newline or a NUL", name)
	case name[0] == '.':
		return fmt.Errorf("name %q starts with a dot and would be skipped", name)
	case strings.HasPrefix(name, "s6rc-"), strings.HasPrefix(name, "s6-rc-"):
		return fmt.Errorf("name %q starts as s6-rc's own names do", name)
	}
	return nil
}
