package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rdgen/test/need"
)

// TestCompletion: what bash completes behind rdomain and rdexec, from files of domains. A
// name that no domain can have is nobody's, and is not executed.
func TestCompletion(t *testing.T) {
	start(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		need.Missing(t, need.Sh, "no bash")
	}
	for _, name := range []string{"mgmt", "private", "mgmt@t1", "$(touch evil)", "a b"} {
		if err := os.WriteFile("/etc/rdomain/"+name+".conf", nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// Words are split as bash does it, at an @ too.
	const script = `. ../../completion/rdomain.bash; COMP_WORDBREAKS='"@=>'; COMP_LINE=$1 COMP_POINT=${#1}; shift
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); "_$1"; printf '%s\n' "${COMPREPLY[@]}"`
	for _, c := range []struct{ line, want string }{
		{"rdomain re", "reload"}, {"rdomain i", "identify"},
		{"rdomain up ", "mgmt mgmt@t1 private"}, {"rdomain up pr", "private"}, {"rdomain up mgmt @ t", "t1"}, {"rdomain up mgmt @", "t1"},
		{"rdomain reload --a", "--all"}, {"rdomain check --", "--all --hold --json --self"}, {"rdomain list ", ""}, {"rdomain exec pr", "private"},
		{"rdexec -n ", "mgmt private t1"}, {"rdexec -v mg", "mgmt"}, {"rdexec --lo", "--look"},
		{"rdomain exec private -- bas", "bash"}, {"rdexec -n t1 -v mgmt bas", "bash"}, {"rdomain exec mgmt @ t1 bas", "bash"},
	} {
		words := strings.Split(c.line, " ")
		line := strings.ReplaceAll(strings.ReplaceAll(c.line, " @", "@"), "@ ", "@")
		out, err := exec.Command(bash, append([]string{"-c", script, "bash", line}, words...)...).CombinedOutput()
		got := slices.Sorted(slices.Values(strings.Fields(string(out))))
		if isProgram := strings.HasSuffix(c.line, " bas"); isProgram && err == nil && slices.Contains(got, "bash") {
			continue
		}
		if strings.Join(got, " ") != c.want || err != nil {
			t.Errorf("%q: %q, %v; want %q", line, got, err, c.want)
		}
	}
	if _, err := os.Stat("evil"); err == nil {
		t.Error("the name of a file was executed")
		os.Remove("evil")
	}
}

// TestCompletionKnowsAll: each shell's file has every verb and every option.
func TestCompletionKnowsAll(t *testing.T) {
	for _, file := range []string{"rdomain.bash", "_rdomain", "rdomain.fish", "rdexec.fish"} {
		data, err := os.ReadFile("../../completion/" + file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		var words []string
		if file != "rdexec.fish" {
			for _, m := range regexp.MustCompile(`(?m)^[ a-z:]* rdomain ([a-z]+) `).FindAllStringSubmatch(usage, -1) {
				words = append(words, m[1])
			}
			words = append(words, "all", "json", "self", "hold")
		}
		if file != "rdomain.fish" {
			words = append(words, "netns", "vrf", "cgroup", "user", "look")
		}
		if len(words) < 5 {
			t.Errorf("%q are all words that %s is asked for", words, file)
		}
		for _, w := range words {
			if !regexp.MustCompile(`\b` + w + `\b`).MatchString(text) {
				t.Errorf("%s does not have %s", file, w)
			}
		}
	}
}
