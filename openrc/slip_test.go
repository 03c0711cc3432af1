package openrc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rdgen/problem"
)

// slipRows are files of conf.d: want is the line and the right spelling, or "" for a
// file that is right.
var slipRows = []struct{ text, want string }{
	// Not an assignment.
	{"netns = private", "1 netns=private"},
	{"# a web service\n\nnetns =private", "3 netns=private"},
	{"netns= private", "1 netns=private"},
	{"netns\t=\tprivate", "1 netns=private"},
	{"  netns = \"private\"  # of the lab", "1 netns=private"},
	{"netns: private", "1 netns=private"},
	{"netns:private", "1 netns=private"},
	{"\"netns\": \"private\",", "1 netns=private"},
	{"- vrf: mgmt", "1 vrf=mgmt"},
	{"netns := private", "1 netns=private"},
	{"netns:=private", "1 netns=private"},
	{"netns+=private", "1 netns=private"},
	{"netns==private", "1 netns=private"},
	{"netns=>private", "1 netns=private"},
	{"netns -> private", "1 netns=private"},
	{"vrf mgmt", "1 vrf=mgmt"},
	{"vrf\tmgmt # of the lab", "1 vrf=mgmt"},
	{"netns \"private\"", "1 netns=private"},
	{"export netns x", "1 netns=x"},
	{"export netns = x", "1 netns=x"},
	{"set netns = x", "1 netns=x"},
	{"netns", "1 netns=NAME"},
	{"netns=private\nnetns = lab", "2 netns=lab"},
	{"true && netns = lab", "1 netns=lab"},
	{"if true; then vrf mgmt; fi", "1 vrf=mgmt"},
	{"netns = a b", "1 netns=NAME"},
	{"vrf $(echo mgmt)", "1 vrf=NAME"},
	{"vrf `echo mgmt`", "1 vrf=NAME"},
	{"x=1 netns \"$(hostname)\"", "1 netns=NAME"},
	{"if true; then netns ${x:-a}; fi", "1 netns=NAME"},
	{"x=`echo vrf`; y=$(echo vrf $(id)); ip link set eth0 vrf $(id)", ""},
	// What nobody sees.
	{"\ufeffnetns=private", "1 netns=private"},
	{"\ufeff# a comment\nx=1", ""},
	{"\u00a0netns=private", "1 netns=private"},
	{"\u200bvrf=mgmt", "1 vrf=mgmt"},
	{"\u2003\u2003vrf=mgmt", "1 vrf=mgmt"},
	{"\x0cvrf=mgmt", "1 vrf=mgmt"},
	{"\x1b[0mvrf=mgmt", ""},
	{"net\u200bns=private", "1 netns=private"},
	{"netns\u00a0=\u00a0private", "1 netns=private"},
	{"netns\u200b=private", "1 netns=private"},
	{"netns\uff1dprivate", "1 netns=private"},
	{"netns\u00a0private", "1 netns=private"},
	{"vrf\uff1amgmt", "1 vrf=mgmt"},
	{"\u201cnetns\u201d=private", "1 netns=private"},
	// Letters that only look like those of the keys.
	{"ｎｅｔｎｓ=private", "1 netns=private"},
	{"ｖｒｆ＝mgmt", "1 vrf=mgmt"},
	{"ＶＲＦ=mgmt", "1 vrf=mgmt"},
	{"  nｅtns = private", "1 netns=private"},
	{"export ｎetns=private", "1 netns=private"},
	{"x=1; vrｆ=mgmt", "1 vrf=mgmt"},
	{"nеtns=private", "1 netns=private"},
	{"netnѕ=private", "1 netns=private"},
	{"пеtпs=private", "1 netns=private"},
	{"νrf=mgmt", "1 vrf=mgmt"},
	{"vгf=mgmt", "1 vrf=mgmt"},
	{"ѵгƒ=mgmt", "1 vrf=mgmt"},
	{"nétns=private", "1 netns=private"},
	{"ne\u0301tns=private", "1 netns=private"},
	{"ｖｒｆ mgmt", "1 vrf=mgmt"},
	{"ｖｆｒ=mgmt", "1 vrf=mgmt"},
	{"vrf=mgmt\nｎｅｔｎｓ=private", "2 netns=private"},
	{"имя=x\nсеть=lan\nнет=1\nnéant=x\nｎａｍｅ=x\nτετ=x", ""},
	{"name=Vérification\ndescription=\"vrf für ｎｅｔｎｓ\"\n# ｖｒｆ=mgmt", ""},
	// Quotes and marks of other languages.
	{"'netns'=private", "1 netns=private"},
	{"\"netns=private\"", "1 netns=private"},
	{"$netns=private", "1 netns=private"},
	{"\\netns=private", "1 netns=private"},
	{"%netns=private", "1 netns=private"}, {"@vrf: mgmt", "1 vrf=mgmt"},
	{"setenv netns private", "1 netns=private"},
	// Another sign in the place of =.
	{"netns/private", "1 netns=private"},
	{"netns,private", "1 netns=private"},
	{"netns\\=private", "1 netns=private"},
	{"netns\\ private", "1 netns=private"},
	{"VRF@mgmt # of the lab", "1 vrf=mgmt"},
	{"netns%private\nnetns=b", "1 netns=private"},
	{"netns!=private", "1 netns=private"},
	{"netns^private", "1 netns=private"},
	{"vrf , mgmt", "1 vrf=mgmt"},
	{"> netns=private", "1 netns=private"},
	{"export vrf =x\nvrf=mgmt", "1 vrf=x"},
	{"netns/bin/x\nvrf/mgmt up\nnetns@yes\nnets/a\nnetns.sh\necho a >vrf=x", ""},
	{"netns-private", "1 netns=private"}, {"vrf-mgmt # of the lab", "1 vrf=mgmt"}, {"VRF-mgmt", "1 vrf=mgmt"}, {"netns.private", "1 netns=private"},
	{"vrf.mgmt", "1 vrf=mgmt"}, {"vrf+mgmt", "1 vrf=mgmt"}, {"-netns=private", "1 netns=private"}, {"-vrf=mgmt\nvrf=", "1 vrf=mgmt"},
	{"x() {\n\t:\n}\nnetns_up() {\n\t:\n}\ncase $x in vrf-mgmt) ;; netns.a) ;; vrf+b|c) ;; esac", ""},
	{"netns-up eth0\nvrf-mgmt -x\nnets-lan\n--netns=x\n-nets=x\nvrf+\nnetns-\nnetns.", ""},
	// Another variable.
	{"NETNS=private", "1 netns=private"},
	{"Vrf=mgmt", "1 vrf=mgmt"},
	{"nets=private", "1 netns=private"},
	{"vrfs=mgmt", "1 vrf=mgmt"},
	{"net_ns=private", "1 netns=private"},
	{"net-ns=private", "1 netns=private"},
	{"vfr=mgmt", "1 vrf=mgmt"},
	{"rc_vrf=mgmt", "1 vrf=mgmt"},
	{"RC_NETNS=private", "1 netns=private"},
	{"vrf_name='mgmt'", "1 vrf=mgmt"},
	{"NetworkNamespacePath=private", "1 netns=private"},
	{"NetworkNamespacePath=/run/netns/private", "1 netns=private"}, {"netns_path=\"/var/run/netns/private\"", "1 netns=private"},
	{"rdomain=private", "1 netns=private"}, {"RDOMAIN=private", "1 netns=private"}, {"s_netns=private", "1 netns=private"}, {"s_vrf=mgmt", "1 vrf=mgmt"},
	{"domain=private\nnamespace=x\nrdomain=1\nnetns_path=/run/netns/\nnetns_path=/proc/1/ns/net\nsvr=x", ""},
	{"vrd=mgmt", "1 vrf=mgmt"}, {"VRG=mgmt", "1 vrf=mgmt"}, {"vff=mgmt", "1 vrf=mgmt"},
	{"_vrf=mgmt", "1 vrf=mgmt"}, {"BETNS=private", "1 netns=private"}, {"metns=private", "1 netns=private"},
	{"netsn=a", "1 netns=a"}, {"nettns=a", "1 netns=a"}, {"ntns=a", "1 netns=a"}, {"netnms=a", "1 netns=a"}, {"netms=a", "1 netns=a"},
	{"site=t1\nNETNS=\"$site\"", "2 netns=$site"},
	{"export NETNS=private", "1 netns=private"},
	{"vrf=mgmt\nNETNS=private", "2 netns=private"},
	{"Netns = private", "1 netns=private"},
	{"nets = private", "1 netns=private"},
	{"if true; then vfr=blue; fi", "1 vrf=blue"},
	// Not reached, or not read.
	{"(netns=private)", "1 netns=private"},
	{"true | netns=private", "1 netns=private"},
	{"x=1 netns=private true", "1 netns=private"},
	{"netns=private true", "1 netns=private"},
	{"netns=private for the lab", "1 netns=private"},
	{"cat >/dev/null <<EOF\nnetns=private\nEOF", "2 netns=private"},
	{"opts=\"-a\nnetns=private\n-b\"", "2 netns=private"},
	// Right.
	{"netns=private", ""},
	{"netns=private # of the lab", ""},
	{"netns='private'", ""},
	{"netns=", ""}, {"vrf= # none", ""}, {"NETNS=\nVRF=\"\"", ""},
	{"export netns=private vrf=mgmt", ""},
	{"vrf=mgmt\nnetns=private\nexport vrf netns", ""},
	{"netns=private\nexport netns x", ""},
	{"# netns = private\n#netns=private\n\t# vrf mgmt", ""},
	{"VRF=blue\nvrf=$VRF", ""},
	{"netns=\nNETS=lan", ""},
	{": ${netns:=private}", ""},
	{"x=1; netns=private", ""},
	// Of other programs.
	{"var=1\nnetif=eth0\ndns=1\nnet=1\nname=x\nvrrp=1\nurl=x\nsrf=1\nnetmask=1\nvif=eth0\nVPF=x\nvrt=x\nnetfs=x\nNETFS=nfs", ""},
	{"nets=\"10.0.0.0/8 192.168.0.0/16\"\nNETNS=yes\nvrfs=0", ""},
	{"netns_eth0=\"vpn\"\nvrf_eth0=x\nNETNS_OPTS=x\nUSE_NETNS=x\nnetns_dir=/run/netns", ""},
	{"command_args=\"--vrf mgmt --netns=x -o netns=x\"\nzebra_options=\"--vrfwnetns\"", ""},
	{"args=\"\n--vrf mgmt\n--netns=x\"", ""},
	{"preup() {\n\tlocal netns iface\n\tip netns add vpn\n\tip link set eth0 vrf mgmt\n\tlocal nets=lan\n}", ""},
	{"case $netns in a) ;; esac\n[ \"$vrf\" = mgmt ] || x=1\ntest -n \"$netns\"", ""},
	{"NTPD_OPTS=\"-N\"\nNICELEVEL=5\nSERVICE_USER=nobody\nrc_need=net\nrc_verbose=yes\nnetmount_opts=x", ""},
}

// TestSlips reads files in which a domain is named as no shell reads it, and others
// that only look so.
func TestSlips(t *testing.T) {
	for _, row := range slipRows {
		c, err := ReadConf(confFS(row.text), "svc")
		if err != nil {
			t.Errorf("%q: %v", row.text, err)
			continue
		}
		got := ""
		if err := c.slip(); err != nil {
			got = slipOf(err)
			if _, _, err := c.Domain(); err == nil {
				t.Errorf("Domain of %q is no error", row.text)
			}
		}
		if got != row.want {
			t.Errorf("the slip of %q is %q; want %q", row.text, got, row.want)
		}
	}
}

// slipOf returns the line and the right spelling.
func slipOf(err error) string {
	e, ok := errors.AsType[*problem.Error](err)
	if !ok {
		return err.Error()
	}
	for _, word := range strings.FieldsFunc(e.Hint, func(r rune) bool { return strings.ContainsRune(" ,;", r) }) {
		if strings.HasPrefix(word, "vrf=") || strings.HasPrefix(word, "netns=") {
			return fmt.Sprint(e.Line, " ", word)
		}
	}
	return e.Error()
}

// askSlips returns what openrc.sh, and openrc-slips.sh for the lines that it does not
// pass over, say of each text in a real shell.
func askSlips(t testing.TB, shell []string, texts []string) []string {
	t.Helper()
	dir := folderForAll(t)
	for i, text := range texts {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const program = `
. "$1"
. "$2"
eerror() { echo "$1"; }
rdgen_die() { echo "$1"; exit 1; }
rdgen_part() { :; }
dir=$3 i=0
while [ -e "$dir/$i" ]; do
	echo "@@ $i"
	(
		trap 'echo "$dir/$i:ended:"' EXIT
		. "$dir/$i" >/dev/null 2>&1
		trap - EXIT
		rdgen_slips_in "$dir/$i"
	)
	i=$((i + 1))
done
echo @@`
	// Not where they are: another user may not go there.
	for name, text := range map[string][]byte{"hook": shipped()[HookPath], "slips": shipped()[SlipsPath]} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(shell[0], append(slices.Clone(shell[1:]), "-c", program, "sh", dir+"/hook", dir+"/slips", dir)...)
	work := folderForAll(t) // some write a file there
	if err := os.Chmod(work, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd.Dir, cmd.Env, cmd.SysProcAttr = work, []string{"PATH=/nonexistent"}, asNobody()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", shell, err, out)
	}
	said := make([]string, len(texts))
	for i, part := range strings.Split(strings.TrimSuffix(string(out), "@@\n"), "@@ ")[1:] {
		_, text, _ := strings.Cut(part, "\n")
		if line, hint, ok := strings.Cut(text, "\n"); ok {
			line = strings.Replace(line, fmt.Sprintf("%s/%d:ended:", dir, i), "ended:", 1)
			number, _, _ := strings.Cut(strings.TrimPrefix(line, fmt.Sprintf("%s/%d:", dir, i)), ":")
			hint, _, _ = strings.Cut(strings.TrimPrefix(hint, "a line that names a domain is "), ",")
			said[i] = number + " " + hint
		}
	}
	return said
}

// TestSlipsInShell holds the hook against the same rows, by each real shell.
// A bare command it leaves to the functions of openrc.sh.
func TestSlipsInShell(t *testing.T) {
	var texts []string
	for _, row := range slipRows {
		texts = append(texts, row.text)
	}
	shells := realShells(t)
	if len(shells) > 1 {
		shells = append(shells, []string{"bash", "--posix"})
	}
	for _, shell := range shells {
		for i, got := range askSlips(t, shell, texts) {
			want := strings.Replace(slipRows[i].want, "=$site", "=NAME", 1)
			if texts[i] == "netns" {
				want = ""
			}
			if got != want && got != "ended " { // a shell that ends starts nothing
				t.Errorf("%v says of %q: %q; want %q", shell, texts[i], got, want)
			}
		}
	}
}

// TestSlipsAgree makes files of tokens and asks both readers: what the shell refuses
// at a start, rdgen refuses too, and the other way round where it is certain.
func TestSlipsAgree(t *testing.T) {
	parts := strings.Split("netns|vrf|netns|vrf|netns|vrf|netns|vrf|NETNS|nets|vrfs|Vrf|net|x|export |local |set |env |true |> |private|mgmt|a|b|$x|=|=|=|=|=|=|:| = | |  |\t|\"|'|"+
		"$|-|+|# |;|&& | \u007c |(|)|{ |}|\u00a0|\uff1d|ｎ|е|ｖ|\u200b|\ufeff|\n|\n|\n|\n|.|yes|/|,|@|\\|!|$(|`", "|")
	random := rand.New(rand.NewPCG(1, 2))
	var texts []string
	for range 3000 {
		var b strings.Builder
		for range 1 + random.IntN(9) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		texts = append(texts, b.String())
	}
	// What is meant to name a domain, and nearly does.
	near := [][]string{
		{"", "", "", "x=1 ", "export ", "local ", "set ", "env ", "eval ", "let ", "then ", "alias ", "\u200b", "\ufeff", "\u00a0", "- ", "> ", "{ ", "$", "+", "'", "%", "#", "x ", "true && ", "(", "x; ", "\\"},
		{"netns", "vrf", "netns", "vrf", "NETNS", "Vrf", "nets", "vrfs", "vrd", "metns", "ｎetns", "rc_vrf", "netns_", "nеtns", "ν\u200brf"},
		{"=", "=", "=", " = ", " =", "= ", ": ", ":", "+=", " ", "\t", "\u00a0=", "==", "-=", "\uff1d", "/", ",", "\\=", "!=", " % ", "@@"},
		{"private", "mgmt", "'a'", "$x", "", "a b", "\"", "a.b", "/x", "yes"},
		{"", "", "\n", " # c", ";x", "\nnetns=b", "\nvrf="},
	}
	for range 1500 {
		var b strings.Builder
		for _, some := range near {
			b.WriteString(some[random.IntN(len(some))])
		}
		texts = append(texts, b.String())
	}
	slipped := 0
	shells := realShells(t)
	for _, shell := range shells {
		for i, got := range askSlips(t, shell, texts) {
			c, err := ReadConf(confFS(texts[i]), "svc")
			if err != nil {
				continue // not shell
			}
			_, _, err = c.Domain()
			doubt := err != nil && fmt.Sprint(err) != fmt.Sprint(c.slip()) // what only a shell can know is no slip
			if (err != nil) != (got != "") && !doubt && !onlyCommands(c) {
				t.Errorf("of %q %v says %q, rdgen %v", texts[i], shell, got, err)
			}
			if got != "" && got != "ended " {
				slipped++
			}
		}
	}
	if slipped < 50*len(shells) {
		t.Errorf("%d of the files are slips; too few to compare", slipped)
	}
}

// onlyCommands reports that all slips are commands, which the functions of openrc.sh
// find.
func onlyCommands(c *Conf) bool {
	return len(slips(c.sources[0])) == 0 && len(commands(c.sources[0])) > 0
}
