// Package shape holds the rules of the house that nobody has to remember: who
// may import whom, that everything public is documented, that the sources are
// formatted. It reads the sources inside the test, because go test caches a
// result by the files that the test itself opens.
package shape

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// may lists, folder by folder, what a package may import beyond the standard
// library, each with its reason. A folder without a row fails. Tests may also
// import what testsMay lists.
var may = map[string]struct {
	imports []string
	reason  string
}{
	"cmd/rdexec":         {[]string{"rdgen/runtime/domain", "rdgen/runtime/enter", "golang.org/x/sys/unix"}, "the root helper: nothing but the leaf and the system calls"},
	"cmd/rdgen":          {[]string{"rdgen/generators", "rdgen/generators/tree", "rdgen/openrc", "rdgen/s6", "rdgen/services", "rdgen/systemd", "rdgen/templates", "rdgen/parallel", "rdgen/problem", "rdgen/quit", "rdgen/runtime/domain", "rdgen/runtime/identify", "rdgen/runtime/lifecycle", "rdgen/runtime/process", "rdgen/runtime/systemctl", "rdgen/status", "rdgen/graph", "rdgen/imports", "github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/sys/unix"}, "effects at the edge; changes no kernel object: of the runtime, what looks"},
	"cmd/rdomain":        {[]string{"rdgen/installed", "rdgen/runtime/*", "rdgen/parallel", "rdgen/problem", "rdgen/quit", "golang.org/x/sys/unix"}, "runs on the target at boot: no cobra, no templates"},
	"status":             {[]string{"rdgen/problem", "rdgen/runtime/domain", "rdgen/runtime/identify", "rdgen/runtime/lifecycle", "rdgen/runtime/process", "rdgen/services"}, "what should be, beside what is: pure, by the types of those who read"},
	"graph":              {[]string{"rdgen/runtime/lifecycle", "rdgen/status"}, "a status as a picture: data in, text out"},
	"imports":            {[]string{"rdgen/problem", "rdgen/runtime/conf", "rdgen/runtime/domain", "rdgen/runtime/draft", "rdgen/runtime/object", "go.yaml.in/yaml/v3"}, "what other programs are told of the network, as domains: files in, text out"},
	"generators":         {[]string{"rdgen/installed", "rdgen/generators/tree", "rdgen/openrc", "rdgen/s6", "rdgen/systemd", "rdgen/templates", "rdgen/problem", "rdgen/runtime/domain"}, "pure: a service and its domain -> files"},
	"services":           {[]string{"rdgen/generators", "rdgen/generators/tree", "rdgen/openrc", "rdgen/s6", "rdgen/s6/compile", "rdgen/systemd", "rdgen/parallel", "rdgen/problem", "rdgen/runtime/conf", "rdgen/runtime/domain", "rdgen/runtime/module", "rdgen/runtime/networkd", "rdgen/runtime/nm", "rdgen/runtime/nsswitch", "rdgen/runtime/uplink"}, "reads services from below a root, the files of the domains that they name, and what else would change those"},
	"generators/tree":    {[]string{"rdgen/atomicfile", "rdgen/problem", "github.com/rogpeppe/go-internal/diff", "golang.org/x/sys/unix"}, "the only effects of rdgen: reading below a root, writing files"},
	"templates":          {[]string{"github.com/Masterminds/sprig/v3"}, "the only home of text/template and sprig"},
	"openrc":             {[]string{"rdgen/installed", "mvdan.cc/sh/v3/syntax", "rdgen/problem", "rdgen/runtime/domain"}, "conf.d and init scripts are shell"},
	"s6":                 {[]string{"rdgen/problem"}, "the source-directory format"},
	"s6/compile":         {[]string{"rdgen/problem", "rdgen/s6"}, "what s6-rc-compile would say"},
	"systemd":            {nil, "reading units, with file and line"},
	"runtime/domain":     {nil, "the leaf"},
	"runtime/bpf":        {[]string{"golang.org/x/sys/unix"}, "the programs, and bpf(2); rdexec links it"},
	"runtime/enter":      {[]string{"rdgen/runtime/bpf", "rdgen/runtime/domain", "golang.org/x/sys/unix"}, "all that rdexec needs"},
	"runtime/flock":      {[]string{"golang.org/x/sys/unix"}, "locks that are not waited for without end"},
	"runtime/dhcp":       {[]string{"rdgen/runtime/object", "github.com/insomniacslk/dhcp/dhcpv4", "github.com/insomniacslk/dhcp/dhcpv6", "github.com/insomniacslk/dhcp/iana", "golang.org/x/sys/unix"}, "what a DHCP server says, by the messages of a library and a socket of ours"},
	"runtime/netns":      {[]string{"rdgen/runtime/domain", "rdgen/runtime/flock", "golang.org/x/sys/unix"}, "named namespaces, as ip-netns(8) has them"},
	"runtime/object":     {[]string{"rdgen/runtime/domain"}, "what rdomain makes, as data"},
	"runtime/conf":       {[]string{"rdgen/atomicfile", "rdgen/problem", "rdgen/runtime/domain", "rdgen/runtime/object", "golang.org/x/sys/unix", "gopkg.in/ini.v1"}, "what a domain's file says"},
	"runtime/rtnl":       {[]string{"rdgen/runtime/object", "golang.org/x/sys/unix", "github.com/vishvananda/netlink/nl"}, "netlink, one object at a time"},
	"runtime/draft":      {[]string{"rdgen/problem", "rdgen/runtime/conf", "rdgen/runtime/domain"}, "a domain's file in the making"},
	"runtime/dump":       {[]string{"rdgen/problem", "rdgen/runtime/conf", "rdgen/runtime/domain", "rdgen/runtime/draft", "rdgen/runtime/object", "rdgen/runtime/plan", "rdgen/runtime/rtnl"}, "what the kernel has of a domain, as its file; touches nothing"},
	"runtime/record":     {[]string{"rdgen/problem", "rdgen/atomicfile", "rdgen/runtime/domain", "rdgen/runtime/flock", "rdgen/runtime/netns", "rdgen/runtime/object", "golang.org/x/sys/unix"}, "what was made"},
	"runtime/plan":       {[]string{"rdgen/problem", "rdgen/runtime/conf", "rdgen/runtime/domain", "rdgen/runtime/netns", "rdgen/runtime/nsswitch", "rdgen/runtime/object", "rdgen/runtime/record", "rdgen/runtime/rtnl"}, "what is to be done; touches nothing"},
	"runtime/kernel":     {[]string{"rdgen/problem", "rdgen/atomicfile", "rdgen/runtime/bpf", "rdgen/runtime/conf", "rdgen/runtime/dhcp", "rdgen/runtime/domain", "rdgen/runtime/dump", "rdgen/runtime/enter", "rdgen/runtime/module", "rdgen/runtime/nat", "rdgen/runtime/netns", "rdgen/runtime/nft", "rdgen/runtime/object", "rdgen/runtime/plan", "rdgen/runtime/process", "rdgen/runtime/record", "rdgen/runtime/rtnl", "golang.org/x/sys/unix", "golang.zx2c4.com/wireguard/wgctrl", "golang.zx2c4.com/wireguard/wgctrl/wgtypes"}, "what the kernel has, and one step done"},
	"runtime/lifecycle":  {[]string{"rdgen/problem", "rdgen/parallel", "rdgen/runtime/conf", "rdgen/runtime/dhcp", "rdgen/runtime/domain", "rdgen/runtime/draft", "rdgen/runtime/dump", "rdgen/runtime/enter", "rdgen/runtime/kernel", "rdgen/runtime/module", "rdgen/runtime/nat", "rdgen/runtime/netns", "rdgen/runtime/networkd", "rdgen/runtime/object", "rdgen/runtime/plan", "rdgen/runtime/record", "rdgen/runtime/rtnl"}, "which domain, in which order, under which lock"},
	"runtime/module":     {[]string{"rdgen/problem", "rdgen/runtime/conf"}, "what a kernel can make, by the files of its build"},
	"runtime/nm":         {nil, "what NetworkManager may do to a link, by its files"},
	"runtime/nsswitch":   {nil, "which sources of names are answered outside of a domain"},
	"runtime/uplink":     {[]string{"rdgen/problem"}, "whether ifupdown or dhcpcd make a member the way of the default domain, by their files"},
	"runtime/nat":        {[]string{"rdgen/runtime/object", "github.com/google/nftables", "github.com/google/nftables/expr", "github.com/google/nftables/xt", "golang.org/x/sys/unix"}, "tables of nftables, by netlink, and what others drop"},
	"runtime/nft":        {[]string{"rdgen/problem", "golang.org/x/sys/unix"}, "a ruleset is a file in nft's language, and nothing but nft reads it"},
	"runtime/systemctl":  {nil, "asks systemd what runs, by systemctl; changes nothing"},
	"runtime/networkd":   {[]string{"rdgen/problem"}, "what systemd-networkd will do to a link, by its files"},
	"runtime/identify":   {[]string{"rdgen/runtime/bpf", "rdgen/runtime/domain", "rdgen/runtime/enter", "rdgen/runtime/netns", "rdgen/runtime/rtnl", "golang.org/x/sys/unix"}, "where a process is"},
	"runtime/caller":     {[]string{"rdgen/runtime/enter", "golang.org/x/sys/unix"}, "who has called by sudo, doas or pkexec"},
	"runtime/process":    {[]string{"golang.org/x/sys/unix"}, "what /proc says of processes; reads, and knows no domain"},
	"installed":          {nil, "a leaf of both halves: its own paths"},
	"test/packaging":     {[]string{"rdgen/test/guest"}, "what the targets for packagers make"},
	"packaging/sbom":     {nil, "the bill of materials of a release"},
	"problem":            {nil, "a leaf of both halves: a place, a fact, and what to do"},
	"atomicfile":         {nil, "a leaf of both halves: the old file or the new one, and of no kernel's making"},
	"quit":               {[]string{"rdgen/problem"}, "a leaf of both halves: how a program ends"},
	"parallel":           {nil, "a leaf of both halves: a pool of workers"},
	"test/need":          {nil, "what a test cannot do without"},
	"test/readers":       {nil, "what the programs of others make of what is drawn, counted and completed"},
	"test/s6":            {[]string{"rdgen/test/guest"}, "what s6 and s6-rc of this machine make of it"},
	"test/sandbox":       {[]string{"rdgen/test/need", "golang.org/x/sys/unix"}, "a mount and network namespace for a test"},
	"test/guest":         {[]string{"rdgen/test/need", "rdgen/test/guest/wire", "golang.org/x/sys/unix"}, "what tests do in a machine of theirs, whatever kind it is"},
	"test/guest/s6":      {[]string{"rdgen/test/guest"}, "tests of s6, for guests of any kind"},
	"test/guest/wire":    {nil, "what the agent in a machine and the tests say, and its answers"},
	"test/native":        {[]string{"rdgen/test/need", "rdgen/test/guest", "rdgen/test/guest/s6", "rdgen/test/guest/wire", "golang.org/x/sys/unix"}, "test machines without a kernel of their own"},
	"test/native/keeper": {[]string{"rdgen/test/guest/wire", "golang.org/x/sys/unix"}, "makes the namespaces of such a machine, and its agent"},
	"test/native/facts":  {[]string{"golang.org/x/sys/unix"}, "what a process was started with, for a shell"},
	"test/native/hears":  {[]string{"golang.org/x/sys/unix"}, "a daemon that says which signals it gets"},
	"test/native/idle":   {nil, "a daemon whose start is looked at"},
	"test/vm":            {[]string{"rdgen/runtime/conf", "rdgen/runtime/object", "rdgen/test/need", "rdgen/test/guest", "rdgen/test/guest/s6", "rdgen/test/guest/wire", "golang.org/x/sys/unix"}, "test machines"},
	"test/vm/agent":      {[]string{"rdgen/test/guest/wire", "golang.org/x/sys/unix"}, "the program inside the machines"},
	"test/vm/probe":      {[]string{"rdgen/runtime/bpf", "golang.org/x/sys/unix"}, "looks at sockets inside the machines, and takes our programs away from some"},
	"test/report":        {nil, "the count at the end of make test"},
	"test/docs":          {[]string{"rdgen/runtime/domain"}, "types what the pages show"},
	"test/shape":         {nil, "these rules"},
	"test/sweep":         {nil, "the tests of OpenRC's hook on every release of OpenRC"},
	"test/bench":         {nil, "ratios against peers"},
}

var testsMay = []string{"rdgen/s6/compile", "rdgen/test/need", "github.com/google/go-cmp/cmp", "github.com/google/go-cmp/cmp/cmpopts",
	"github.com/rogpeppe/go-internal/testscript", "github.com/rogpeppe/go-internal/txtar", "golang.org/x/sys/unix", "rdgen/test/sandbox",
	"rdgen/runtime/netns",                   // a namespace for a test of netlink
	"rdgen/services",                        // what the tests of generators read their services by
	"github.com/coreos/go-systemd/v22/unit"} // the last one is a second opinion on ours

// nowhere lists standard packages that are banned in some folders: a prefix
// of folders, the package, and why.
var nowhere = []struct{ folder, pkg, reason string }{
	{"", "text/template", "only templates renders text, where every value is quoted"},
	{"", "html/template", "nothing here is HTML"},
	{"", "os/exec", "the programs run nothing: they generate, they make system calls, they execute in place"},
	{"generators", "time", "generators read no clock"},
	{"generators", "net", "generators read no host name, no address"},
	{"status", "os", "compares what it is given"},
	{"services", "os", "reads through fs.FS only"},
	{"imports", "os", "reads through fs.FS only"},
	{"openrc", "os", "reads through fs.FS only"},
	{"s6", "os", "reads through fs.FS only"},
	{"s6/compile", "os", "reads through fs.FS only"},
	{"systemd", "os", "reads through fs.FS only"},
	{"templates", "os", "reads nothing"},
	{"runtime/domain", "fmt", "rdexec links the leaf"},
	{"runtime/domain", "os", "rdexec links the leaf"},
	{"runtime/bpf", "fmt", "rdexec's start-up"},
	{"runtime/bpf", "os", "rdexec's start-up"},
	{"runtime/enter", "fmt", "rdexec's start-up"},
	{"runtime/enter", "os", "rdexec's start-up"},
	{"runtime/enter", "net", "rdexec makes its own system calls"},
	{"cmd/rdexec", "os", "rdexec's start-up"},
	{"cmd/rdexec", "fmt", "rdexec's start-up"},
}

var exempt = map[string][]string{
	"text/template": {"templates"},
	"os/exec":       {"test/", "runtime/nft", "runtime/systemctl"},
}

func TestImports(t *testing.T) {
	used := map[string]bool{}
	imported := map[string]map[string]bool{} // row -> the permissions that are used
	for _, f := range sources(t) {
		row, key := rowOf(f.folder)
		if key == "" {
			t.Errorf("%s: the folder has no row in the table of what it may import", f.folder)
			continue
		}
		used[key] = true
		for _, spec := range f.ast.Imports {
			pkg, _ := strconv.Unquote(spec.Path.Value)
			where := f.pos(spec)
			if imported[key] == nil {
				imported[key] = map[string]bool{}
			}
			for _, p := range row.imports {
				if (!f.test || strings.HasPrefix(key, "test/")) && matches([]string{p}, pkg) {
					imported[key][p] = true
				}
			}
			if module(pkg) && !matches(row.imports, pkg) && !(f.test && (slices.Contains(testsMay, pkg) || pkg == "rdgen/"+f.folder)) {
				t.Errorf("%s: %s may not import %s (%s)", where, f.folder, pkg, row.reason)
			}
			for _, ban := range nowhere {
				if !f.test && pkg == ban.pkg && below(f.folder, ban.folder) && !slices.ContainsFunc(exempt[pkg], func(e string) bool { return strings.HasPrefix(f.folder, e) }) {
					t.Errorf("%s: %s may not import %s: %s", where, f.folder, pkg, ban.reason)
				}
			}
		}
	}
	for key, row := range may {
		for _, p := range row.imports {
			if used[key] && !imported[key][p] {
				t.Errorf("%s may import %s, which none of its files does", key, p)
			}
		}
		if !used[key] && key != "test/bench" && key != "test/sandbox" && key != "test/vm" {
			t.Errorf("the table has a row for %s, which has no Go file", key)
		}
	}
}

func rowOf(folder string) (row struct {
	imports []string
	reason  string
}, key string) {
	if row, ok := may[folder]; ok {
		return row, folder
	}
	if parent := path.Dir(folder) + "/*"; parent != "./*" {
		if row, ok := may[parent]; ok {
			return row, parent
		}
	}
	return row, ""
}

func matches(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if dir, ok := strings.CutSuffix(p, "/*"); ok {
			return strings.HasPrefix(pkg, dir+"/")
		}
		return p == pkg
	})
}

func below(folder, ban string) bool {
	return ban == "" || folder == ban || strings.HasPrefix(folder, ban+"/") && folder != "generators/tree"
}

// module reports whether pkg is outside the standard library.
func module(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return strings.Contains(first, ".") || first == "rdgen"
}

func TestFormatted(t *testing.T) {
	for _, f := range sources(t) {
		want, err := format.Source(f.data)
		if err != nil || !bytes.Equal(want, f.data) {
			t.Errorf("%s: not formatted by gofmt (%v)", f.name, err)
		}
	}
}

// Every package says what it is, and every exported name what it does.
func TestDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range sources(t) {
		documented[f.folder] = documented[f.folder] || f.ast.Doc != nil
		if f.test {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, id := range undocumented(decl) {
				t.Errorf("%s: exported %s has no comment", f.pos(id), id.Name)
			}
		}
	}
	for folder, ok := range documented {
		if !ok {
			t.Errorf("%s: no file has a package comment", folder)
		}
	}
}

func undocumented(decl ast.Decl) (ids []*ast.Ident) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && !wellKnown(d) {
			ids = append(ids, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					ids = append(ids, s.Name)
				}
			case *ast.ValueSpec:
				if s.Names[0].IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					ids = append(ids, s.Names[0])
				}
			}
		}
	}
	return ids
}

// wellKnown methods implement an interface of the standard library, which
// documents them; methods of unexported types are nobody's reading.
func wellKnown(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	recv := d.Recv.List[0].Type
	if star, ok := recv.(*ast.StarExpr); ok {
		recv = star.X
	}
	if id, ok := recv.(*ast.Ident); ok && !id.IsExported() {
		return true
	}
	return slices.Contains([]string{"Error", "Unwrap", "Close", "Len", "Less", "Swap", "Command"}, d.Name.Name)
}

// No file of the project tells where it was written, or leaves work undone.
func TestNoLeftovers(t *testing.T) {
	for _, name := range files(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.ToSlash(name), top+"/test/shape/") {
			continue
		}
		for _, bad := range []string{"TODO", "FIXME", "XXX:", "/work/main", "/work/shared"} {
			if bytes.Contains(data, []byte(bad)) {
				t.Errorf("%s: contains %q", name, bad)
			}
		}
	}
}

// What test/breaks breaks is there, and so is the test that has to see it.
func TestBreaks(t *testing.T) {
	if out, err := exec.Command("../breaks", "-n").CombinedOutput(); err != nil {
		t.Errorf("test/breaks -n: %v\n%s", err, out)
	}
}

const top = "../.."

type source struct {
	name   string // path from the top
	folder string
	test   bool
	data   []byte
	ast    *ast.File
	fset   *token.FileSet
}

func (s source) pos(n ast.Node) string {
	return s.name + ":" + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	for _, name := range files(t) {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, data, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(top, name)
		all = append(all, source{rel, path.Dir(filepath.ToSlash(rel)), strings.HasSuffix(name, "_test.go"), data, file, fset})
	}
	if len(all) < 20 {
		t.Fatalf("found only %d Go files from %s", len(all), top)
	}
	return all
}

// files returns every file of the project, without what is built or fetched.
func files(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != top && (d.Name() == ".git" || d.Name() == "bin" || d.Name() == "dist" || d.Name() == "vendor" || d.Name() == ".cache") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() && d.Name() != ".git" { // a file in a worktree
			names = append(names, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
