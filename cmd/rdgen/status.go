package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/runtime/identify"
	"rdgen/runtime/lifecycle"
	"rdgen/runtime/process"
	"rdgen/services"
	"rdgen/status"
	"rdgen/templates"
)

func statusCommand() *cobra.Command {
	var asJSON, again bool
	var numbers string
	cmd := &cobra.Command{
		Use:   "status",
		Short: "show which service is where, and whether it should be",
		Long: "Shows every domain of this machine with its links and addresses, and in it each service whose file names it, or whose unit or source directory enters it: " +
			"its processes, where they really are, and where they listen. It looks at the kernel and at what OpenRC, s6 and systemd have of the services, and changes nothing. " +
			"What is where it should not be stands behind \"!!\", with the command that mends it: " +
			"a process in another domain, or that was started before the file said so; one in what the domain was before it was taken down; " +
			"one in a VRF whose programs are not there that keep sockets inside, or that a user can take out; " +
			"one that looks up names by the host's resolv.conf although its domain has its own; one with a socket of the default domain that nobody let stay there, or for which systemd waits at such a socket. " +
			"What of the services could not be seen stands behind \"??\": who is not root may see little. " +
			"Exit code 1 if there is either. " +
			"With --prometheus it writes numbers for monitoring into a file, and prints a line for each state that has changed since the file was written before; then what it finds is no failure.",
		Example: "rdgen status\nrdgen status --json\nrdgen status --watch\nrdgen status --prometheus /var/lib/prometheus/node-exporter/rdgen.prom",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("status takes no arguments", cmd)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "prometheus"); err != nil {
				return err
			}
			switch {
			case again && asJSON, numbers != "" && (again || asJSON):
				return usage("--json, --watch and --prometheus exclude each other", cmd)
			case again:
				return watching{}
			}
			report, err := lookAround()
			if err != nil {
				return err
			}
			if numbers != "" {
				return count(cmd.OutOrStdout(), report, numbers)
			}
			return printStatus(cmd.OutOrStdout(), report, asJSON)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&asJSON, "json", false, "print as JSON: domains, broken, unseen, notes, drift")
	cmd.Flags().BoolVar(&again, "watch", false, "on a terminal, show it again each second until a key of the terminal ends it")
	cmd.Flags().StringVar(&numbers, "prometheus", "", "write numbers into `FILE`, whole, for the textfile collector of Prometheus' node_exporter; - prints them")
	cmd.Annotations = map[string]string{"json": statusJSON}
	return cmd
}

const statusJSON = "One object. domains: a list of objects, one for each domain, with the fields of rdomain list --json (rdomain(8)), services and others. " +
	"services: a list of objects, one for each service that a file puts there: name; file and line, where that is said; inits, the init systems that have it; " +
	"state, running or stopped; main, the process that the init system knows, left out if there is none; processes; drift. " +
	"processes: a list of objects: pid; command; id, the domain that it is in, \"\" for the default domain; place, the same in words, which has more where there is no ID; " +
	"listens, a list of objects with protocol, address and outside, which is true where the socket is in the default domain, or bound to no link, and the process is not, and gone, true where it is bound to a device that is gone; " +
	"note, what is odd, left out if nothing is. " +
	"drift: a list of objects: kind; pid; what, a sentence; hint, the command that mends it. " +
	"The kinds are elsewhere, before, gone, unguarded, resolver and socket; there may be more some day. " +
	"others: a list of the processes in the domain that are of no such service, each with pid, command and unit, what its cgroup is called. " +
	"broken: a list of the services whose file cannot be followed: service, file, line, error. " +
	"unseen: a list of sentences about what of the services could not be seen. notes: a list of sentences that are worth knowing. drift, beside domains: how many things are where they should not be. Fields may be added."

func printStatus(w io.Writer, report status.Report, asJSON bool) error {
	var err error
	if asJSON {
		err = encode(w, report)
	} else {
		err = report.Print(w, templates.Comment)
	}
	if err == nil && report.Wrong() {
		err = errSaid
	}
	return err
}

// onItsWay is how long a service may take from its cgroup, or from its supervisor, into its
// domain.
const onItsWay = 200 * time.Millisecond

// lookAround looks at this machine, and once more if something is where it should not be.
func lookAround() (status.Report, error) { return lasting(lookOnce) }

// lasting looks, and once more if something is where it should not be.
func lasting(look func() (status.Report, error)) (status.Report, error) {
	report, err := look()
	if err != nil || report.Drift == 0 {
		return report, err
	}
	time.Sleep(onItsWay)
	again, err := look()
	return status.Lasting(report, again), err
}

func lookOnce() (status.Report, error) {
	root, err := openRoot("/")
	if err != nil {
		return status.Report{}, err
	}
	defer root.Close()
	m := status.Machine{Services: declaredServices(root, services.NewLoader(root, domain.Domain{}), nil)}
	host, err := lifecycle.OpenToRead()
	if err != nil {
		return status.Report{}, err
	}
	defer host.Close()
	if m.Domains, err = host.List(2 * runtime.GOMAXPROCS(0)); err != nil {
		return status.Report{}, err
	}
	if note, err := lifecycle.Others(); err != nil {
		return status.Report{}, err
	} else if note != "" {
		m.Notes = append(m.Notes, note)
	}
	if err := seeProcesses(&m, host); err != nil {
		return status.Report{}, err
	}
	return status.Of(m), nil
}

// declaredServices returns the services that a file puts into a domain, all or the given ones, and
// those whose file cannot be followed.
func declaredServices(root *tree.Root, loader *services.Loader, given []string) (list []status.Declared) {
	names, wrong := given, error(nil)
	if len(given) == 0 {
		names, wrong = loader.AllDeclared()
	}
	broken := func(err error) {
		e := broken(err)
		list = append(list, status.Declared{Name: e.Service, File: e.File, Line: e.Line, Error: e.Error})
	}
	for _, err := range problem.List(wrong) {
		broken(err)
	}
	for _, name := range names {
		s, err := loader.Declaration(name)
		if err != nil {
			broken(err)
			continue
		}
		list = append(list, declaredService(root, loader, s))
	}
	if len(given) > 0 {
		return list
	}
	for _, s := range loader.ByHand(names) {
		list = append(list, declaredService(root, loader, s))
	}
	return list
}

func declaredService(root *tree.Root, loader *services.Loader, s generators.Service) status.Declared {
	d := status.Declared{Name: s.Name, Domain: s.Domain, File: s.Pos.File, Line: s.Pos.Line,
		SocketsStay: s.SocketsStay.File != "", Traces: loader.Traces(s.Name)}
	if info, err := fs.Stat(root, s.Pos.File[1:]); err == nil {
		d.Changed = info.ModTime()
	}
	return d
}

// seeProcesses looks at the processes, and closer at those of services.
func seeProcesses(m *status.Machine, host *lifecycle.Host) error {
	pasts, err := host.Pasts()
	if err != nil {
		return err
	}
	look, err := identify.New()
	if err != nil {
		return err
	}
	defer look.Close()
	var past []identify.Past
	for _, p := range pasts {
		past = append(past, identify.Past{ID: p.ID.String(), Netns: p.Netns, VRF: uint32(p.VRF)})
	}
	look.Remember(past)
	all, err := process.All()
	if err != nil {
		return err
	}
	for _, p := range all {
		at, err := look.Process(p.PID)
		seen := status.Seen{Process: p, At: at}
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ESRCH):
			continue
		case errors.Is(err, fs.ErrPermission):
			seen.Unseen = "only root may look at it"
		case err != nil:
			return err
		}
		m.Processes = append(m.Processes, seen)
	}
	return seeServices(m, look.Default())
}

// seeServices looks at the sockets and the resolver of the processes of services, and says
// what of the machine could not be seen. outside is a process of the default domain.
func seeServices(m *status.Machine, outside string) error {
	own := map[int]status.Declared{}
	for _, d := range m.Services {
		for _, pid := range m.Owned(d).PIDs() {
			own[pid] = d
		}
	}
	sockets := listening{outside: outside, known: map[string]map[uint64]process.Listener{}}
	var err error
	if m.Waiting, err = ofUnits(m.Services); errors.Is(err, fs.ErrPermission) {
		m.Unseen = append(m.Unseen, "only root may see where systemd listens for socket units")
	} else if err != nil {
		return err
	}
	host, _ := process.FileAt("/etc/resolv.conf") // where it cannot be seen, none is like it
	refused := 0
	for i := range m.Processes {
		p := &m.Processes[i]
		d, is := own[p.PID]
		if p.Unseen != "" {
			if !is {
				refused++
			}
			continue
		}
		if !is {
			continue
		}
		var err, errResolver, errPAM error
		p.Listens, err = sockets.of(p.PID, !d.Domain.VRF.IsZero())
		p.HostResolver, errResolver = byHost(p.PID, d.Domain, host)
		p.ClosesPAM, errPAM = process.ClosesPAM(p.Process)
		if err := errors.Join(err, errResolver, errPAM); errors.Is(err, fs.ErrPermission) {
			p.Unseen = "only root may see its sockets, its resolver and its program"
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("process %d: %w", p.PID, err)
		}
	}
	hidden, err := identify.Hides()
	if hidden {
		m.Unseen = append(m.Unseen, "/proc hides the processes of other users (hidepid=): a service may run and not be seen")
	}
	if refused > 0 {
		m.Notes = append(m.Notes, fmt.Sprintf("%d processes of no service may not be looked at, so whether one is in a domain is not known", refused))
	}
	return err
}

// ofUnits returns the sockets at which systemd listens for units of services that are to be in a
// domain, of the default domain and of the namespaces that have a name. Of which unit one is, is
// not known where the kernel does not say that: before Linux 5.9, without cgroup v2, and to root
// of a container without CAP_DAC_READ_SEARCH.
func ofUnits(all []status.Declared) (list []status.Waiting, err error) {
	waits := func(d status.Declared) bool {
		return slices.ContainsFunc(d.Traces, func(t services.Trace) bool { return len(t.Sockets) > 0 })
	}
	if !slices.ContainsFunc(all, waits) {
		return nil, nil
	}
	open, err := process.Sockets(1)
	if err != nil {
		return nil, err
	}
	err = identify.EachNetns(func(name string, listens map[uint64]identify.Socket) {
		for _, at := range process.Listeners("thread-self") {
			s := listens[at.Inode]
			if s.Cgroup == 0 || !slices.Contains(open, at.Inode) {
				continue
			}
			if path, err := identify.CgroupPath(s.Cgroup); err == nil {
				list = append(list, status.Waiting{Unit: process.Unit(path), Netns: name, Bound: s.Link != 0,
					Listener: status.Listener{Protocol: at.Protocol, Address: at.At.String()}})
			}
		}
	})
	return list, err
}

// byHost reports whether a process looks up names by the host's file, although its domain has
// one.
func byHost(pid int, d domain.Domain, host process.Resolver) (bool, error) {
	own, err := process.FileAt(d.Etc() + "/resolv.conf")
	if err != nil || own == (process.Resolver{}) {
		return false, err
	}
	now, err := process.ResolverOf(pid)
	return now != (process.Resolver{}) && now == host && now != own, err
}

// listening are the sockets that listen, by namespace, and in each by their numbers. outside is a
// process of the default domain.
type listening struct {
	outside string
	known   map[string]map[uint64]process.Listener
}

// of returns where a process listens; in a VRF, by a link that may be gone, or by none.
func (l listening) of(pid int, vrf bool) (list []status.Listener, err error) {
	inodes, err := process.Sockets(pid)
	if err != nil || len(inodes) == 0 {
		return nil, err
	}
	var known map[uint64]identify.Socket
	if vrf {
		if known, err = identify.Sockets(pid); err != nil {
			return nil, err
		}
	}
	inside, err := l.in(strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	outside, err := l.in(l.outside)
	if err != nil {
		return nil, err
	}
	for _, inode := range inodes {
		at, is := inside[inode]
		other, away := outside[inode]
		if !is {
			at = other
		}
		s, told := known[inode]
		one := status.Listener{Protocol: at.Protocol, Address: at.At.String(), Outside: !is || told && s.Link == 0, Gone: s.Gone}
		if (is || away) && !slices.Contains(list, one) {
			list = append(list, one)
		}
	}
	return list, nil
}

// in returns the sockets that listen in the namespace of a process.
func (l listening) in(of string) (map[uint64]process.Listener, error) {
	ns, err := os.Readlink("/proc/" + of + "/ns/net")
	if err != nil || l.known[ns] != nil {
		return l.known[ns], err
	}
	l.known[ns] = map[uint64]process.Listener{}
	for _, s := range process.Listeners(of) {
		l.known[ns][s.Inode] = s
	}
	return l.known[ns], nil
}
