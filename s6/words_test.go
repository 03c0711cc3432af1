package s6

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"rdgen/test/need"
)

// FuzzWords holds our reading of execline against the real execlineb, by the
// words that a program is given.
func FuzzWords(f *testing.F) {
	for _, s := range []string{"", "a b", "a {", "}", "a { b { c } d } e", `"a b"c\ d`, `a"\x41"`, `"\0x41\0101\65"`, `"\0"`, "a\\\nb", "\\\na", `"a\` + "\n" + `b"`,
		"#x\na#b # c", `{"x"`, `\{ a \}`, `"{"`, "a\tb\rc", `"\a\b\q"`, `"\65`, `"\0x4`, "a\\", "\x01a\x7f", "\"\\256\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		words, err := Words("x", []byte(s))
		if err == nil && strings.ContainsRune(strings.Join(words, ""), 0) {
			t.Errorf("Words(%q) = %q, which holds a NUL", s, words)
		}
	})
}

// TestWordsAgreeWithExeclineb asks the real execlineb what words it reads.
func TestWordsAgreeWithExeclineb(t *testing.T) {
	execlineb := need.Tools(t, need.S6, "execlineb")[0]
	dir := t.TempDir()
	show := dir + "/show"
	os.WriteFile(show, []byte("#!/bin/sh\nfor a; do printf '%s\\0' \"$a\"; done\n"), 0o755)
	texts := []string{"", "a b", "a {", "a { ", "}", "a }", "a { b { c } d } e", "a { } b", `"a b"c\ d`, `a"\x41"`, `"\0x41\0101\65"`, `"\0x4G\018\2569"`, `"\0"`, `"\0x0"`, "a\\\nb", "\\\na",
		`"a\` + "\n" + `b"`, "#x\na#b # c", `{"x"`, `{x`, `}x y`, `\{ a \}`, `"{" b`, "a\tb\rc\fd", `"\a\b\t\n\v\f\r\q\e\x"`, `"\65`, `"\0x4`, `"\0101`, `"\6`, "a\\", "\\", "\x01a\x7f \xff", "\"\\256\"", `"\300"`, `""`, `a "" b`,
		`"a" "b`, "a{ b", "a} b", "{ a", "{", "a {#x\n b }", "a { #x\n b }", `a "x\"y"`, `a\"b\\`, "a\\\n"}
	for _, c := range "\\\"{}#0x1n" {
		for _, d := range "\\\"{}# \n0x1f" {
			for _, e := range []string{"", "\"", " ", "1"} {
				if !strings.ContainsRune("{}", c) || d != '\\' {
					texts = append(texts, string(c)+string(d)+e)
				}
				texts = append(texts, "\""+string(c)+string(d)+e)
			}
		}
	}
	for _, text := range texts {
		cmd := exec.Command(execlineb, "-Pc", show+" "+text)
		out, err := cmd.Output()
		code := cmd.ProcessState.ExitCode()
		words, wordsErr := Words("x", []byte(show+" "+text))
		if (err != nil) != (wordsErr != nil) || err == nil && string(out) != strings.Join(append(words[1:], ""), "\x00") {
			t.Errorf("%q: execlineb exits %d and passes %q; Words = %q, %v", text, code, out, words, wordsErr)
		}
	}
	t.Logf("%d texts", len(texts))
}
