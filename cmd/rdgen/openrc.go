package main

import (
	"rdgen/generators"
	"rdgen/runtime/domain"
)

func openrcVerb() verb {
	return verb{
		name:  "openrc",
		short: "generate OpenRC init scripts",
		long: "Emits /etc/init.d/SERVICE with one line added, and the init script and the instance links of its domain. " +
			"The line reads the domain from conf.d at each start, so a service that names none is accepted too.",
		load:      (*generators.Loader).OpenRC,
		make:      generators.OpenRC,
		knows:     (*generators.Loader).InOpenRC,
		mechanism: func(domain.Domain) string { return "rdexec" },
	}
}
