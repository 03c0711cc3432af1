package systemd

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// LiftsHold returns what takes [Held] away from a unit of that name: an empty Assert*= in a
// drop-in that systemd reads after it, which resets all assertions (systemd.unit(5)); and the
// path of a file of the administrator's that is read in place of it, or "".
func (u *Units) LiftsHold(name string) (resets []Setting, instead string) {
	settings, _ := u.DropIns(name) // what cannot be read is said by who makes the files
	for _, set := range settings {
		if set.Section == "Unit" && strings.HasPrefix(set.Key, "Assert") && set.Value == "" && set.DropIn() > Held {
			resets = append(resets, set)
		}
	}
	for _, dir := range u.dropInDirs(name) {
		file := path.Join(dir, Held)
		if _, err := fs.Lstat(u.fsys, file); err != nil {
			continue
		}
		if path.Base(dir) != strings.TrimPrefix(path.Ext(name), ".")+".d" || slices.Contains(AdminFolders(), "/"+path.Dir(dir)) {
			instead = "/" + file
		}
		break // the first one is read
	}
	return resets, instead
}
