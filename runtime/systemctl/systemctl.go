// Package systemctl asks the systemd that runs this machine, by its own program.
package systemctl

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Ask returns what systemctl prints. It is asked only for what it shows. The error has what
// systemctl says itself.
func Ask(words ...string) (string, error) {
	out, err := exec.Command("systemctl", words...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
		err = errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	if err != nil {
		return "", fmt.Errorf("systemctl %s: %w", words[0], err)
	}
	return string(out), nil
}
