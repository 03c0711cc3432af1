package main

import (
	"os"

	"rdgen/generators/tree"
	"rdgen/runtime/lifecycle"
	"rdgen/services"
	"rdgen/status"
)

// outside returns notes of those of the given services, or of all, that are not where they should
// be on this machine. What check found wrong is mended before one is restarted, which may not start
// then.
func outside(root *tree.Root, loader *services.Loader, given []string, wrong bool) []string {
	if inChroot() {
		return nil
	}
	report, err := lasting(func() (status.Report, error) {
		m := status.Machine{Services: declaredServices(root, loader, given)}
		if len(m.Services) == 0 {
			return status.Report{}, nil
		}
		host, err := lifecycle.OpenToRead()
		if err != nil {
			return status.Report{}, err
		}
		defer host.Close()
		err = seeProcesses(&m, host)
		return status.Of(m), err
	})
	if err != nil {
		return []string{"whether services run in their domains was not seen: " + err.Error()}
	}
	if wrong {
		return report.Outside("when the errors are mended, ")
	}
	return report.Outside("")
}

// inChroot reports whether the processes that /proc shows are those of a machine with another root,
// whose services are not meant.
func inChroot() bool {
	own, wrong := os.Stat("/")
	first, unseen := os.Stat("/proc/1/root")
	return wrong == nil && unseen == nil && !os.SameFile(own, first)
}
