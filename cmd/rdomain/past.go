package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"rdgen/runtime/domain"
	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/record"
)

// past is what identify calls a domain that is down.
func past(list []record.Past) (past []identify.Past) {
	for _, p := range list {
		past = append(past, identify.Past{ID: p.ID.String(), Netns: p.Netns, VRF: uint32(p.VRF)})
	}
	return past
}

// outlived returns the processes that outlived the down of one of these domains.
func outlived(list []record.Past) ([]identify.Location, error) {
	look, err := identify.New()
	if err != nil {
		return nil, err
	}
	defer look.Close()
	look.Remember(past(list))
	left, err := look.Outlived()
	return slices.DeleteFunc(left, visits), err
}

// visits reports whether a process is another rdomain, one thread of which is in a
// namespace for a moment.
func visits(at identify.Location) bool {
	own, err := os.Stat("/proc/self/exe")
	other, gone := os.Stat(fmt.Sprintf("/proc/%d/exe", at.PID))
	return err == nil && (gone != nil || os.SameFile(own, other))
}

// left returns the processes that outlived a domain. Mostly there is none, and no
// process has to be looked at to know.
func (c *command) left(host *lifecycle.Host) ([]identify.Location, error) {
	list, err := host.Pasts()
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return outlived(list)
}

// delegated returns, by domain, what is to be said of processes that somebody else than
// root can take out of their VRF.
func delegated() (map[string][]string, error) {
	look, err := identify.New()
	if err != nil {
		return nil, err
	}
	defer look.Close()
	found, _, err := look.Processes(func(at identify.Location) identify.Match {
		if at.Delegated != "" && !visits(at) {
			return identify.In
		}
		return identify.Out
	})
	said := map[string][]string{}
	for _, at := range found {
		said[at.ID] = append(said[at.ID], fmt.Sprintf("process %d (%s): %s", at.PID, escape(at.Command, ""), at.Delegated))
	}
	return said, err
}

// downAll takes domains down, wave by wave, and says what still uses them.
func (c *command) downAll(host *lifecycle.Host, list []domain.ID) error {
	users := host.Users(list)
	var before []record.Past
	for _, id := range list {
		if p, ok := host.Past(id); ok {
			before = append(before, p)
		}
	}
	for _, wave := range host.Waves(list) {
		c.each(host, "down", wave, host.Down)
	}
	for _, id := range list {
		for _, user := range users[id] {
			if _, up := host.Past(user); up {
				fmt.Fprintf(c.stderr, "rdomain: note: %s: %s is up and requires it\n", id, user)
			}
		}
	}
	before = slices.DeleteFunc(before, func(p record.Past) bool { now, up := host.Past(p.ID); return up && now == p })
	all, err := host.Pasts()
	if err != nil {
		return err
	}
	if len(all)+len(before) == 0 {
		return host.Remember(nil, nil) // takes away what a down that was killed left of it
	}
	left, err := outlived(append(all, before...))
	if err != nil {
		return fmt.Errorf("unable to say what still runs in what is down: %w", err)
	}
	for _, p := range before {
		if text := names(left, p.ID); text != "" {
			fmt.Fprintf(c.stderr, "rdomain: note: %s: %s\n", p.ID, text)
		}
	}
	return host.Remember(before, func(p record.Past) bool { return names(left, p.ID) != "" })
}

// names says which processes outlived a domain, "" if none did.
func names(left []identify.Location, id domain.ID) string {
	const most = 5
	var list []string
	for _, at := range left {
		if at.Outlived == id.String() {
			list = append(list, fmt.Sprintf("%d (%s)", at.PID, escape(at.Command, "")))
		}
	}
	switch n := len(list); {
	case n == 0:
		return ""
	case n == 1:
		return "process " + list[0] + " outlives it, in what it was"
	case n > most:
		list = append(list[:most], fmt.Sprintf("%d more", n-most))
	}
	return "processes " + strings.Join(list, ", ") + " outlive it, in what it was"
}
