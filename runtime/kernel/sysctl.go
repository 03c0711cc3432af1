package kernel

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"rdgen/runtime/object"
	"rdgen/runtime/plan"
)

// ReadSysctls reads variables of the domain's namespace.
func (s *Session) ReadSysctls(paths []string, have *plan.State) error {
	have.Sysctls = map[string]string{}
	if len(paths) == 0 || !have.Exists {
		return nil
	}
	return s.inside(s.Netns, func() error {
		for _, path := range paths {
			text, err := os.ReadFile("/proc/sys/" + path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			have.Sysctls[path] = strings.Join(strings.Fields(string(text)), " ")
		}
		return nil
	})
}

// doSysctl sets a variable of a namespace.
func (s *Session) doSysctl(t object.Sysctl) error {
	return s.inside(t.Netns, func() error {
		f, err := os.OpenFile("/proc/sys/"+t.Path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteString(t.Value)
		if closing := f.Close(); err == nil {
			err = closing
		}
		return err
	})
}
