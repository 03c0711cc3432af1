// Package nm says whether NetworkManager may take a link out of its VRF: it
// does so with every link of hardware that it is not told to leave alone
// (NetworkManager.conf(5)).
package nm

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// enabled has one file for each way in which it is running, or will be with the next boot.
var enabled = []string{"run/NetworkManager/NetworkManager.conf", "run/NetworkManager/devices",
	"etc/systemd/system/multi-user.target.wants/NetworkManager.service",
	"etc/runlevels/default/NetworkManager", "etc/runlevels/default/networkmanager"}

// MayTake reports whether NetworkManager is in use, and no file of its own tells it to
// leave the link alone. That is not certain: a rule of udev can tell it too. root is the
// machine's root directory; mac may be "".
func MayTake(root fs.FS, name, mac string) bool {
	uses := slices.ContainsFunc(enabled, func(file string) bool {
		_, err := fs.Lstat(root, file)
		return err == nil
	})
	return uses && !left(root, name, strings.ToLower(mac))
}

// files returns its configuration, what wins last.
func files(root fs.FS) (list []string) {
	const lib, run, etc = "usr/lib/NetworkManager/conf.d", "run/NetworkManager/conf.d", "etc/NetworkManager/conf.d"
	dirs := []string{lib, run, etc}
	for i, dir := range dirs {
		if dir == etc {
			list = append(list, "etc/NetworkManager/NetworkManager.conf")
		}
		entries, _ := fs.ReadDir(root, dir) // mostly there is none
		for _, e := range entries {
			hidden := slices.ContainsFunc(dirs[i+1:], func(later string) bool {
				_, err := fs.Lstat(root, path.Join(later, e.Name()))
				return err == nil
			})
			if strings.HasSuffix(e.Name(), ".conf") && !hidden {
				list = append(list, path.Join(dir, e.Name()))
			}
		}
	}
	return list
}

// left reports whether its configuration, or /etc/network/interfaces, tells it to leave
// the link alone.
func left(root fs.FS, name, mac string) bool {
	unmanaged, plugins, byInterfaces := "", "", false
	devices := map[string]map[string]string{} // sections [device*], which hold by themselves
	for _, file := range files(root) {
		text, _ := fs.ReadFile(root, file)
		section := ""
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if strings.HasPrefix(line, "[") {
				section = strings.Trim(line, "[]")
				continue
			}
			key, value, ok := strings.Cut(line, "=")
			key, value = strings.TrimSpace(key), strings.TrimSpace(value)
			switch {
			case !ok || key[:min(1, len(key))] == "#":
			case section == "keyfile" && key == "unmanaged-devices":
				unmanaged = value
			case section == "keyfile" && key == "unmanaged-devices+":
				unmanaged += ";" + value
			case section == "main" && key == "plugins":
				plugins = value
			case section == "ifupdown" && key == "managed":
				byInterfaces = value == "true"
			case strings.HasPrefix(section, "device"):
				if devices[section] == nil {
					devices[section] = map[string]string{}
				}
				devices[section][key] = value
			}
		}
	}
	if matches(unmanaged, name, mac) {
		return true
	}
	for _, d := range devices {
		if no := d["managed"]; (no == "0" || no == "false" || no == "no") && matches(d["match-device"], name, mac) {
			return true
		}
	}
	return strings.Contains(plugins, "ifupdown") && !byInterfaces && inInterfaces(root, name)
}

// matches reports whether a list of devices has a link.
func matches(list, name, mac string) (found bool) {
	for _, word := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
		word, except := strings.CutPrefix(word, "except:")
		kind, value, ok := strings.Cut(word, ":")
		is := word == "*" || mac != "" && strings.ToLower(strings.TrimPrefix(word, "mac:")) == mac
		if ok && kind == "interface-name" {
			exact, literally := strings.CutPrefix(value, "=")
			matched, err := path.Match(value, name)
			is = literally && exact == name || !literally && err == nil && matched
		}
		if is && except {
			return false
		}
		found = found || is
	}
	return found
}

// inInterfaces reports whether ifupdown's file has the link.
func inInterfaces(root fs.FS, name string) bool {
	text, _ := fs.ReadFile(root, "etc/network/interfaces")
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "iface" && words[1] == name {
			return true
		}
	}
	return false
}
