package main

import (
	"rdgen/generators"
	"rdgen/runtime/domain"
)

func s6Verb() verb {
	return verb{
		name:  "s6",
		short: "generate s6-rc source directories",
		long: "Emits the source directories of the service, of its logger and of its domain, from the service's declarative " +
			"OpenRC script or else from its systemd unit. What has no counterpart in s6 is named in the file and on stderr.",
		load:      (*generators.Loader).S6,
		make:      generators.S6,
		knows:     (*generators.Loader).InS6,
		mechanism: func(domain.Domain) string { return "rdexec" },
	}
}
