package openrc

import "maps"

// longOption is an option: its short form, or 0, and whether it has a value.
type longOption struct {
	short byte
	value bool
}

// commonOptions are those of both programs (start-stop-daemon.c and
// supervise-daemon.c of OpenRC 0.45 to 0.64, longopts and _usage.h).
var commonOptions = map[string]longOption{
	"capabilities": {0, true}, "secbits": {0, true}, "no-new-privs": {0, false}, "notify": {0, true},
	"ionice": {'I', true}, "stop": {'K', false}, "nicelevel": {'N', true}, "oom-score-adj": {0, true},
	"start": {'S', false}, "chdir": {'d', true}, "env": {'e', true}, "umask": {'k', true}, "group": {'g', true},
	"pidfile": {'p', true}, "signal": {'s', true}, "user": {'u', true}, "chroot": {'r', true},
	"stdin": {'0', true}, "stdout": {'1', true}, "stderr": {'2', true},
	"help": {'h', false}, "nocolor": {'C', false}, "version": {'V', false}, "verbose": {'v', false}, "quiet": {'q', false},
}

var startStopOptions = with(map[string]longOption{
	"retry": {'R', true}, "startas": {'a', true}, "background": {'b', false}, "chuid": {'c', true}, "stop-group": {'G', false},
	"interpreted": {'i', false}, "make-pidfile": {'m', false}, "name": {'n', true}, "oknodo": {'o', false}, "test": {'t', false},
	"wait": {'w', true}, "exec": {'x', true}, "stdout-logger": {'3', true}, "stderr-logger": {'4', true}, "progress": {'P', false},
	"scheduler": {0, true}, "scheduler-priority": {0, true},
})

var superviseOptions = with(map[string]longOption{
	"healthcheck-timer": {'a', true}, "healthcheck-delay": {'A', true}, "respawn-delay": {'D', true}, "respawn-max": {'m', true},
	"respawn-period": {'P', true}, "respawn-delay-step": {0, true}, "respawn-delay-cap": {0, true}, "retry": {'R', true},
	"stop-group": {'G', false}, "stdout-logger": {0, true}, "stderr-logger": {0, true}, "reexec": {'3', false},
})

func with(own map[string]longOption) map[string]longOption {
	maps.Copy(own, commonOptions)
	return own
}
