package openrc

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"rdgen/problem"
)

// pattern is a shell pattern of literal bytes, "?" and "*".
type pattern []patternByte

type patternByte struct {
	b       byte
	special bool // "?" or "*" with its meaning
}

// trim removes what the pattern of ${name%pattern} and its kin matches. Ranges,
// backslashes and bytes beyond ASCII are in doubt: shells differ over them.
func (sh *shell) trim(p *syntax.ParamExp, s string, in expansion) (string, *problem.Error) {
	var pat pattern
	if p.Exp.Word != nil {
		for _, part := range p.Exp.Word.Parts {
			more, ok := sh.patternPart(part, in)
			if !ok {
				sh.runMaybe("an expansion", p.Exp.Word)
				return "", sh.doubt(p, needsShell)
			}
			pat = append(pat, more...)
		}
	}
	if !ascii(s) {
		return "", sh.doubt(p, needsShell)
	}
	switch p.Exp.Op {
	case syntax.RemSmallPrefix:
		for i := 0; i <= len(s); i++ {
			if pat.match(s[:i]) {
				return s[i:], nil
			}
		}
	case syntax.RemLargePrefix:
		for i := len(s); i >= 0; i-- {
			if pat.match(s[:i]) {
				return s[i:], nil
			}
		}
	case syntax.RemSmallSuffix:
		for i := len(s); i >= 0; i-- {
			if pat.match(s[i:]) {
				return s[:i], nil
			}
		}
	case syntax.RemLargeSuffix:
		for i := 0; i <= len(s); i++ {
			if pat.match(s[i:]) {
				return s[:i], nil
			}
		}
	}
	return s, nil
}

func (sh *shell) patternPart(part syntax.WordPart, in expansion) (pattern, bool) {
	switch part := part.(type) {
	case *syntax.Lit:
		return literalPattern(part.Value, true)
	case *syntax.SglQuoted:
		if part.Dollar || in.quoted {
			return nil, false
		}
		return literalPattern(part.Value, false)
	case *syntax.ParamExp:
		if part.Exp != nil {
			return nil, false // not expanded, assignments and all, where there is nothing to trim
		}
		text, doubt := sh.param(part, in)
		if doubt != nil || !plain(text) {
			return nil, false
		}
		return literalPattern(text, false)
	}
	return nil, false
}

func literalPattern(s string, special bool) (pattern, bool) {
	if !ascii(s) || strings.ContainsAny(s, "\\[]~$!^") {
		return nil, false
	}
	var pat pattern
	for i := range len(s) {
		pat = append(pat, patternByte{s[i], special && (s[i] == '*' || s[i] == '?')})
	}
	return pat, true
}

// match reports whether pat matches all of s.
func (pat pattern) match(s string) bool {
	// After a "*", back up to it and let it take one byte more.
	star, from := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(pat) && pat[i].special && pat[i].b == '*':
			star, from = i, j
			i++
		case i < len(pat) && (pat[i].special || pat[i].b == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(pat) && pat[i].special && pat[i].b == '*' {
		i++
	}
	return i == len(pat)
}
