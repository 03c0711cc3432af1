package enter

import (
	"strings"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// vrfCgroup returns the cgroup for a process that is in the cgroup own, and the
// one above it that has the guard: OWN/rdexec and OWN/rdexec/[NETNS-ns/]vrf/VRF.
// The path ends as that of `ip vrf exec` does (ip/ipvrf.c of iproute2), so that
// `ip vrf identify` and `ip vrf pids` see the process; an `ip vrf exec` beside it,
// whose path is OWN/[NETNS-ns/]vrf/VRF, does not touch it.
//
// If own is such a cgroup already, it is replaced rather than nested, since the
// program there allows none below. iproute2 cuts at the first "/vrf" in the text,
// and takes a process out of /system.slice/vrf-x.service; here only whole
// elements at the end count.
func vrfCgroup(own, netns, vrf string, isNetns func(string) bool) (guarded, path string) {
	outside, _ := outsideVRF(own, isNetns)
	guarded = strings.TrimSuffix(outside, "/") + "/rdexec"
	path = guarded
	if netns != "" {
		path += "/" + netns + "-ns"
	}
	return guarded, path + "/vrf/" + vrf
}

// outsideVRF returns the cgroup that own was before the process entered a VRF, by rdexec or
// `ip vrf exec`; it is own, and ok is false, where that did not happen.
func outsideVRF(own string, isNetns func(string) bool) (path string, ok bool) {
	const ours = "rdexec"
	elems := strings.Split(strings.Trim(own, "/"), "/")
	all := len(elems)
	last := func(at int, s string) bool { return len(elems) >= at && elems[len(elems)-at] == s }
	if last(2, "vrf") {
		elems = elems[:len(elems)-2]
		if n := len(elems) - 1; n >= 0 {
			if ns, ok := strings.CutSuffix(elems[n], "-ns"); ok && isNetns(ns) {
				elems = elems[:n]
			}
		}
	} else if last(1, "vrf") && last(2, ours) { // left by ip vrf exec default
		elems = elems[:len(elems)-1]
	}
	if last(1, ours) {
		elems = elems[:len(elems)-1]
	}
	for _, e := range elems {
		if e != "" {
			path += "/" + e
		}
	}
	if path == "" {
		path = "/"
	}
	return path, len(elems) < all
}

func isNetns(name string) bool {
	n, err := domain.ParseNetns(name)
	return err == nil && unix.Access(n.Path(), unix.F_OK) == nil
}

// netnsName returns the name that iproute2 would give the namespace of the
// thread: that of the first file in /run/netns which is this namespace, or ""
// for none. A namespace that was entered by name has that name.
func netnsName(entered domain.NetnsName) (string, error) {
	if !entered.IsZero() {
		return entered.String(), nil
	}
	var own unix.Stat_t
	if err := unix.Stat(ownNetns, &own); err != nil {
		return "", unable("look at "+ownNetns, err)
	}
	dir, err := unix.Open(domain.NetnsDir, dirFlags, 0)
	if err == unix.ENOENT {
		return "", nil
	}
	var names []string
	if err == nil {
		defer unix.Close(dir)
		names, err = readNames(dir)
	}
	if err != nil {
		return "", unable("read "+domain.NetnsDir, err)
	}
	for _, name := range names {
		var st unix.Stat_t
		if unix.Fstatat(dir, name, &st, 0) == nil && st.Dev == own.Dev && st.Ino == own.Ino {
			return name, nil
		}
	}
	return "", nil
}

// resolverOf returns the part that a VRF has of a private /etc. Where no namespace is
// named, the VRF is one of the namespace that the thread is in: pid 1's has no name here,
// whatever is in /run/netns.
func resolverOf(c domain.Command) (ownEtc, error) {
	d := c.Domain
	var own, first unix.Stat_t
	if err := unix.Stat(ownNetns, &own); err != nil {
		return ownEtc{}, unable("look at "+ownNetns, err)
	}
	if d.Netns.IsZero() && !(unix.Stat("/proc/1/ns/net", &first) == nil && own.Dev == first.Dev && own.Ino == first.Ino) {
		name, err := netnsName(d.Netns)
		if err != nil {
			return ownEtc{}, err
		}
		if n, err := domain.ParseNetns(name); err == nil {
			d.Netns = n
		}
	}
	return etcOf(d), nil
}

// makeCgroup opens the cgroup path, and makes it and those above it if needed.
func makeCgroup(root int, path string) (int, error) {
	fd, err := OpenCgroup(root, path)
	if err == unix.ENOENT {
		for i := 1; i <= len(path); i++ {
			if i < len(path) && path[i] != '/' {
				continue
			}
			if err := unix.Mkdirat(root, path[1:i], 0o755); err != nil && err != unix.EEXIST {
				return -1, unable("make cgroup "+path[:i], err)
			}
		}
		fd, err = OpenCgroup(root, path)
	}
	if err != nil {
		return -1, unable("open cgroup "+path, err)
	}
	return fd, nil
}

// join moves the calling process into the cgroup: 0 stands for the writer.
func join(cgroup int, path string) error {
	fd, err := unix.Openat(cgroup, "cgroup.procs", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, []byte{'0'})
		unix.Close(fd)
	}
	if err != nil {
		return unable("join cgroup "+path, err)
	}
	return nil
}
