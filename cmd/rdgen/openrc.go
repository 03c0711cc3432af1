package main

import "rdgen/services"

func openrcVerb() verb {
	return verb{
		name:  "openrc",
		short: "generate OpenRC init scripts",
		long: "Emits /etc/init.d/SERVICE with one line added, and the init script and the instance links of its domain. " +
			"The line reads the domain from conf.d at each start, so a service that names none is accepted too, and a VRF that nothing defines yet.",
		init: func(l *services.Loader) services.Init { return l.OpenRC },
	}
}
