package main

import (
	"strings"

	"github.com/spf13/cobra"

	"rdgen/s6"
	"rdgen/services"
)

func s6Verb() verb {
	return verb{
		name:  "s6",
		short: "generate s6-rc source directories and s6 service directories",
		long: "Puts services into their domains under s6. If the service has a source directory, one line that enters the domain is " +
			"inserted into each of its scripts, which must be execline or POSIX shell, and the domain becomes a dependency; " +
			"all else stays as it is. If it has none, its source directory and its logger's are made from its declarative OpenRC " +
			"script, or else from its systemd unit; what has no counterpart in s6 is named in the file and on stderr. The domain is a " +
			"oneshot, rdomain-ID.\n\nThe flavors: " + flavors() + ". On Artix, vrf= and netns= are also read from /etc/s6/config/SERVICE.conf. With " +
			"svscan, SERVICE@ makes a template for s6-instance-maker(1), whose instances are called as their domains.",
		init: func(l *services.Loader) services.Init { return l.S6 },
		flags: func(cmd *cobra.Command) func(*options, *services.Loader) error {
			var flavor, source string
			flags := cmd.Flags()
			flags.StringVar(&flavor, "flavor", "", "lay services out as `F` has them; without it, as the folders that are there say")
			flags.StringVar(&source, "source", "", "the folder of the source directories is `DIR`, instead of the flavor's")
			return func(_ *options, l *services.Loader) error { return l.S6.UseFlavor(flavor, source) }
		},
	}
}

// flavors lists them with their folders.
func flavors() string {
	var list []string
	for _, f := range s6.Flavors {
		list = append(list, f.Name+" ("+strings.Join(f.Folders, ", ")+")")
	}
	return strings.Join(list, ", ")
}
