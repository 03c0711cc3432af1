package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
	"rdgen/services"
)

// keys are the variables that name a service's domain, and where its sockets are.
var keys = []string{"netns", "vrf", openrc.SocketKey}

// steering are the flags of set and unset.
type steering struct {
	root        string
	dryRun, now bool
}

func setCommand() *cobra.Command {
	cmd := steer("set SERVICE KEY=VALUE...", "put a service into a domain",
		"Writes vrf=VRF, netns=NETNS or socket_domain=default into the service's file in /etc/conf.d; on Artix into /etc/s6/config/SERVICE.conf, "+
			"unless conf.d names the domain already. A line that is there gets the new value, and a new one stands below the comment that shows it, "+
			"or at the end. All else stays as it is: the other variable, comments, order, mode and owner. "+
			"Before that it looks whether the service and the domain are such that the service would run there: "+
			"what rdgen check would find is an error, and nothing is changed. So is a line that cannot be edited with certainty: one in an \"if\", one of two, one in another file. "+
			"The last line that it prints is the command after which the line counts; with --root it has nothing that would restart a service of this machine, and is left out where nothing comes next.",
		assignments)
	cmd.Example = "rdgen set sshd vrf=mgmt\nrdgen set --now nginx netns=private"
	return cmd
}

func unsetCommand() *cobra.Command {
	cmd := steer("unset SERVICE [KEY...]", "take a service out of its domain",
		"Takes the lines of vrf=, netns= and socket_domain=, or only those of KEY, out of the service's file, as rdgen set writes them. "+
			"A comment behind the line stays. After it the service runs in the default domain, or in what the other line names.",
		func(cmd *cobra.Command, words []string) (want []openrc.Assignment, err error) {
			if len(words) == 0 {
				words = keys
			}
			for _, key := range words {
				if !slices.Contains(keys, key) {
					return nil, noKey(key, cmd)
				}
				want = append(want, openrc.Assignment{Key: key})
			}
			return want, nil
		})
	cmd.Example = "rdgen unset sshd\nrdgen unset -n sshd vrf"
	return cmd
}

// steer is a verb that edits the file of one service.
func steer(use, short, long string, read func(*cobra.Command, []string) ([]openrc.Assignment, error)) *cobra.Command {
	var s steering
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long,
		RunE: func(cmd *cobra.Command, words []string) error {
			if len(words) == 0 {
				return usage("no service given", cmd)
			}
			want, err := read(cmd, words[1:])
			switch {
			case err != nil:
				return err
			case s.now && s.dryRun:
				return usage("--now and --dry-run exclude each other", cmd)
			case s.now && !s.here():
				return usage("--now is for this machine; it excludes --root", cmd)
			}
			return s.run(words[0], want, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().SortFlags = false
	rootFlag(cmd, &s.root)
	cmd.Flags().Lookup("root").Usage = "read and write everything below `DIR`"
	cmd.Flags().BoolVarP(&s.dryRun, "dry-run", "n", false, "write nothing, print what would change as a diff")
	cmd.Flags().BoolVar(&s.now, "now", false, "execute the command after which the line counts; a service that does not run is not started")
	completeSteering(cmd, &s.root)
	return cmd
}

// assignments reads KEY=VALUE words.
func assignments(cmd *cobra.Command, words []string) (want []openrc.Assignment, err error) {
	if len(words) == 0 {
		return nil, usage("no KEY=VALUE given", cmd)
	}
	for _, word := range words {
		key, value, assigns := strings.Cut(word, "=")
		switch {
		case !slices.Contains(keys, key):
			return nil, noKey(key, cmd)
		case slices.ContainsFunc(want, func(a openrc.Assignment) bool { return a.Key == key }):
			return nil, usage(key+"= is given twice", cmd)
		case !assigns || value == "":
			return nil, &problem.Error{Msg: key + "= needs a value", Hint: "rdgen unset takes the line out"}
		case key == "netns":
			_, err = domain.ParseNetns(value)
		case key == "vrf":
			_, err = domain.ParseVRF(value)
		case value != openrc.SocketValue:
			return nil, &problem.Error{Msg: word + " is not known", Hint: openrc.SocketHint}
		}
		if err != nil {
			return nil, &problem.Error{Msg: err.Error(), Hint: openrc.NameHint}
		}
		want = append(want, openrc.Assignment{Key: key, Value: value})
	}
	return want, nil
}

func noKey(key string, cmd *cobra.Command) error {
	err := usage(fmt.Sprintf("there is no %q to set; there are %s", key, strings.Join(keys, ", ")), cmd).(*problem.Error)
	if near := problem.Nearest(key, keys...); near != "" {
		err.Hint = "is " + near + " meant?"
	}
	return err
}

func (s *steering) run(name string, want []openrc.Assignment, stdout, stderr io.Writer) error {
	root, err := openRoot(s.root)
	if err != nil {
		return err
	}
	defer root.Close()
	before := services.NewLoader(root, domain.Domain{}).Below(s.root)
	edit, err := before.Edit(name, want)
	if err != nil && edit == nil {
		return err
	}
	var inits []judged
	if err == nil {
		var notes []string
		inits, notes, err = s.judge(edit)
		for _, n := range notes {
			say(stderr, "note", n)
		}
	}
	if err != nil {
		say(stderr, "note", edit.File+" is not changed; this is what would be wrong then:")
		return err
	}
	file := tree.Edit{Path: edit.File, Old: edit.Old, New: edit.New}
	diff, err := file.Diff(s.root)
	if err != nil {
		return err
	}
	about, inits, still, wrong := s.remains(edit, inits)
	if diff == "" && (still != "" || wrong != nil) {
		return namesNone(edit.After, "unset", name, s.root)
	}
	if s.dryRun {
		_, err := io.WriteString(stdout, diff)
		return err
	}
	then, err := s.next(about, name, before, inits)
	if err != nil {
		return fmt.Errorf("%s is not changed: %w", edit.File, err)
	}
	if s.now && then.now == "" {
		return &problem.Error{Msg: "--now: rdgen cannot do what comes after it, and " + edit.File + " is not changed", Hint: "without --now it says what that is"}
	}
	if diff != "" {
		if err := s.write(file, root, edit); err != nil {
			return err
		}
	}
	if still != "" {
		say(stderr, "note", name+" names none now; "+still)
	}
	if wrong != nil {
		say(stderr, "note", edit.File+" is changed; this is still wrong:")
		return wrong
	}
	return then.print(stdout, about, diff == "", s.now)
}

// remains returns the edit of a service that is in no domain then, as one of the service whose
// line speaks for its unit all the same, with the init systems of that; still says which line
// that is, and wrong what keeps the unit from starting.
func (s *steering) remains(edit *services.Edit, inits []judged) (about *services.Edit, _ []judged, still string, wrong error) {
	if !edit.Service.Domain.IsDefault() {
		return edit, inits, "", nil
	}
	unit, by, wrong := edit.After.Systemd.SpokenFor(edit.Service.Name)
	if len(by) == 0 {
		return edit, inits, "", wrong
	}
	about = &services.Edit{Edited: edit.Edited, After: edit.After, Service: by[0]}
	inits, _, more := s.judge(about)
	return about, inits, spoken(unit, by[0]), errors.Join(wrong, more)
}

// write changes the file, and reads it again. If it does not say then what it should, it is
// put back.
func (s *steering) write(file tree.Edit, root *tree.Root, edit *services.Edit) error {
	if err := file.Write(s.root); err != nil {
		return err
	}
	got, err := services.NewLoader(root, domain.Domain{}).Declaration(edit.Service.Name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, services.ErrNoDomain) {
		err = nil
	}
	if err == nil && got.Domain == edit.Service.Domain && got.SocketsStay == edit.Service.SocketsStay {
		return nil
	}
	if err == nil {
		err = problem.New(got.Pos, "names %s now, and not %s: somebody else has changed it", got.Domain, edit.Service.Domain).
			WithHint("look at it, and try again")
	}
	if file.Old == nil {
		return errors.Join(err, tree.Remove(s.root, []string{file.Path}))
	}
	file.Old, file.New = file.New, file.Old
	return errors.Join(err, file.Write(s.root))
}

// judge looks whether the service would run where the edited file says. It returns the
// init systems that are to put it there, with what they make.
func (s *steering) judge(edit *services.Edit) (inits []judged, notes []string, err error) {
	loader, service := edit.After, edit.Service
	for _, init := range loader.Inits() {
		if init.Has(service.Name) && init.Follows(service) {
			inits = append(inits, judged{init: init})
		}
	}
	if loader.OpenRC.ByFunctions(service.Name) {
		inits = append(inits, judged{init: loader.OpenRC, byLSB: true})
	}
	if service.Domain.IsDefault() {
		return inits, nil, nil
	}
	if len(inits) == 0 {
		service.Pos = problem.Pos{} // there is no such line
		if err := hasNone(loader, service, s.root); !loader.S6.There() || !loader.S6.Makes(service.Name) {
			return nil, nil, err
		}
		inits = []judged{{init: loader.S6}}
	}
	errs := loader.DomainOf(service.Name)
	if s.here() {
		errs = append(errs, loader.Here(service.Name)...)
	}
	if err := loader.Contradicts(service); err != nil {
		errs = append(errs, err)
	}
	for i := range inits {
		if inits[i].byLSB {
			continue
		}
		made := one(inits[i].init, service.Name)
		inits[i].made = made
		errs, notes = append(errs, refusals(loader, inits[i])...), append(notes, made.notes...)
		errs = append(errs, s.contradicted(inits[i].init, made)...)
	}
	if n := loader.Nearby(service); n != "" {
		notes = append(notes, n)
	} else if loader.Undescribed(service.Domain) {
		notes = append(notes, service.Domain.String()+" has no file in /etc/rdomain, so it is empty; "+onRoot(s.root, "rdgen", "init", service.Domain.ID())+" writes one")
	}
	return inits, once(notes), errors.Join(distinct(errs)...)
}

// contradicted returns what is wrong with a service beside all others, and how the line gets to
// where it can be.
func (s *steering) contradicted(init services.Init, made result) []error {
	errs := blockedBy(init, made)
	for _, o := range othersOf(init, made.service.Name) {
		err := made.against(o)
		if err == nil {
			continue
		}
		if p, ok := errors.AsType[*problem.Error](err); ok {
			p.Hint = "take that line out first: " + onRoot(s.root, append([]string{"rdgen", "unset"}, problem.Operands([]string{o.service.Name})...)...)
			if d, of := made.service.Domain, o.service.Domain; made.unit() != "" && made.unit() == o.unit() && d.Netns.IsZero() == of.Netns.IsZero() && d.VRF.IsZero() == of.VRF.IsZero() {
				p.Hint += "; or set it by that name: " + onRoot(s.root, append([]string{"rdgen", "set"}, problem.Operands(append([]string{o.service.Name}, values([]domain.Domain{d})...))...)...)
			}
		}
		errs = append(errs, err)
	}
	return errs
}

// judged is an init system that has a service, and what it makes of it.
type judged struct {
	init  services.Init
	made  result
	byLSB bool // as an LSB script, for which nothing is made
}

// refusals are why an init system would not run the service in its domain, whatever is
// generated.
func refusals(loader *services.Loader, j judged) []error {
	switch job := j.made.job.(type) {
	case nil:
		return []error{j.made.err}
	case generators.OpenRC:
		return append(problem.List(j.made.err), loader.OpenRC.Refuses(job)...)
	}
	return append(problem.List(j.made.err), j.init.Escapes(j.made.job)...)
}
