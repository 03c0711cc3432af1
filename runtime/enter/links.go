package enter

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// makeLinks brings the domain's directory of links up to date, and reports
// whether there are files for the domain at all.
//
// In the steady state it only compares: three times stat(2), and the stamp.
func makeLinks(o ownEtc) (bool, error) {
	doing := "prepare " + o.linkDir()
	src := o.src
	now, err := takeStamp(src)
	if err == nil && now.kind != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err != nil {
		return false, unable("read "+src, err)
	}
	_, dir, err := openLinkDir(o.name, false)
	there := err == nil
	if err != nil && err != unix.ENOENT {
		return false, unable(doing, err)
	}
	if there {
		if text, err := readLink(dir, stamp); err == nil && text == now.text {
			return true, nil
		}
	}
	files, err := filesIn(src)
	if err != nil {
		return false, unable("read "+src, err)
	}
	if len(files) == 0 && !(there && hadFiles(dir, o)) {
		return false, nil
	}
	if err := update(o); err != nil {
		return false, unable(doing, err)
	}
	return true, nil
}

// filesIn returns the names of the domain's files, none if there is no directory.
func filesIn(src string) ([]string, error) {
	names, err := namesIn(unix.AT_FDCWD, src)
	if err == unix.ENOENT {
		return nil, nil
	}
	return names, err
}

// hadFiles reports whether a link in the directory of links stands for a file of the
// domain. Then the last one was removed, perhaps by an editor that makes it again, and
// the host's must not take its place.
func hadFiles(dir int, o ownEtc) bool {
	links, _ := readLinks(dir)
	for name, target := range links {
		if target == o.link+name {
			return true
		}
	}
	return false
}

// linkDir is the path of the domain's directory of links.
func (o ownEtc) linkDir() string { return runDir + "/" + o.name }

// A symbolic link to nowhere is a mistake, and not the wish to have no files.
func isDangling(path string) bool {
	var st unix.Stat_t
	return unix.Lstat(path, &st) == nil
}

// stampOf says which state of the domain's folder, /etc and "/" a directory of
// links was made from.
type stampOf struct {
	text   string
	kind   uint32 // the type of the first, as in stat(2)
	newest int64  // the latest ctime, in nanoseconds
}

// takeStamp looks at the three directories. The ctime changes whenever an entry
// is added, removed or renamed, also over another, and nobody can set it back.
func takeStamp(src string) (stampOf, error) {
	s := stampOf{}
	buf := append(make([]byte, 0, 256), stampTag...)
	for i, path := range [...]string{src, etc, "/"} {
		var st unix.Stat_t
		err := unix.Stat(path, &st)
		if i == 0 && err == unix.ENOENT && !isDangling(path) {
			st.Mode, err = unix.S_IFDIR, nil // like an empty one
		}
		if err != nil {
			return stampOf{}, err
		}
		if i == 0 {
			s.kind = st.Mode & unix.S_IFMT
		}
		s.newest = max(s.newest, st.Ctim.Nano())
		for _, v := range [...]uint64{uint64(st.Dev), st.Ino, uint64(st.Ctim.Nano())} {
			buf = append(strconv.AppendUint(buf, v, 16), ' ')
		}
	}
	s.text = string(buf)
	return s, nil
}

// coarse is how long after a change of a directory its time says nothing of another
// change: file systems may keep whole seconds (ext4 with small inodes), and the clock
// by which the kernel stamps files ticks every few milliseconds.
const coarse = 2e9

// settled reports whether every later change of a directory shows in its time: newest
// is its time, and clock that of the file system now, both in nanoseconds.
func settled(newest, clock int64) bool { return newest+coarse < clock }

// fileClock is the clock by which the kernel stamps files.
func fileClock() (int64, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now)
	return now.Nano(), err
}

const runDir = "/run/rdomain/etc"

// dirStep is a directory to be opened below the one before, and made with this mode where
// it is missing; exact gives the mode to one that is there, too.
type dirStep struct {
	name  string
	mode  uint32
	exact bool
}

// runSteps lead from /run to runDir. All but root are kept out of that, because who can
// open it can hold its lock.
var runSteps = [...]dirStep{{"rdomain", 0o755, false}, {"etc", 0o700, true}}

// openLinkDir opens runDir and the directory called name in it, O_PATH. With create it
// makes what is missing, whatever the umask.
func openLinkDir(name string, create bool) (parent, dir int, err error) {
	if parent, err = openRunDir(create); err != nil {
		return -1, -1, err
	}
	if dir, err = openOurs(parent, dirStep{name, 0o755, true}, create); err != nil {
		unix.Close(parent)
		return -1, -1, err
	}
	return parent, dir, nil
}

// openRunDir opens runDir, O_PATH, step by step.
func openRunDir(create bool) (dir int, err error) {
	at, err := unix.Open("/run", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for _, step := range runSteps {
		if err != nil {
			return -1, err
		}
		dir, err = openOurs(at, step, create)
		unix.Close(at)
		at = dir
	}
	return dir, err
}

// openOurs opens the directory of one step, O_PATH. It must be one that only root can
// write to, and no symbolic link, or somebody else could choose what /etc is.
func openOurs(at int, step dirStep, create bool) (dir int, err error) {
	dir, err = openStep(at, step.name)
	if err == unix.ENOENT && create {
		if err = unix.Mkdirat(at, step.name, step.mode); err != nil && err != unix.EEXIST {
			return -1, err
		}
		if err = unix.Fchmodat(at, step.name, step.mode, 0); err == nil {
			dir, err = openStep(at, step.name)
		}
	}
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return -1, err
	}
	if st.Uid != 0 || st.Mode&0o022 != 0 {
		return -1, notOurs(step.name)
	}
	if step.exact && create && st.Mode&0o7777 != step.mode {
		if err := unix.Fchmodat(at, step.name, step.mode, 0); err != nil {
			return -1, err
		}
	}
	return dir, nil
}

func openStep(at int, name string) (int, error) {
	return unix.Openat(at, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

// notOurs is the error of a directory that others than root can change.
type notOurs string

func (name notOurs) Error() string {
	return "directory " + string(name) + " does not belong to root alone"
}

// update brings the domain's directory of links up to date, in place, while
// services use it. Each link is made, replaced and removed in one step. The
// lock keeps two updates apart, so the one that writes its stamp last has also
// seen everything last; it ends with the process, at the latest.
func update(o ownEtc) error {
	parent, dir, err := openLinkDir(o.name, true)
	if err != nil {
		return err
	}
	lock, err := lockDir(parent)
	if err != nil {
		return err
	}
	defer unix.Close(lock)
	clock, err := fileClock()
	if err != nil {
		return err
	}
	now, err := takeStamp(o.src)
	if err != nil {
		return err
	}
	for _, name := range [...]string{hostDir, hostEtc} {
		if err := unix.Mkdirat(dir, name, 0o755); err != nil && err != unix.EEXIST {
			return err
		}
		if err := unix.Fchmodat(dir, name, 0o755, 0); err != nil {
			return err
		}
	}
	if err := updateRoot(dir); err != nil {
		return err
	}
	if err := updateEtc(dir, o); err != nil {
		return err
	}
	if !settled(now.newest, clock) {
		now.text = stampTag // a change from now on might not show: compare unequal
	}
	return replace(dir, nextLink, stamp, now.text)
}

// lockDir waits for the lock of the directory at, and returns its holder.
func lockDir(at int) (int, error) {
	fd, err := unix.Openat(at, ".", dirFlags, 0)
	if err != nil {
		return -1, err
	}
	for {
		if err = unix.Flock(fd, unix.LOCK_EX); err == nil {
			return fd, nil
		}
		if err != unix.EINTR {
			unix.Close(fd)
			return -1, err
		}
	}
}

// updateRoot fills .host with links to what is in "/".
func updateRoot(dir int) error {
	names, err := namesIn(unix.AT_FDCWD, "/")
	if err != nil {
		return err
	}
	want := make(map[string]string, len(names))
	for _, name := range names {
		want[name] = "/" + name
	}
	host, err := openStep(dir, hostDir)
	if err != nil {
		return err
	}
	defer unix.Close(host)
	have, err := readLinks(host)
	if err != nil {
		return err
	}
	// Not links to be made or removed: the mount point, and what update keeps.
	for _, name := range [...]string{"etc", ".stamp", ".next"} {
		delete(want, name)
		delete(have, name)
	}
	return apply(host, ".next", have, want)
}

// updateEtc links the domain's files, and the host's entries for the rest.
//
// If a file is taken away from the domain's folder and the host has one of that
// name, the link stays as it is, to nowhere. Services that run would otherwise
// get the host's resolv.conf the moment when somebody replaces theirs by
// removing it first, and no editor tells us which of the two it was.
func updateEtc(dir int, o ownEtc) error {
	hosts, err := namesIn(unix.AT_FDCWD, etc)
	if err != nil {
		return err
	}
	files, err := filesIn(o.src)
	if err != nil {
		return err
	}
	have, err := readLinks(dir)
	if err != nil {
		return err
	}
	want := make(map[string]string, len(hosts)+len(files))
	for _, name := range hosts {
		want[name] = hostEtc + "/" + name
		if have[name] == o.link+name {
			want[name] = o.link + name
		}
	}
	for _, name := range files {
		want[name] = o.link + name
	}
	delete(want, hostDir)
	delete(have, hostDir)
	return apply(dir, nextLink, have, want)
}

// readLinks returns what is in a directory of links: names and their targets.
func readLinks(dir int) (map[string]string, error) {
	names, err := namesIn(dir, ".")
	if err != nil {
		return nil, err
	}
	links := make(map[string]string, len(names))
	for _, name := range names {
		// Something else than a link has no target, and so is not wanted.
		links[name], _ = readLink(dir, name)
	}
	return links, nil
}

// apply turns the links in dir from have into want. A link is replaced by
// renaming next, a name in the same file system, over it.
func apply(dir int, next string, have, want map[string]string) error {
	for name, target := range want {
		old, there := have[name]
		var err error
		switch {
		case !there:
			err = unix.Symlinkat(target, dir, name)
		case old != target:
			err = replace(dir, next, name, target)
		}
		if err != nil {
			return err
		}
	}
	for name := range have {
		if _, wanted := want[name]; wanted {
			continue
		}
		if err := unix.Unlinkat(dir, name, 0); err != nil && err != unix.ENOENT {
			return err
		}
	}
	return nil
}

// replace makes the link name in one step, in place of what has that name.
func replace(dir int, next, name, target string) error {
	err := unix.Symlinkat(target, dir, next)
	if err == unix.EEXIST { // left by an update that was killed
		if err = unix.Unlinkat(dir, next, 0); err == nil {
			err = unix.Symlinkat(target, dir, next)
		}
	}
	if err != nil {
		return err
	}
	return unix.Renameat(dir, next, dir, name)
}
