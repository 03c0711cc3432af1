package readers

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"rdgen/test/sandbox"
)

// interval is what Grafana puts in.
var interval = regexp.MustCompile(`\[\$[a-z_]+\]`)

const examples = "../../examples/monitoring/"

// machine has a domain that somebody made, and one that is down.
const machine = `
	printf '[Domain]\nKind=netns\n' >/etc/rdomain/red.conf
	ip netns add blue && ip -n blue link add v0 type veth peer name v1`

// TestPrometheus: promtool finds nothing to say about the numbers, and a second look prints
// what has changed since, and no more.
func TestPrometheus(t *testing.T) {
	rdgen := start(t)
	sandbox.Sh(t, machine)
	t.Cleanup(func() { sandbox.Sh(t, "ip netns del blue; rm /etc/rdomain/*") })
	const file = "/run/numbers/rdgen.prom"
	if first := reads(t, "", rdgen, "status", "--prometheus", file); !strings.Contains(first, "blue: foreign, netns\n") {
		t.Errorf("the first look says %q", first)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `rdgen_link_up{domain="blue",link="v0"} 0`) {
		t.Errorf("the numbers are\n%s", text)
	}
	if out := reads(t, string(text), "promtool", "check", "metrics"); out != "" {
		t.Errorf("promtool says %s", out)
	}
	if out := reads(t, "", rdgen, "status", "--prometheus", file); out != "" {
		t.Errorf("a second look says %q; want nothing", out)
	}
	sandbox.Sh(t, "ip -n blue link set v0 up")
	if out := reads(t, "", rdgen, "status", "--prometheus", file); out != "blue: link v0 is up\n" {
		t.Errorf("a look after a change says %q", out)
	}
	if left := sandbox.Sh(t, "ls -A /run/numbers"); left != "rdgen.prom\n" {
		t.Errorf("beside the numbers there is %q", left)
	}
}

// TestAlerts: promtool takes the rules, and each of them fires and is quiet as it should.
func TestAlerts(t *testing.T) {
	start(t)
	if out := reads(t, "", "promtool", "check", "rules", examples+"rdgen.rules.yml"); !strings.Contains(out, "SUCCESS: 8 rules") {
		t.Errorf("promtool says %s", out)
	}
	reads(t, "", "promtool", "test", "rules", "testdata/alerts.yml")
}

// TestExamplesName: the rules and the panel ask for numbers that rdgen has, and the panel is
// one that Grafana can import.
func TestExamplesName(t *testing.T) {
	start(t)
	known, err := exec.Command("grep", "-rhoE", `"rdgen_[a-z_]+"`, "../../status/metrics.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"rdgen.rules.yml", "rdgen-grafana.json"} {
		text, err := os.ReadFile(examples + file)
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`rdgen_[a-z_]+`).FindAllString(string(text), -1)
		for _, name := range names {
			if !strings.Contains(string(known), `"`+name+`"`) {
				t.Errorf("%s asks for %s, which nobody counts", file, name)
			}
		}
		if len(names) < 5 {
			t.Errorf("%s asks for %q; want more", file, names)
		}
	}
	text, err := os.ReadFile(examples + "rdgen-grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title         string
		SchemaVersion int
		Panels        []struct {
			ID      int
			Title   string
			Type    string
			GridPos struct{ H, W, X, Y int }
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil || board.Title == "" || board.SchemaVersion == 0 || len(board.Panels) < 4 {
		t.Fatalf("the panel is %+v, %v", board, err)
	}
	seen := map[int]bool{}
	for _, p := range board.Panels {
		if seen[p.ID] || p.Type == "" || p.GridPos.W == 0 || p.GridPos.X+p.GridPos.W > 24 || len(p.Targets) == 0 {
			t.Errorf("panel %+v cannot be drawn", p)
		}
		seen[p.ID] = true
		for _, target := range p.Targets {
			// promtool has no check of one expression, but of a rule.
			rule, _ := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "a", "rules": []any{map[string]string{"record": "a", "expr": interval.ReplaceAllString(target.Expr, "[5m]")}}}}})
			reads(t, string(rule), "promtool", "check", "rules", "/dev/stdin")
		}
	}
}
