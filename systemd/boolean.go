package systemd

import "strings"

// ParseBool reads a boolean as systemd does, in any case of letters
// (parse_boolean, src/basic/parse-util.c). ok is false for what is none: systemd
// warns, and ignores the assignment.
func ParseBool(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

// Bool returns the value of a setting that is a boolean, and the assignment that
// counts: the last one that is a boolean. An empty assignment is none, so it
// resets nothing (config_parse_bool, src/shared/conf-parser.c). ok is false
// where nothing counts.
func (u *Unit) Bool(section, key string) (value bool, set Setting, ok bool) {
	for _, s := range u.Settings {
		if s.Section != section || s.Key != key {
			continue
		}
		if v, valid := ParseBool(s.Value); valid {
			value, set, ok = v, s, true
		}
	}
	return value, set, ok
}
