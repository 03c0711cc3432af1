package generators

import (
	"path"

	"rdgen/generators/tree"
	"rdgen/runtime/domain"
	"rdgen/systemd"
	"rdgen/templates"
)

// Systemd makes the drop-ins of a service and its sockets, and the unit of the
// domain; systemd 249 and newer (BPFProgram=, systemd.resource-control(5)).
//
// The directives that enter a domain are systemd's own, so the unit's sandbox and
// its User= are kept. Each of them can be ignored with a warning, and then the
// service would run in the default domain, so it is guarded three times: BindsTo=
// and After= for the domain's unit, an assertion on the file that stands for the
// domain, and a look from inside the unit before its first program. That is an
// ExecCondition= because the drop-in's ExecStartPre= would come after the unit's.
func Systemd(s Service) (tree.Tree, []string, error) {
	var t tree.Tree
	for _, name := range s.Units {
		text, err := templates.Render("systemd-dropin", newDropIn(s, name))
		if err != nil {
			return tree.Tree{}, nil, err
		}
		if err := t.Add(unitFile(name+".d/"+systemd.DropIn, text)); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	if !s.Installed {
		if err := t.Add(unitFile(systemd.Rdomain, systemd.RdomainService)); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	if _, nested := namespace(s.Domain); nested {
		text, err := templates.Render("systemd-nested", s.Domain)
		if err != nil {
			return tree.Tree{}, nil, err
		}
		if err := t.Add(unitFile("rdomain@"+s.Domain.ID()+".service.d/50-netns.conf", text)); err != nil {
			return tree.Tree{}, nil, err
		}
	}
	return t, nil, nil
}

func unitFile(name string, text []byte) tree.File {
	return tree.File{Path: path.Join(systemd.Etc, name), Mode: 0o644, Data: text}
}

// dropIn is the data of templates/systemd-dropin.tmpl.
type dropIn struct {
	From, Again string
	Section     string // Service or Socket
	Domain      domain.Domain
	Netns, Pin  string // paths, or ""
	Check       []string
	Resolver    []bind
}

type bind struct{ From, To string }

func newDropIn(s Service, unit string) dropIn {
	d := dropIn{From: s.from(""), Again: s.again("systemd"), Section: "Service", Domain: s.Domain}
	if path.Ext(unit) == ".socket" {
		d.Section = "Socket"
	}
	if !s.Domain.Netns.IsZero() {
		d.Netns = s.Domain.Netns.Path()
		for _, f := range []string{"resolv.conf", "hosts", "nsswitch.conf"} {
			d.Resolver = append(d.Resolver, bind{"/etc/netns/" + s.Domain.Netns.String() + "/" + f, "/etc/" + f})
		}
	}
	if !s.Domain.VRF.IsZero() {
		d.Pin = s.Domain.Pin()
	}
	// rdomain check --self has the options of rdexec that name a domain.
	options := domain.Command{Domain: s.Domain}.Options()
	d.Check = append([]string{rdomain, "check", "--self"}, options[:len(options)-1]...)
	return d
}
