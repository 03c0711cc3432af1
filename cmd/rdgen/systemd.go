package main

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/services"
	"rdgen/systemd"
)

func systemdVerb() verb {
	return verb{
		name:  "systemd",
		short: "generate systemd drop-ins",
		long: "Emits a drop-in for the service's unit and for each of its sockets, and rdomain@.service where rdgen's package " +
			"has not installed it. Run systemctl daemon-reload after writing them. A service NAME.INSTANCE without a unit is made of " +
			"NAME.service, with its own pid file, directories and configuration. Needs systemd 249. " +
			"Where rdgen's generator is installed, daemon-reload makes all of this by itself.",
		init:   func(l *services.Loader) services.Init { return l.Systemd },
		prunes: true,
		flags: func(cmd *cobra.Command) func(*options, *services.Loader) error {
			var version int
			cmd.Flags().IntVar(&version, "systemd-version", 0, "refuse what systemd `N` cannot do; without it, what the one installed below --root cannot")
			return func(o *options, l *services.Loader) error {
				if cmd.Flags().Changed("systemd-version") && version <= 0 {
					return usage("--systemd-version is a number, such as 257", cmd)
				}
				if dir := filepath.Clean("/" + o.output); strings.HasSuffix(dir, "/systemd/user") || strings.HasSuffix(dir, "/.config/systemd") {
					return userScope
				}
				l.Systemd.Version = version
				return nil
			}
		},
	}
}

// notOurs refuses to write over a unit file or drop-in that is in the place of one that
// rdgen makes and has no mark of rdgen: it is somebody's.
func notOurs(files tree.Tree, dir string) error {
	old, err := files.Old(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range old.Files() {
		made, _ := files.File(f.Path)
		if !strings.HasPrefix(f.Path, systemd.Etc+"/") || !systemd.IsMade(made.Data) || f.Link == "" && (systemd.IsMade(f.Data) || bytes.Equal(f.Data, made.Data)) {
			continue
		}
		errs = append(errs, problem.New(problem.Pos{File: filepath.Join(dir, tree.Place(dir, f.Path))}, "rdgen did not make this, so it does not write over it").
			WithHint("remove it, or keep what is yours under a name that sorts before "+systemd.DropIn))
	}
	return errors.Join(errs...)
}
