package generators

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"rdgen/systemd"
)

// meaning is how a setting that confines is read.
type meaning struct {
	// list: an empty assignment removes the ones before.
	list bool
	// nothing is the value, besides no, that confines nothing.
	nothing string
}

// confining are the settings that take rights away in a way that no program of a
// run script can (systemd.exec(5), systemd.resource-control(5)).
var confining = map[string]meaning{
	"DynamicUser": {}, "RootDirectory": {nothing: "/"}, "RootImage": {}, "SecureBits": {list: true},
	"PrivateTmp": {}, "PrivateDevices": {}, "PrivateUsers": {}, "PrivateIPC": {}, "PrivatePIDs": {}, "PrivateBPF": {},
	"ProtectSystem": {}, "ProtectHome": {}, "ProtectClock": {}, "ProtectHostname": {}, "ProtectKernelTunables": {},
	"ProtectKernelModules": {}, "ProtectKernelLogs": {}, "ProtectControlGroups": {},
	"ProtectProc": {nothing: "default"}, "ProcSubset": {nothing: "all"}, "DevicePolicy": {nothing: "auto"},
	"RestrictNamespaces": {}, "RestrictRealtime": {}, "RestrictSUIDSGID": {}, "LockPersonality": {}, "MemoryDenyWriteExecute": {},
	"RestrictAddressFamilies": {list: true}, "RestrictFileSystems": {list: true}, "RestrictNetworkInterfaces": {list: true},
	"SystemCallFilter": {list: true}, "SystemCallArchitectures": {list: true}, "NoExecPaths": {list: true}, "ReadOnlyPaths": {list: true},
	"InaccessiblePaths":   {list: true},
	"TemporaryFileSystem": {list: true}, "BindPaths": {list: true}, "BindReadOnlyPaths": {list: true}, "MountImages": {list: true},
	"ExtensionImages": {list: true}, "ExtensionDirectories": {list: true}, "IPAddressDeny": {list: true}, "SocketBindDeny": {list: true},
	"DeviceAllow": {list: true}, "AppArmorProfile": {}, "SELinuxContext": {}, "SmackProcessLabel": {},
	"UserNamespacePath": {}, "IPCNamespacePath": {},
	"IPIngressFilterPath": {list: true}, "IPEgressFilterPath": {list: true}, "BPFProgram": {list: true},
}

// confined refuses what would run with more rights than the unit gives it.
func (r *unitReader) confined() {
	var names []string
	var first systemd.Setting
	for _, s := range r.unit.Settings {
		means, known := confining[s.Key]
		if !known || s.Section != "Service" || slices.Contains(names, s.Key+"=") || !r.confines(s.Key, means) {
			continue
		}
		if len(names) == 0 {
			first = s
		}
		names = append(names, s.Key+"=")
	}
	if len(names) > 0 {
		also := ""
		if len(names) > 1 {
			also = ", nor have " + strings.Join(names[1:], " ")
		}
		r.fail(first, "the service would have more rights under s6 than the unit gives it; if it may, "+
			"say so by a drop-in that sets each of them to no, or to nothing", "has no counterpart in s6%s", also)
	}
	r.carried = slices.AppendSeq(r.carried, maps.Keys(confining))
}

// confines reports whether a setting means anything: a list, what is left of it after
// an empty assignment; any other, its last that is not empty, which resets no boolean.
func (r *unitReader) confines(key string, means meaning) bool {
	if means.list {
		return r.unit.Last("Service", key) != ""
	}
	last := ""
	for _, s := range r.unit.Settings {
		if s.Section == "Service" && s.Key == key && s.Value != "" {
			last = s.Value
		}
	}
	yes, isBool := systemd.ParseBool(last)
	return last != "" && last != means.nothing && !(isBool && !yes)
}

// rights are what setpriv takes away: capabilities, and that a program may have more.
func (r *unitReader) rights() {
	if yes, _, _ := r.unit.Bool("Service", "NoNewPrivileges"); yes {
		r.p.setpriv("--no-new-privs")
	}
	if list, ok := r.capabilities("CapabilityBoundingSet"); ok {
		r.p.setpriv("--bounding-set", list)
		r.p.Raise = true
	}
	if list, ok := r.capabilities("AmbientCapabilities"); ok && list != "-all" {
		r.bounded(list)
		r.p.setpriv("--inh-caps", list)
		r.p.setpriv("--ambient-caps", list)
		r.p.Raise = true
	}
	r.carried = append(r.carried, "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities")
}

// bounded refuses ambient capabilities that the bounding set has not: systemd gives
// none then, and setpriv fails.
func (r *unitReader) bounded(ambient string) {
	all := r.unit.All("Service", "AmbientCapabilities")
	bounding, ok := r.capabilities("CapabilityBoundingSet")
	if !ok || len(all) == 0 {
		return
	}
	for _, word := range strings.Split(ambient, ",") {
		if name := word[1:]; name != "all" && has(ambient, name) && !has(bounding, name) || ambient == "+all" && bounding != "+all" {
			r.fail(all[len(all)-1], "name the same capabilities in both, in a drop-in", "has %q, and CapabilityBoundingSet= has not", name)
		}
	}
}

// has reports whether a list as setpriv reads it, word by word, leaves a capability in.
func has(list, name string) (in bool) {
	for _, word := range strings.Split(list, ",") {
		if word[1:] == name || word[1:] == "all" {
			in = word[0] == '+'
		}
	}
	return in
}

// capabilities reads a set: what is named, without what is named after a "~", in the
// order of the lines. One that begins with "~" begins with all of them.
func (r *unitReader) capabilities(key string) (list string, ok bool) {
	var words []string
	for _, s := range r.unit.Settings {
		if s.Section != "Service" || s.Key != key {
			continue
		}
		text, without := strings.CutPrefix(s.Value, "~")
		sign := "+"
		if without {
			sign = "-"
		}
		switch {
		case strings.TrimSpace(text) == "" && without:
			words = []string{"+all"}
		case strings.TrimSpace(text) == "":
			words = []string{"-all"}
		case len(words) == 0 && without:
			words = []string{"+all"}
		case len(words) == 0:
			words = []string{"-all"}
		}
		for _, name := range strings.Fields(text) {
			bare, found := strings.CutPrefix(strings.ToLower(name), "cap_")
			if !found || strings.Trim(bare, "abcdefghijklmnopqrstuvwxyz_") != "" || bare == "" {
				r.fail(s, "", "%q is no capability", name)
				return "", false
			}
			words = append(words, sign+bare)
		}
	}
	return strings.Join(words, ","), len(words) > 0
}

// limited are the resource limits of systemd, by prlimit's name, and in what they
// are counted.
var limited = []struct{ key, name, unit string }{
	{"LimitCPU", "cpu", "s"}, {"LimitFSIZE", "fsize", "bytes"}, {"LimitDATA", "data", "bytes"}, {"LimitSTACK", "stack", "bytes"},
	{"LimitCORE", "core", "bytes"}, {"LimitRSS", "rss", "bytes"}, {"LimitNOFILE", "nofile", ""}, {"LimitAS", "as", "bytes"},
	{"LimitNPROC", "nproc", ""}, {"LimitMEMLOCK", "memlock", "bytes"}, {"LimitLOCKS", "locks", ""}, {"LimitSIGPENDING", "sigpending", ""},
	{"LimitMSGQUEUE", "msgqueue", "bytes"}, {"LimitRTPRIO", "rtprio", ""}, {"LimitRTTIME", "rttime", "us"}, {"LimitNICE", "nice", "nice"},
}

// limits reads Limit*=, which is SOFT:HARD or one for both.
func (r *unitReader) limits() {
	for _, l := range limited {
		text, set, ok := r.kept(l.key)
		r.carried = append(r.carried, l.key)
		if !ok {
			continue
		}
		soft, hard, two := strings.Cut(text, ":")
		if !two {
			hard = soft
		}
		var values [2]string
		for i, v := range []string{soft, hard} {
			if values[i], ok = limit(v, l.unit); !ok {
				r.fail(set, "write it as a number in a drop-in", "%q is no limit that rdgen reads", text)
			}
			if l.name == "nofile" && v == "infinity" {
				r.fail(set, "write a number in a drop-in; 1048576 is the highest of a kernel that nobody has told otherwise",
					"%q is more than a kernel gives, and systemd takes the highest that there is", text)
			}
		}
		if number(values[0]) > number(values[1]) {
			r.fail(set, "write SOFT:HARD in a drop-in", "%q is a soft limit above the hard one, which systemd ignores", text)
		}
		r.p.Wrappers = append(r.p.Wrappers, []string{"prlimit", "--" + l.name + "=" + values[0] + ":" + values[1]})
	}
}

// number is a limit as a number, of which the highest is none.
func number(limit string) uint64 {
	n, err := strconv.ParseUint(limit, 10, 64)
	if err != nil {
		return math.MaxUint64
	}
	return n
}

// limit reads a limit in its unit; bytes have suffixes to the base 1024.
func limit(text, unit string) (string, bool) {
	if text == "infinity" {
		return "unlimited", true
	}
	shift := 0
	if i := strings.IndexByte("KMGT", (text + " ")[len(text)-min(1, len(text))]); i >= 0 && unit == "bytes" && text != "" {
		shift, text = 10*(i+1), text[:len(text)-1]
	}
	switch unit {
	case "us":
		if ms, ok := systemd.Milliseconds(text); ok && ms > 0 && strings.Trim(text, "0123456789") != "" {
			return strconv.Itoa(ms * 1000), true
		}
	case "nice": // +N and -N are nice levels, and a number is the kernel's
		if n, err := strconv.Atoi(text); err == nil && text != "" && strings.ContainsAny(text[:1], "+-") {
			return strconv.Itoa(20 - n), n >= -20 && n < 20
		}
	case "s":
		ms, ok := systemd.Milliseconds(text)
		return strconv.Itoa((ms + 999) / 1000), ok && ms > 0
	}
	n, err := strconv.ParseUint(text, 10, 62-shift)
	return strconv.FormatUint(n<<shift, 10), err == nil
}

// ioClasses are the names that both IOSchedulingClass= and ionice know, by number.
// systemd makes best-effort of none.
var ioClasses = map[string]string{"none": "2", "0": "2", "realtime": "1", "1": "1", "best-effort": "2", "2": "2", "idle": "3", "3": "3"}

// priorities reads Nice=, IOSchedulingClass= and OOMScoreAdjust=.
func (r *unitReader) priorities() {
	number := func(key string, low, high int, words ...string) {
		text, set, ok := r.value(key)
		r.carried = append(r.carried, key)
		if !ok {
			return
		}
		if n, err := strconv.Atoi(text); err != nil || n < low || n > high {
			r.fail(set, "", "%q is not a number from %d to %d", text, low, high)
		}
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "N", text)
		}
		r.p.Wrappers = append(r.p.Wrappers, words)
	}
	number("Nice", -20, 19, "nice", "-n", "N")
	number("OOMScoreAdjust", -1000, 1000, "choom", "-n", "N", "--")
	class, set, ok := r.value("IOSchedulingClass")
	level, levelSet, hasLevel := r.value("IOSchedulingPriority")
	r.carried = append(r.carried, "IOSchedulingClass", "IOSchedulingPriority")
	if !ok && !hasLevel {
		return
	}
	if !ok {
		class = "best-effort"
	}
	n, known := ioClasses[class]
	if !known {
		r.fail(set, "", "%q is no class", class)
	}
	words := []string{"ionice", "-c", n}
	if n == "1" || n == "2" {
		if !hasLevel {
			level = "4"
		}
		if len(level) != 1 || level < "0" || level > "7" {
			r.fail(levelSet, "", "%q is no priority", level)
		}
		words = append(words, "-n", level)
	}
	r.p.Wrappers = append(r.p.Wrappers, words)
}
