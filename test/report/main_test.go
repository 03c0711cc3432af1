package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	const in = `{"Action":"run","Package":"rdgen/a","Test":"TestGood"}
{"Action":"output","Package":"rdgen/a","Test":"TestGood","Output":"--- PASS\n"}
{"Action":"pass","Package":"rdgen/a","Test":"TestGood"}
{"Action":"output","Package":"rdgen/a","Test":"TestBad","Output":"    a_test.go:7: F(1) = 2; want 3\n"}
{"Action":"fail","Package":"rdgen/a","Test":"TestBad"}
{"Action":"output","Package":"rdgen/a","Test":"TestShell","Output":"    a_test.go:9: sh: dash not installed\n"}
{"Action":"skip","Package":"rdgen/a","Test":"TestShell"}
{"Action":"fail","Package":"rdgen/a","Elapsed":0.1}
{"Action":"output","Package":"rdgen/b","Output":"panic: died\n"}
{"Action":"fail","Package":"rdgen/b"}
{"ImportPath":"rdgen/c","Action":"build-output","Output":"c.go:1: oops\n"}
{"ImportPath":"rdgen/c","Action":"build-fail"}
{"Action":"skip","Package":"rdgen/d"}
{"Action":"pass","Package":"rdgen/a","Test":"TestWaits/long","Elapsed":70}
{"Action":"pass","Package":"rdgen/a","Test":"TestWaits","Elapsed":70}
{"Action":"output","Package":"rdgen/test/vm","Test":"TestVRF/x","Output":"    machine.go:7: x: the machine ran 31 s, on processors 29 s\n"}
{"Action":"pass","Package":"rdgen/test/vm","Test":"TestVRF/x","Elapsed":900}
# rdgen/e: go itself
`
	var out strings.Builder
	c, err := read(strings.NewReader(in), &out)
	if err != nil {
		t.Fatal(err)
	}
	c.print(&out)
	got := out.String()
	for _, want := range []string{
		"F(1) = 2; want 3", "panic: died", "c.go:1: oops", "# rdgen/e: go itself",
		"skipped: sh: dash not installed (1): a TestShell\n",
		"machines: 1 ran 31 s, on processors 29 s: VRF/x 31/29\n",
		"longest: a TestWaits/long 70\n",
		"4 passed, 3 failed, 1 skipped\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("report lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, "--- PASS") {
		t.Errorf("report shows the output of a test that passed:\n%s", got)
	}
}
