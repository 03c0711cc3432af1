package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// generate is rdgen --all for another machine's files.
func generate(bin, dir string) error {
	var last float64
	for _, n := range []int{1000, 10000} {
		root := fmt.Sprintf("%s/root%d", dir, n)
		if err := field(root, n); err != nil {
			return err
		}
		ours := timed([]string{bin + "/rdgen", "systemd", "--all", "--root", root}, nil)
		if n == 1000 {
			a, b, err := alternate(*runs, ours, timed(sourcing(root), nil))
			if err != nil {
				return err
			}
			row("rdgen systemd --all, 1,000 services", "dash sourcing each in a subshell", a, b, 0.2)
			last = median(a)
			continue
		}
		a, _, err := alternate(3, ours, func() (float64, error) { return 0, nil })
		if err != nil {
			return err
		}
		row("rdgen systemd --all, 10,000 services", "10 x the time for 1,000", a, []float64{10 * last}, 1.2)
	}
	return nil
}

// generator is rdgen as systemd runs it at boot and at each daemon-reload, on this
// machine's own files, which are this process's own.
func generator(bin, dir string) error {
	if err := field("", 1000); err != nil {
		return err
	}
	out := dir + "/generated"
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	a, b, err := alternate(*runs, timed([]string{bin + "/rdgen", out, out, out}, nil), timed(sourcing(""), nil))
	if err != nil {
		return err
	}
	made, err := filepath.Glob(out + "/s*.service.d")
	if err != nil || len(made) != 1000 {
		return fmt.Errorf("the generator made the drop-ins of %d services (%v)", len(made), err)
	}
	row("systemd's generator, 1,000 services", "dash sourcing each in a subshell", a, b, 0)
	return os.RemoveAll("/etc/conf.d")
}

// field makes n services below root, whose conf.d files are as they are in the
// field, most with a comment and a variable of their own besides the domain.
func field(root string, n int) error {
	for _, d := range []string{"/etc/conf.d", "/etc/systemd/system"} {
		if err := os.MkdirAll(root+d, 0o755); err != nil {
			return err
		}
	}
	for i := range n {
		conf := fmt.Sprintf("# options of service %d\n: ${s%d_opts:=-D}\nCOMMAND_ARGS=\"-p %d $s%d_opts\"\nnetns=tenant%d\n", i, i, i, i, i%50)
		unit := fmt.Sprintf("[Unit]\nDescription=service %d\n\n[Service]\nExecStart=/usr/sbin/s%d -D\n", i, i)
		err := os.WriteFile(fmt.Sprintf("%s/etc/conf.d/s%d", root, i), []byte(conf), 0o644)
		if err == nil {
			err = os.WriteFile(fmt.Sprintf("%s/etc/systemd/system/s%d.service", root, i), []byte(unit), 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sourcing is what a shell does at the least to read the same.
func sourcing(root string) []string {
	return []string{"dash", "-c", "for f in " + root + `/etc/conf.d/s*; do (. "$f"; echo "${f##*/} $vrf $netns"); done`}
}
