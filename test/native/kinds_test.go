package native

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kind is a unit that is started without a domain and in one.
type kind struct {
	name string
	// text is what is in the unit: lines of [Service], or with heads whole sections.
	text string
	// end is the state that it comes to.
	end string
	// also are other units, by suffix or whole name. Of those that have the kind's
	// name, all but templates are looked at too.
	also map[string]string
	// start is the suffix of the unit that is started in its place, and poke is run
	// after that.
	start, poke string
	// differs are the facts that are others in a domain ("*": in some way that is
	// each systemd's own), and why says why.
	differs map[string]string
	why     string
}

// unit is the name of the unit that conf.d names.
func (k kind) unit() string { return "k-" + k.name + ".service" }

// template returns the template that the kind is an instance of.
func (k kind) template() (string, bool) {
	before, _, ok := strings.Cut(k.name, "@")
	return "k-" + before + "@.service", ok
}

// units are all that are looked at; the first is the kind's own.
func (k kind) units() []string {
	list := []string{k.unit()}
	for _, suffix := range slices.Sorted(maps.Keys(k.also)) {
		if strings.HasPrefix(suffix, ".") {
			list = append(list, "k-"+k.name+suffix)
		}
	}
	return list
}

// around are those that have something to do with it.
func (k kind) around() []string {
	var list []string
	for _, how := range []string{"failed", "succeeded", "requires", "wants", "binds"} {
		list = append(list, how+"@k-"+k.name+".service")
	}
	return list
}

// TestSystemdKinds starts a unit of each kind without a domain and in one, on each
// systemd, and compares what systemd says of it, fact by fact: what systemctl start
// says, the state, the result, the exit status as systemctl status shows it, the
// number of restarts, OnFailure= and OnSuccess=, what requires, wants or is bound to
// it, and the same of its sockets, timers and paths.
func TestSystemdKinds(t *testing.T) {
	each(t, systemds, func(t *testing.T, m *Machine) {
		var list []kind
		for _, k := range kinds {
			if !slices.Contains(kindsNotOn[m.Release], k.name) {
				list = append(list, k)
			}
		}
		putKinds(t, m, list)
		out := runKinds(t, m, list, "")
		in := runKinds(t, m, list, "same")
		same, setUp, named := 0, 0, 0
		codes := map[string]bool{}
		for _, k := range list {
			if got := out[k.name]["state"]; !strings.HasPrefix(got, k.end+"/") {
				t.Errorf("%s comes to %s without a domain; want %s: %v", k.name, got, k.end, out[k.name])
			}
			if c := setUpCode.FindString(out[k.name]["status"]); c != "" {
				setUp++
				codes[c] = true
			}
			want := maps.Clone(out[k.name])
			for fact, value := range k.differs {
				if value == "*" {
					value = in[k.name][fact]
				}
				want[fact] = value
			}
			if maps.Equal(want, out[k.name]) && len(k.differs) > 0 {
				t.Logf("%s: %s does not differ here; elsewhere: %s", m.System, k.name, k.why)
			}
			if d := cmp.Diff(want, in[k.name]); d != "" {
				t.Errorf("%s (-without a domain, or what is known to differ +in one):\n%s", k.name, d)
			} else if k.why != "" {
				named++
			} else {
				same++
			}
		}
		t.Logf("%d kinds: %d the same, %d the same except what is named; %d cannot be set up, in %d ways: %s",
			len(list), same, named, setUp, len(codes), strings.Join(slices.Sorted(maps.Keys(codes)), " "))
		if len(list) < 40 {
			t.Errorf("only %d kinds", len(list))
		}
	})
}

// setUpCode is how systemctl status shows that systemd could not set a command up.
var setUpCode = regexp.MustCompile(`\b2[0-4][0-9]/[A-Z_]+`)

// putKinds writes the units, and what stands around them.
func putKinds(t *testing.T, m *Machine, list []kind) {
	t.Helper()
	files := map[string]string{
		// Of every kind, by the first part of its name (systemd.unit(5)).
		"k-.service.d/50-told.conf": "[Unit]\nOnFailure=failed@%N.service\nOnSuccess=succeeded@%N.service\n",
	}
	const done = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
	for _, how := range []string{"failed", "succeeded"} {
		files[how+"@.service"] = done
	}
	for how, key := range map[string]string{"requires": "Requires", "wants": "Wants", "binds": "BindsTo"} {
		files[how+"@.service"] = "[Unit]\n" + key + "=%i.service\nAfter=%i.service\n" + done
	}
	// What nobody refers to is forgotten by systemd once it has stopped, and its result.
	keep := "[Unit]\nAfter="
	for _, k := range list {
		keep += strings.Join(k.units(), " ") + " "
	}
	files["keep.service"] = keep + "\n" + done
	for _, k := range list {
		text := k.text
		if !strings.HasPrefix(text, "[") {
			text = "[Service]\n" + text
		}
		name := k.unit()
		if template, ok := k.template(); ok {
			name = template
		}
		files[name] = text
		for suffix, text := range k.also {
			if strings.HasPrefix(suffix, ".") || strings.HasPrefix(suffix, "@") {
				suffix = "k-" + k.name + suffix
			}
			files[suffix] = text
		}
	}
	for name, text := range files {
		m.Put(t, "/etc/systemd/system/"+name, 0o644, []byte(text))
	}
	m.Put(t, "/usr/local/lib/kinds.sh", 0o644, []byte(script(t, "kinds")))
	m.Put(t, "/usr/local/lib/bus.bytes", 0o644, busBytes("org.example.Kind"))
	m.Sh(t, ". /usr/local/lib/kinds.sh; prepare")
}

// runKinds starts them all at once, in the domain if it is not "", and returns by
// name what systemd said of each.
func runKinds(t *testing.T, m *Machine, list []kind, domain string) map[string]map[string]string {
	t.Helper()
	putRun(t, m, list, domain)
	facts := map[string]map[string]string{}
	for _, k := range list {
		facts[k.name] = map[string]string{}
	}
	var text string
	for _, part := range []string{"begin", "settle", "look", "dependents", "after", "end"} {
		text += m.Sh(t, ". /usr/local/lib/kinds.sh; "+part)
	}
	for line := range strings.Lines(text) {
		name, fact, _ := strings.Cut(strings.TrimSpace(line), " ")
		key, value, ok := strings.Cut(fact, "=")
		if facts[name] == nil || !ok {
			t.Fatalf("%s: %q", m.System, line)
		}
		facts[name][key] = value
	}
	for _, k := range list {
		where := map[string]string{"": "default"}[domain] + domain
		if got := facts[k.name]["where"]; got != "" && got != where {
			t.Errorf("%s: %s is in %s; want %s", m.System, k.name, got, where)
		} else if got == "" && k.end == "active" && strings.HasSuffix(facts[k.name]["state"], "/running") {
			t.Errorf("%s: where %s is was not seen", m.System, k.name)
		}
		delete(facts[k.name], "where")
		// systemctl asks for the result when the job is over. A unit that is restarted, or
		// that another kind requires and starts again, may have the old one then, that of the
		// last start, or none: "failed." The result itself is compared at the end.
		again := strings.Contains(k.text, "StartLimitBurst=") || slices.ContainsFunc(list, func(o kind) bool {
			return strings.Contains(o.text, "Requires=k-"+k.name+".service\n")
		})
		if why := facts[k.name]["start"]; again && (why == "failed." || strings.HasPrefix(why, "failed because ")) {
			facts[k.name]["start"] = "failed"
		}
	}
	return facts
}

// putRun writes what the script has to do with each kind.
func putRun(t *testing.T, m *Machine, list []kind, domain string) {
	t.Helper()
	var confs, starts, pokes, ends, units, around strings.Builder
	for _, k := range list {
		if domain != "" {
			fmt.Fprintf(&confs, "echo netns=%s >/etc/conf.d/%s\n", domain, strings.TrimSuffix(k.unit(), ".service"))
		}
		first := k.unit()
		if k.start != "" {
			first = "k-" + k.name + k.start
		}
		fmt.Fprintln(&starts, first)
		if k.poke != "" {
			fmt.Fprintf(&pokes, "%s\n", k.poke)
		}
		fmt.Fprintf(&ends, "%s %s\n", k.unit(), k.end)
		fmt.Fprintln(&units, strings.Join(k.units(), " "))
		fmt.Fprintln(&around, strings.Join(k.around(), " "))
	}
	put := func(name, text string) { m.Put(t, "/run/kinds/"+name, 0o644, []byte(text)) }
	put("confs", confs.String())
	put("starts", starts.String())
	put("pokes", pokes.String())
	put("ends", ends.String())
	put("units", units.String())
	put("around", around.String())
}
