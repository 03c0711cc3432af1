package services

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"rdgen/generators"
	"rdgen/generators/tree"
	"rdgen/openrc"
	"rdgen/problem"
	"rdgen/runtime/domain"
)

// OpenRC is that init system.
type OpenRC struct {
	fsys  fs.FS
	confs *confs
}

// Name is "openrc".
func (o *OpenRC) Name() string { return "openrc" }

// Has reports whether there is an OpenRC script of the service, good or bad.
// A machine that had another init system may have an LSB script of that name.
func (o *OpenRC) Has(name string) bool {
	f, err := o.fsys.Open(openrc.InitDir[1:] + name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid)
	}
	defer f.Close()
	head := make([]byte, 256) // the kernel's own limit, BINPRM_BUF_SIZE
	n, _ := io.ReadFull(f, head)
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return bytes.HasPrefix(line, []byte("#!")) && (bytes.Contains(line, []byte("openrc-run")) || bytes.Contains(line, []byte("runscript")))
}

// ByFunctions reports whether the service is an LSB script that has openrc-run execute it,
// because it reads Debian's functions.
func (o *OpenRC) ByFunctions(name string) bool {
	text, err := fs.ReadFile(o.fsys, openrc.InitDir[1:]+name)
	return err == nil && openrc.Installed(o.fsys) && isLSB(text) && openrc.FollowsLSB(o.fsys, text)
}

func isLSB(script []byte) bool {
	return bytes.HasPrefix(script, []byte("#!")) && bytes.Contains(script, []byte("### BEGIN INIT INFO"))
}

// Bypasses returns an error if OpenRC starts the service without its shell, and so
// without conf.d: an LSB script, or any other, is executed as it is, by all but Debian's
// openrc at boot. Those that read Debian's functions find openrc-run there.
func (o *OpenRC) Bypasses(s generators.Service) error {
	if s.Domain.IsDefault() || o.Has(s.Name) || !openrc.Installed(o.fsys) || o.ByFunctions(s.Name) {
		return nil
	}
	script := openrc.InitDir + s.Name
	text, err := fs.ReadFile(o.fsys, script[1:])
	if err != nil || !bytes.HasPrefix(text, []byte("#!")) {
		return nil
	}
	is := "is no OpenRC script"
	if isLSB(text) {
		is = "is an LSB script"
	}
	return problem.New(s.Pos, "rc-service does not read this file: %s %s, which it starts in the default domain", script, is).
		WithHint("replace it by an OpenRC script, whose first line is #!/sbin/openrc-run")
}

// Follows reports whether conf.d names the domain, which is all that OpenRC reads.
func (o *OpenRC) Follows(s generators.Service) bool { return !o.confs.isConfigured(s) }

// Declared returns the services whose conf.d file names a domain, defined or not.
func (o *OpenRC) Declared() ([]string, error) {
	return o.confs.declared(func(generators.Service) error { return nil })
}

// Load reads a service, which may be in no domain.
func (o *OpenRC) Load(name string) (generators.Job, error) {
	s, err := o.load(name)
	return s, err
}

func (o *OpenRC) load(name string) (generators.OpenRC, error) {
	if !o.confs.given.IsDefault() {
		return generators.OpenRC{}, problem.New(confd(name), "OpenRC reads the domain here at every start; --netns and --vrf cannot replace it").
			WithHint("write " + assignments(o.confs.given) + " there")
	}
	conf, declared, err := o.confs.read(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return generators.OpenRC{}, err
	}
	if err := noSockets(declared, "OpenRC"); err != nil {
		return generators.OpenRC{}, err
	}
	if made, _, _ := strings.Cut(name, "."); !declared.Domain.IsDefault() && openrc.InitDir+made == openrc.RdomainPath {
		return generators.OpenRC{}, problem.New(declared.Pos, "%s makes routing domains, and cannot start in one", name).WithHint("take the line out")
	}
	// A package may leave the domain's file to the administrator.
	s := generators.OpenRC{Service: declared, Undefined: o.confs.isDefined(declared)}
	base := name
	if target, ok := o.instance(name); ok {
		base, s.Link = target, target
	}
	s.Script, err = openrc.ReadScript(o.fsys, base, conf)
	if p, ok := errors.AsType[*problem.Error](err); ok && p.Hint == "" && errors.Is(err, fs.ErrNotExist) {
		p.Hint = "install the service, or correct its name" + o.near(base)
	}
	return s, err
}

// near says which init script provides the name, or asks whether another is meant; or it is "".
func (o *OpenRC) near(name string) string {
	if script := provider(o.fsys, name); script != "" {
		return provided(script, name)
	}
	var names []string
	entries, _ := fs.ReadDir(o.fsys, path.Clean(openrc.InitDir)[1:]) // what cannot be read is nearest to nothing
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return nearest(name, names)
}

// provider returns the init script that says it provides the name of another; or "".
func provider(fsys fs.FS, name string) string {
	entries, _ := fs.ReadDir(fsys, path.Clean(openrc.InitDir)[1:])
	for _, e := range entries {
		text, err := fs.ReadFile(fsys, openrc.InitDir[1:]+e.Name())
		if err == nil && slices.Contains(openrc.Provides(text), name) {
			return e.Name()
		}
	}
	return ""
}

func provided(script, name string) string {
	return "; " + openrc.InitDir + script + " provides " + name + ": its line belongs into " + confd(script).File
}

// instance returns the script that an init script is a link to, beside it: that
// of a multi-instance service.
func (o *OpenRC) instance(name string) (target string, ok bool) {
	target, err := fs.ReadLink(o.fsys, openrc.InitDir[1:]+name)
	if err != nil {
		return "", false
	}
	target = strings.TrimPrefix(target, openrc.InitDir)
	return target, target != name && !strings.Contains(target, "/")
}

// assignments spells a domain as conf.d has it.
func assignments(d domain.Domain) string {
	var lines []string
	if !d.Netns.IsZero() {
		lines = append(lines, `netns="`+d.Netns.String()+`"`)
	}
	if !d.VRF.IsZero() {
		lines = append(lines, `vrf="`+d.VRF.String()+`"`)
	}
	return strings.Join(lines, " and ")
}

// Mechanism is "rdexec".
func (o *OpenRC) Mechanism(domain.Domain) string { return "rdexec" }

// Needed returns no file where the rc.conf.d file covers every script, else all.
func (o *OpenRC) Needed(files tree.Tree) tree.Tree {
	if o.hooked() {
		return tree.Tree{}
	}
	return files
}

// hooked reports whether the file is installed that covers every script.
func (o *OpenRC) hooked() bool {
	_, err := fs.Stat(o.fsys, openrc.ConfPath[1:])
	return err == nil
}

// Escapes returns what a service that names a domain does outside of it, and that
// nothing makes its domain before it starts.
func (o *OpenRC) Escapes(job generators.Job) []error {
	s := job.(generators.OpenRC)
	if s.Domain.IsDefault() {
		return nil
	}
	errs := o.Refuses(s)
	if script, missing := o.Unmade(s.Domain); missing {
		errs = append(errs, problem.New(s.Pos, "nothing makes %s before %s starts: there is no %s", s.Domain, s.Name, script).
			WithHint(problem.Command("ln", "-s", "rdomain", path.Join(o.confs.root, script))+"; with Managed=no in /etc/rdomain/"+s.Domain.ID()+".conf if another tool makes it"))
	}
	return errs
}

// Refuses returns what of Escapes no file that rdgen makes can change.
func (o *OpenRC) Refuses(s generators.OpenRC) []error {
	errs := append(s.Script.Escapes(o.fsys, s.Domain), containsOutside(s.Script, s.Domain)...)
	if err := o.unread(s); err != nil {
		errs = append(errs, err)
	}
	if d, unclear := s.Script.Start().Daemon(); unclear == nil {
		if err := generators.Elsewhere(d.Prog, d.Pos, s.Domain); err != nil {
			errs = append(errs, err)
		}
	}
	return append(errs, pam{o.fsys}.ofScript(s.Script, s.Domain)...)
}

// Unmade returns the script that brings a domain up, a link to rdomain, and whether it is
// missing where the hook does not bring it along.
func (o *OpenRC) Unmade(d domain.Domain) (script string, missing bool) {
	script = openrc.InitDir + openrc.RdomainService(d.ID())
	_, err := fs.Stat(o.fsys, script[1:])
	return script, err != nil && o.hooked()
}

// unread says that OpenRC reads another file than the one that names the domain, if
// that one does not say the same.
func (o *OpenRC) unread(s generators.OpenRC) error {
	script, conf, ok := openrc.Elsewhere(o.fsys, s.Name)
	if !ok {
		return nil
	}
	text, _ := fs.ReadFile(o.fsys, conf[1:])
	plain := "\n" + strings.NewReplacer(`"`, "", "'", "").Replace(string(text)) + "\n"
	said := true
	for _, line := range strings.Split(assignments(s.Domain), " and ") {
		said = said && strings.Contains(plain, "\n"+strings.ReplaceAll(line, `"`, "")+"\n")
	}
	if said {
		return nil
	}
	return problem.New(s.Pos, "OpenRC does not read this file: the script of %s is %s, so it reads %s", s.Name, script, conf).
		WithHint("write the line there too, or copy the script into " + openrc.InitDir)
}
