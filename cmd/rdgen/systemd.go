package main

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/services"
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
