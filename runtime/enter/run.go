package enter

import (
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// defaultPath is where a program is searched if the environment has no PATH.
const defaultPath = "/usr/sbin:/usr/bin:/sbin:/bin"

// run replaces the process by prog, as execvp(3) does: a name with a slash is
// the file itself, another is searched along PATH, where an empty element is
// the working directory. Unlike execvp(3) it never runs a file without "#!" by
// a shell.
//
// It calls syscall.Exec, and not execve(2) itself, because that gives back the
// soft limit of open files, which package syscall has raised at its start.
func run(prog, environ []string) error {
	name := prog[0]
	if strings.IndexByte(name, '/') >= 0 {
		return notRun(name, name, syscall.Exec(name, prog, environ))
	}
	var denied string
	for dir := range strings.SplitSeq(searchPath(environ), ":") {
		if dir == "" {
			dir = "."
		}
		file := dir + "/" + name
		err := unix.Access(file, unix.F_OK)
		if err == nil {
			if err = syscall.Exec(file, prog, environ); err == unix.ENOENT {
				return notRun(name, file, err)
			}
		}
		switch err {
		case unix.ENOENT, unix.ENOTDIR:
		case unix.EACCES:
			if denied == "" {
				denied = file
			}
		default:
			return notRun(name, file, err)
		}
	}
	if denied != "" {
		return notRun(name, denied, unix.EACCES)
	}
	return &Error{domain.ExitNotFound, "unable to run " + name + ": not found in PATH", unix.ENOENT}
}

func searchPath(environ []string) string {
	for _, v := range environ {
		if path, ok := strings.CutPrefix(v, "PATH="); ok {
			return path
		}
	}
	return defaultPath
}

// notRun tells a file that is not there from one that cannot be executed.
// execve(2) says ENOENT also for a script whose interpreter is missing.
func notRun(name, file string, err error) error {
	e := unable("run "+name, err)
	if file != name {
		e.Text = "unable to run " + name + " (" + file + "): " + err.Error()
	}
	e.Code = domain.ExitCannotRun
	switch {
	case err == unix.ENOENT && exists(file):
		e.Text += " (the file is there; its interpreter is not)"
	case err == unix.ENOENT || err == unix.ENOTDIR:
		e.Code = domain.ExitNotFound
	case err == unix.EAGAIN || err == unix.ENOMEM: // RLIMIT_NPROC of the user, or memory
		e.Code = domain.ExitTemporary
	}
	return e
}

func exists(file string) bool { return unix.Access(file, unix.F_OK) == nil }
