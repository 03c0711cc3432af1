package enter

import (
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"rdgen/runtime/domain"
)

// Identity is what a process may do: user, group, and supplementary groups.
type Identity struct {
	UID, GID uint32
	Groups   []uint32
}

// become takes on the identity, for real, effective and saved ids. The system
// calls are raw, so they change the calling thread alone, which is the one that
// lives on after execve(2). The groups of root are gone in any case.
func (i Identity) become() error {
	if err := dropInheritable(); err != nil {
		return unable("drop inheritable capabilities", err)
	}
	var first unsafe.Pointer
	if len(i.Groups) > 0 {
		first = unsafe.Pointer(&i.Groups[0])
	}
	if _, _, e := unix.RawSyscall(sysSetgroups, uintptr(len(i.Groups)), uintptr(first), 0); e != 0 {
		return unable("set the supplementary groups", e)
	}
	if _, _, e := unix.RawSyscall(sysSetresgid, uintptr(i.GID), uintptr(i.GID), uintptr(i.GID)); e != 0 {
		return unable("set group "+strconv.Itoa(int(i.GID)), e)
	}
	if _, _, e := unix.RawSyscall(sysSetresuid, uintptr(i.UID), uintptr(i.UID), uintptr(i.UID)); e != 0 {
		return unable("set user "+strconv.Itoa(int(i.UID)), e)
	}
	return nil
}

// dropInheritable takes the thread's inheritable capabilities away, and with them the
// ambient ones, which are never more (capabilities(7)): a user would keep what the
// caller had of them.
func dropInheritable() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return err
	}
	if caps[0].Inheritable|caps[1].Inheritable == 0 {
		return nil
	}
	caps[0].Inheritable, caps[1].Inheritable = 0, 0
	return unix.Capset(&header, &caps[0])
}

// lookUser reads USER or USER:GROUP in /etc/passwd and /etc/group, which are
// the only sources: a name service would be a program of its own.
func lookUser(spec string) (Identity, error) {
	passwd, err := readFile("/etc/passwd")
	if err != nil {
		return Identity{}, unable("look up user "+spec+" in /etc/passwd", err)
	}
	group, err := readFile("/etc/group")
	if err != nil {
		return Identity{}, unable("look up user "+spec+" in /etc/group", err)
	}
	who, err := findUser(spec, passwd, group)
	if err != nil {
		return Identity{}, &Error{domain.ExitPermanent, "unable to become user " + spec + ": " + err.Error(), nil}
	}
	return who, nil
}

// findUser is lookUser on the text of the two files (passwd(5), group(5)).
//
// A word of digits is a number, everything else a name. Without GROUP the
// group is the one in the user's entry, and the supplementary groups are those
// that initgroups(3) would set. With GROUP there is no other group: who names
// it wants no more. A number without an entry has no group of its own, and to
// keep root's would be wrong, so then GROUP is needed.
func findUser(spec, passwd, group string) (Identity, error) {
	name, groupName, explicit := strings.Cut(spec, ":")
	var who Identity
	entry, found, err := findEntry(passwd, name)
	if err != nil {
		return who, err
	}
	if !found && !isNumber(name) {
		return who, errors.New("no such user in /etc/passwd")
	}
	number := name
	if found {
		number = entry[2]
	}
	if who.UID, err = parseID(number); err != nil {
		return who, err
	}
	if explicit {
		who.GID, err = findGroup(groupName, group)
		who.Groups = []uint32{who.GID}
		return who, err
	}
	if !found {
		return who, errors.New("no entry in /etc/passwd says its group; give one, as in " + name + ":GROUP")
	}
	if who.GID, err = parseID(entry[3]); err != nil {
		return who, err
	}
	who.Groups = groupsOf(entry[0], who.GID, group)
	return who, nil
}

// Number returns the number of a user, where file is /etc/passwd, or of a group, where it is
// /etc/group. A word of digits is a number.
func Number(file, word string) (uint32, error) {
	text, err := readFile(file)
	if err != nil {
		return 0, unable("look up "+word+" in "+file, err)
	}
	entry, found, err := findEntry(text, word)
	switch {
	case err != nil:
		return 0, err
	case found:
		return parseID(entry[2])
	case word != "" && isNumber(word):
		return parseID(word)
	}
	return 0, errors.New("not in " + file)
}

// findEntry returns the fields of the first line for the user or group called
// word, or numbered word if that is a number. The line has at least four
// fields in passwd(5) and in group(5), and is skipped otherwise.
func findEntry(text, word string) (fields []string, ok bool, err error) {
	column := 0
	if isNumber(word) {
		column = 2
		id, err := parseID(word)
		if err != nil {
			return nil, false, err
		}
		word = strconv.FormatUint(uint64(id), 10)
	}
	for line := range strings.SplitSeq(text, "\n") {
		if column == 0 && !strings.HasPrefix(line, word) {
			continue
		}
		f := strings.Split(line, ":")
		if len(f) >= 4 && f[column] == word && f[0] != "" {
			return f, true, nil
		}
	}
	return nil, false, nil
}

func findGroup(name, group string) (uint32, error) {
	entry, found, err := findEntry(group, name)
	switch {
	case err != nil:
		return 0, err
	case found:
		return parseID(entry[2])
	case isNumber(name):
		return parseID(name)
	}
	return 0, errors.New("no such group in /etc/group")
}

// groupsOf returns gid and the groups that list the user as a member.
func groupsOf(user string, gid uint32, group string) []uint32 {
	groups := []uint32{gid}
	for line := range strings.SplitSeq(group, "\n") {
		if !strings.Contains(line, user) {
			continue
		}
		f := strings.Split(line, ":")
		if len(f) != 4 {
			continue
		}
		for member := range strings.SplitSeq(f[3], ",") {
			if id, err := parseID(f[2]); member == user && err == nil && id != gid {
				groups = append(groups, id)
				break
			}
		}
	}
	return groups
}

func isNumber(word string) bool {
	return strings.Trim(word, "0123456789") == ""
}

// parseID reads a user or group id. 4294967295 is -1, which setresuid(2) reads
// as "leave it": the process would stay root.
func parseID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 1<<32-1 {
		return 0, errors.New(strconv.QuoteToASCII(s) + " is not a user or group id")
	}
	return uint32(n), nil
}
