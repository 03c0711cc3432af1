package systemd

import (
	"path"
	"slices"
	"strings"
)

// Session is what has a unit's process open a session of PAM.
type Session struct {
	Setting
	// By are the words that do so: "su -", or none for PAMName= itself.
	By string
	// Stack is the name of PAM's file.
	Stack string
	// All reports that nothing of the command runs outside of the session.
	All bool
}

// Sessions returns what opens sessions of PAM in a service. What a script does that the unit
// only names cannot be seen. systemd-user is left out: pam_systemd leaves that where it is.
func Sessions(unit *Unit) (list []Session) {
	all := unit.All("Service", "PAMName")
	if len(all) > 0 && all[len(all)-1].Value != "systemd-user" {
		last := all[len(all)-1]
		list = append(list, Session{Setting: last, Stack: last.Value, All: true})
	}
	for _, key := range started {
		for _, set := range unit.All("Service", key) {
			words := commandWords(set.Value)
			for i, word := range words {
				if stack, by := sessionOf(path.Base(word.text), texts(words[i+1:])); stack != "" && word.begins {
					list = append(list, Session{set, by, stack, word.first && key == "ExecStart"})
				}
			}
		}
	}
	return list
}

// SessionOf returns the file of PAM by which a command opens a session, with the words that say
// so; or "".
func SessionOf(prog []string) (stack, by string) {
	words := commandWords(strings.Join(prog, " "))
	for i, word := range words {
		if word.begins && word.first {
			if stack, by = sessionOf(path.Base(word.text), texts(words[i+1:])); stack != "" {
				return stack, by
			}
		}
	}
	return "", ""
}

// sessionOf returns the file of PAM that a program asks for, with the words that say so; or "".
func sessionOf(program string, args []string) (stack, by string) {
	login := "l"
	switch program {
	case "login", "doas":
		return program, program
	case "su", "runuser":
	case "sudo":
		login = "i"
	default:
		return "", ""
	}
	value := false // the word is one of an option
	for _, a := range args {
		given, needs := readOption(wrappers[program].options, a)
		isOption := strings.HasPrefix(a, "-")
		switch {
		case a == "-" || isOption && slices.ContainsFunc(given, func(o givenOption) bool { return o.name == "login" }):
			return program + "-" + login, program + " " + a
		case a == "--" || a == "-c" || a == "--command" || program == "runuser" && a == "-u":
			return program, program
		case !isOption && !value && program == "sudo":
			return program, program
		}
		value = isOption && needs
	}
	return program, program
}
