package main

import (
	"strings"

	"rdgen/generators"
	"rdgen/runtime/domain"
)

func systemdVerb() verb {
	return verb{
		name:  "systemd",
		short: "generate systemd drop-ins",
		long: "Emits a drop-in for the service's unit and for each of its sockets, and rdomain@.service where rdgen's package " +
			"has not installed it. Run systemctl daemon-reload after writing them. A service NAME.INSTANCE without a unit is made of " +
			"NAME.service, with its own pid file, directories and configuration. Needs systemd 249. " +
			"Where rdgen's generator is installed, daemon-reload makes all of this by itself.",
		load:  (*generators.Loader).Systemd,
		make:  generators.Systemd,
		knows: (*generators.Loader).InSystemd,
		mechanism: func(d domain.Domain) string {
			var directives []string
			if !d.Netns.IsZero() {
				directives = append(directives, "NetworkNamespacePath")
			}
			if !d.VRF.IsZero() {
				directives = append(directives, "BPFProgram")
			}
			return strings.Join(directives, "+")
		},
	}
}
