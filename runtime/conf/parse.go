package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"rdgen/problem"
	"rdgen/runtime/domain"
)

// Read reads the file of the domain called id. The error matches
// fs.ErrNotExist if there is none; what is wrong in the file is a *problem.Error.
func Read(id domain.ID) (*File, error) {
	path := Path(id)
	f, err := Machine().Open(path[1:])
	if err != nil {
		if info, e := os.Lstat(path); e == nil && info.Mode()&os.ModeSymlink != 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, toNothing(path) // a file system that is not mounted yet, perhaps
		}
		if errors.Is(err, fs.ErrInvalid) {
			return nil, problem.New(problem.Pos{File: path}, "%w", problem.Cause(err))
		}
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, problem.New(problem.Pos{File: path}, "is not a regular file")
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return nil, err
	}
	file, err := Parse(path, id, data, &Seen{Machine(), map[string][]byte{}})
	if err == nil {
		file.Loose, file.Text = Loose(path, info, "where services run"), data
	}
	if err == nil && file.Loose == "" {
		file.Loose = looseFolder(path)
	}
	return file, err
}

// looseFolder is Loose for the folder of a file, and for that which a link leads to: who can
// write there puts another file of root's in its place, but not with the sticky bit, which
// /nix/store has.
func looseFolder(path string) string {
	for _, step := range []func() (string, error){
		func() (string, error) { return path, nil },
		func() (string, error) { return filepath.EvalSymlinks(path) },
	} {
		file, err := step()
		if err != nil {
			return err.Error()
		}
		info, err := os.Stat(filepath.Dir(file))
		if err != nil {
			return err.Error()
		}
		if loose := Loose(filepath.Dir(file), info, "where services run"); loose != "" && info.Mode()&fs.ModeSticky == 0 {
			return loose
		}
	}
	return ""
}

// Loose says who besides root can write a file or folder, and so decides what, and what
// to do; "" if nobody.
func Loose(path string, info fs.FileInfo, what string) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case info.Mode()&0o002 != 0:
		return fmt.Sprintf("%s can be written by everybody, who decide %s; chmod o-w %[1]s", path, what)
	case ok && st.Uid != 0:
		return fmt.Sprintf("%s belongs to user %d, who decides %s; chown root %[1]s", path, st.Uid, what)
	case ok && st.Gid != 0 && info.Mode()&0o020 != 0:
		return fmt.Sprintf("%s can be written by group %d, who decide %s; chmod g-w %[1]s", path, st.Gid, what)
	}
	return ""
}

// toNothing is the error for a symbolic link. Without the file its name would be that of
// an empty namespace.
func toNothing(path string) *problem.Error {
	e := problem.New(problem.Pos{File: path}, "is a link to nothing: rdomain would make an empty namespace").WithHint("remove it, or bring back what it leads to")
	e.Temporary = true
	return e
}

// Parse reads data as the file of the domain called id; path is for messages. What it names,
// such as tables, is in fsys, which is rooted at the machine's root.
func Parse(path string, id domain.ID, data []byte, fsys fs.FS) (*File, error) {
	sections, err := scan(path, data)
	if err != nil {
		return nil, err
	}
	p := parser{path: path, id: id, fsys: fsys, file: &File{Path: path, Root: fsys, Kind: Netns, Managed: true, Timeout: DefaultTimeout}, routes: map[routeKey]int{}, allowed: map[place]int{}, stands: map[any]int{}}
	if err := p.check(sections); err != nil {
		return nil, err
	}
	if err := confirm(path, data, sections); err != nil {
		return nil, err
	}
	if err := p.parse(sections); err != nil {
		return nil, err
	}
	return p.file, nil
}

// expected lists the sections for messages.
const expected = "[Domain], [Link NAME], [WireGuardPeer NAME], [Address], [BridgeVLAN], [Route], [RoutingPolicyRule], [Neighbor], [Publish] or [Sysctl]"

type parser struct {
	path string
	id   domain.ID
	fsys fs.FS
	file *File
	// routes has the lines of the routes read so far, once those of what may
	// stand but once in a link, or a peer.
	routes map[routeKey]int
	once   map[place]int
	// allowed has the lines of the peers that have a network, by link.
	allowed map[place]int
	// peers are the sections [Address], before their links are known.
	peers []addressSection
	// vlanSections are the sections [BridgeVLAN].
	vlanSections []vlanSection
	// publishes are the sections [Publish], before their links are known.
	publishes []Publish
	// stands has the lines of the neighbours and rules read so far.
	stands map[any]int
}

// again notes that what stands in a line, and returns where it stood first, or 0.
func (p *parser) again(what any, line int) (first int) {
	if first = p.stands[what]; first == 0 {
		p.stands[what] = line
	}
	return first
}

// place is a network, and the key or link that it belongs to.
type place struct {
	of     string
	prefix netip.Prefix
}

func (p *parser) fail(line int, format string, args ...any) error {
	return problem.New(problem.Pos{File: p.path, Line: line}, format, args...)
}

// keys are the keys of each section; those with true may repeat. [Sysctl] has
// the names of variables instead.
var keys = map[string]map[string]bool{
	"Domain":            domainFields.names(),
	"Link":              linkKeys(),
	"WireGuardPeer":     peerFields.names(),
	"Route":             routeFields.names(),
	"RoutingPolicyRule": ruleFields.names(),
	"Neighbor":          neighborFields.names(),
	"Address":           addressFields.names(),
	"BridgeVLAN":        vlanFields.names(),
	"Publish":           publishFields.names(),
	"Sysctl":            {},
}

// Sections of which there may be several; those with true have an argument, the
// name of a link.
var several = map[string]bool{"Link": true, "WireGuardPeer": true, "Route": false, "RoutingPolicyRule": false, "Address": false, "BridgeVLAN": false, "Neighbor": false, "Publish": false}

// check looks at the names of sections and keys.
func (p *parser) check(sections []section) error {
	seen := map[string]int{}
	for _, s := range sections {
		name, argument, hasArgument := strings.Cut(s.header, " ")
		allowed, ok := keys[name]
		if !ok {
			return p.fail(s.line, "unknown section [%s]%s", clip(s.header), sectionHint(name))
		}
		if hasArgument != several[name] {
			if several[name] {
				return p.fail(s.line, "expected [%s NAME], found [%s]", name, name)
			}
			return p.fail(s.line, "expected [%s], found [%s]", name, clip(s.header))
		}
		if hasArgument {
			if _, err := domain.ParseLink(argument); err != nil {
				return p.fail(s.line, "%v", err)
			}
		}
		if _, many := several[name]; seen[s.header] != 0 && (!many || name == "Link") {
			first := seen[s.header]
			return p.fail(s.line, "section [%s] stands twice, first in line %d", s.header, first)
		}
		seen[s.header] = s.line
		if name == "Sysctl" {
			continue
		}
		if err := p.checkKeys(name, allowed, s.keys); err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) checkKeys(section string, allowed map[string]bool, found []key) error {
	seen := map[string]int{}
	for _, k := range found {
		repeats, ok := allowed[k.name]
		if !ok {
			return p.fail(k.line, "unknown key %s= in section [%s]%s", clip(k.name), section, keyHint(k.name, section))
		}
		if first := seen[k.name]; first != 0 && !repeats {
			return p.fail(k.line, "%s= stands twice in this section, first in line %d", k.name, first)
		}
		seen[k.name] = k.line
	}
	return nil
}

func (p *parser) parse(sections []section) error {
	for _, s := range sections {
		if s.header == "Domain" {
			p.file.KindLine = s.line
		}
	}
	if err := p.domain(sections); err != nil {
		return err
	}
	for _, s := range sections {
		var err error
		switch {
		case s.header == "Domain":
		case !p.file.Managed:
			err = p.fail(s.line, "Managed=no makes nothing, so there can be no section [%s]", s.header)
		case s.header == "Route":
			err = p.route(s)
		case s.header == "RoutingPolicyRule":
			err = p.rule(s)
		case s.header == "Publish":
			err = p.publish(s)
		case s.header == "Neighbor":
			err = p.neighbor(s)
		case s.header == "BridgeVLAN":
			err = p.bridgeVLAN(s)
		case s.header == "Address":
			err = p.pointToPoint(s)
		case s.header == "Sysctl":
			seen := map[string]int{}
			for _, k := range s.keys {
				if err = p.sysctl(k, seen); err != nil {
					break
				}
			}
		case strings.HasPrefix(s.header, "WireGuardPeer "):
			err = p.peer(s)
		default:
			err = p.link(s)
		}
		if err != nil {
			return err
		}
	}
	if err := p.peered(); err != nil {
		return err
	}
	if err := p.tagged(); err != nil {
		return err
	}
	if err := p.published(); err != nil {
		return err
	}
	if err := p.advertised(); err != nil {
		return err
	}
	return p.names()
}
