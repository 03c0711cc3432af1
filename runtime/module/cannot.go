package module

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/problem"
	"rdgen/runtime/conf"
)

// Cannot returns what a domain's file wants and this kernel has not, each a
// *problem.Error: up fails for certain.
func (k *Kernel) Cannot(f *conf.File) (errs []error) {
	if !f.Managed {
		return nil
	}
	lacks := func(line int, kind string) {
		if text := k.Lacks(kind); text != "" {
			hint := "boot a kernel that has it"
			if strings.HasPrefix(text, noModule) {
				hint = "install the package that has this module"
			}
			errs = append(errs, problem.New(f.At(line), "Kind=%s cannot be made here: this kernel %s", kind, text).WithHint(hint))
		}
	}
	lacks(f.KindLine, string(f.Kind))
	for _, link := range f.Links {
		lacks(link.LineOf("Kind"), link.Kind)
		if text := k.Lacks(vlanBridge); link.VLANFiltering && text != "" {
			errs = append(errs, problem.New(f.At(link.LineOf("VLANFiltering")), "VLANFiltering=yes is not possible here: this kernel %s", text).
				WithHint("boot a kernel that has it"))
		}
	}
	return append(errs, k.variables(f)...)
}

// folders are those below /proc/sys/net to which no module adds a variable later.
var folders = []string{"core", "unix", "ipv4", "ipv4/conf/default", "ipv4/neigh/default", "ipv6", "ipv6/conf/default", "ipv6/neigh/default"}

// variables returns those of [Sysctl] that the kernel has not.
func (k *Kernel) variables(f *conf.File) (errs []error) {
	for _, s := range f.Sysctls {
		parts := strings.Split(s.Path, "/") // net/ipv4/conf/LINK/NAME
		if len(parts) > 4 && (parts[2] == "conf" || parts[2] == "neigh") {
			parts[3] = "default" // which has all those of a link that may not be there yet
		}
		file := path.Join("proc/sys", path.Join(parts...))
		if !slices.Contains(folders, path.Dir(path.Join(parts[1:]...))) {
			continue
		}
		_, folder := fs.Stat(k.fsys, path.Dir(file))
		if _, err := fs.Stat(k.fsys, file); folder == nil && errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, problem.New(f.At(s.Line), "this kernel has no variable %s", s.Path).
				WithHint("correct the name: ls /"+path.Dir(file)))
		}
	}
	return errs
}
